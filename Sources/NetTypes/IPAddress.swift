/// An address of either family. Every IPv4 address sorts before every IPv6 address.
@frozen @usableFromInline
package enum IPAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    case v4(IPv4Address)
    case v6(IPv6Address)

    /// Parses the text of an address of either family; neither prefix length nor zone is allowed.
    @inlinable package init?(_ text: some StringProtocol) { self.init(parsing: String(text)) }

    @usableFromInline init?(parsing text: String) {
        if let address = IPv4Address(text) {
            self = .v4(address)
        } else if let address = IPv6Address(text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// Makes an address of 4 or 16 octets in network byte order; nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4:
            self = .v4(IPv4Address(rawValue: bytes.reduce(0) { $0 << 8 | UInt32($1) }))
        case 16:
            let high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            let low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
            self = .v6(IPv6Address(high: high, low: low))
        default:
            return nil
        }
    }

    /// The family of the address.
    @inlinable package var family: AddressFamily { AddressFamily(of: self) }

    /// The octets in network byte order: 4 or 16 of them.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let address): address.bytes
        case .v6(let address): address.bytes
        }
    }

    /// The canonical text.
    @usableFromInline package var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }

    /// Whether it means something on one link only (RFC 3927, RFC 4291 §2.5.6).
    package var isLinkLocal: Bool {
        switch self {
        case .v4(let address): address.rawValue >> 16 == 0xa9fe
        case .v6(let address): address.isLinkLocal
        }
    }

    /// Whether the address can name one host.
    package var isUnicastHost: Bool {
        switch self {
        case .v4(let address): address.isUnicastHost
        case .v6(let address): address.isUnicastHost
        }
    }

    /// The prefix that holds this address alone: /32 or /128.
    package var hostPrefix: IPPrefix { IPPrefix(masking: self, length: family.bitWidth) }
}
