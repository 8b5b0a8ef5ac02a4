/// An IPv4 address, kept as one integer in host byte order.
@frozen @usableFromInline
package struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The address as a number: 10.0.0.1 is `0x0a00_0001`.
    @usableFromInline package var rawValue: UInt32

    /// Makes the address that the number stands for.
    @inlinable package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Makes an address of its four octets, the most significant first.
    @inlinable package init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        rawValue = UInt32(first) << 24 | UInt32(second) << 16 | UInt32(third) << 8 | UInt32(fourth)
    }

    /// Parses dotted-quad text of exactly four decimal octets (RFC 6943 §3.1.1, the strict form).
    ///
    /// A leading zero is refused: some parsers read it as octal, and two readings of one address are worse than none.
    @inlinable package init?(_ text: some StringProtocol) { self.init(parsing: String(text)) }

    @usableFromInline init?(parsing text: String) {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var octets = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if digits > 0 && octet == 0 { return nil }
                octet = octet * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                if octet > 255 { return nil }
            case UInt8(ascii: "."):
                if digits == 0 || octets == 3 { return nil }
                value = value << 8 | octet
                octets += 1
                octet = 0
                digits = 0
            default:
                return nil
            }
        }
        guard digits > 0, octets == 3 else { return nil }
        rawValue = value << 8 | octet
    }

    /// The four octets in network byte order.
    package var bytes: [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: rawValue >> UInt32($0)) }
    }

    /// The dotted-quad form.
    @usableFromInline package var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 255).\(rawValue >> 8 & 255).\(rawValue & 255)"
    }

    /// Whether the address can name one host: not 0/8, 127/8, 224/4 or 240/4.
    package var isUnicastHost: Bool {
        let first = rawValue >> 24
        return first != 0 && first != 127 && first < 224
    }

    @inlinable package static func < (left: IPv4Address, right: IPv4Address) -> Bool {
        left.rawValue < right.rawValue
    }
}
