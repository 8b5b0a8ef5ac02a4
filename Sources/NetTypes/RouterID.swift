/// A BGP identifier: four octets that are unique in the AS and not zero (RFC 6286 §2.1). Compared as a number.
@frozen @usableFromInline
package struct RouterID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The identifier as a number in host byte order.
    @usableFromInline package let rawValue: UInt32

    /// Makes an identifier; nil for zero.
    @inlinable package init?(rawValue: UInt32) {
        guard rawValue != 0 else { return nil }
        self.rawValue = rawValue
    }

    /// Makes an identifier of a node's IPv4 address; nil for 0.0.0.0.
    @inlinable package init?(_ address: IPv4Address) {
        self.init(rawValue: address.rawValue)
    }

    /// Parses dotted-quad text; nil for 0.0.0.0.
    package init?(_ text: some StringProtocol) {
        guard let address = IPv4Address(text) else { return nil }
        self.init(address)
    }

    /// Dotted-quad text.
    @usableFromInline package var description: String { IPv4Address(rawValue: rawValue).description }

    @inlinable package static func < (left: RouterID, right: RouterID) -> Bool { left.rawValue < right.rawValue }
}
