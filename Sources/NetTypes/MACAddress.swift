/// An EUI-48 link-layer address.
@frozen @usableFromInline
package struct MACAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address as a number of 48 bits, the first octet the most significant.
    @usableFromInline package let rawValue: UInt64

    /// The address Calico gives to the host end of every pod link.
    package static let hostEnd = MACAddress(truncating: 0xeeee_eeee_eeee)

    /// Makes an address of the low 48 bits.
    @inlinable package init(truncating value: UInt64) {
        rawValue = value & 0xffff_ffff_ffff
    }

    /// Makes an address of six octets; nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        rawValue = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Parses six groups of two hexadecimal digits, parted by colons.
    package init?(_ text: some StringProtocol) {
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count == 6 else { return nil }
        var value: UInt64 = 0
        for group in groups {
            guard group.utf8.count == 2, group.utf8.allSatisfy(\.isHexDigit), let octet = UInt8(group, radix: 16)
            else { return nil }
            value = value << 8 | UInt64(octet)
        }
        rawValue = value
    }

    /// The six octets, first to last.
    package var bytes: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: rawValue >> UInt64(8 * (5 - $0))) }
    }

    /// Whether the address names one station: the group bit is clear and the address is not zero.
    package var isUnicast: Bool { rawValue >> 40 & 1 == 0 && rawValue != 0 }

    /// Lower-case, colon-parted: `66:f9:37:c3:7e:94`.
    @usableFromInline package var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(17)
        for byte in bytes {
            if !text.isEmpty { text.append(UInt8(ascii: ":")) }
            for digit in [byte >> 4, byte & 15] {
                text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
