/// An autonomous system number of four octets (RFC 6793).
@frozen @usableFromInline
package struct ASNumber: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number.
    @usableFromInline package let rawValue: UInt32

    /// AS_TRANS, which stands for a number above 65535 towards a two-octet speaker (RFC 6793 §9).
    package static let trans = ASNumber(23456)

    /// Makes the number; 0 is representable because hostile bytes may carry it (RFC 7607).
    @inlinable package init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Parses asplain (`64512`) or asdot (`1.10`) text (RFC 5396).
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        switch parts.count {
        case 1:
            guard let value = UInt32(parts[0]) else { return nil }
            rawValue = value
        case 2:
            guard let high = UInt16(parts[0]), let low = UInt16(parts[1]) else { return nil }
            rawValue = UInt32(high) << 16 | UInt32(low)
        default:
            return nil
        }
    }

    /// The number as the two octets of an OPEN or a two-octet AS_PATH carry it.
    package var twoOctets: UInt16 { UInt16(exactly: rawValue) ?? UInt16(Self.trans.rawValue) }

    /// asplain text.
    @usableFromInline package var description: String { String(rawValue) }

    @inlinable package static func < (left: ASNumber, right: ASNumber) -> Bool { left.rawValue < right.rawValue }
}
