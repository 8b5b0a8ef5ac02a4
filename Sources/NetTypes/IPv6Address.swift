/// An IPv6 address, kept as two integers in host byte order.
@frozen @usableFromInline
package struct IPv6Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first 64 bits.
    @usableFromInline package var high: UInt64
    /// The last 64 bits.
    @usableFromInline package var low: UInt64

    /// Makes an address of its two halves.
    @inlinable package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The sixteen octets in network byte order.
    package var bytes: [UInt8] {
        (0..<16).map { index in
            let half = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: half >> UInt64(8 * (7 - index % 8)))
        }
    }

    /// Whether the address is in fe80::/10 (RFC 4291 §2.5.6).
    @inlinable package var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }

    /// Whether the address is an IPv4 address in IPv6's form, ::ffff:0:0/96 (RFC 4291 §2.5.5.2).
    @inlinable package var isIPv4Mapped: Bool { high == 0 && low >> 32 == 0xffff }

    /// Whether the address can name one host: not ::, ::1 or ff00::/8.
    package var isUnicastHost: Bool { !(high == 0 && low <= 1) && high >> 56 != 0xff }

    @inlinable package static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension IPv6Address {
    /// Parses the text forms of RFC 4291 §2.2: eight groups, `::`, and a dotted-quad tail. A zone is refused.
    @inlinable package init?(_ text: some StringProtocol) { self.init(parsing: String(text)) }

    @usableFromInline init?(parsing text: String) {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text[...]
        if rest.hasPrefix("::") {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != ":" }
            if part.contains(".") {
                guard part.endIndex == rest.endIndex, let tail = IPv4Address(part) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: tail.rawValue >> 16))
                groups.append(UInt16(truncatingIfNeeded: tail.rawValue))
                rest = rest[rest.endIndex...]
                break
            }
            guard let group = Self.group(part) else { return nil }
            groups.append(group)
            rest = rest[part.endIndex...]
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.first == ":" {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        guard let filled = Self.fill(groups, gap: gap) else { return nil }
        self.init(groups: filled)
    }

    /// The canonical text of RFC 5952: lower case, no leading zeros, the longest run of zeros as `::`.
    @usableFromInline package var description: String {
        let groups = self.groups
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8 && groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ slice: ArraySlice<UInt16>) -> String {
            slice.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if best.isEmpty { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }

    private var groups: [UInt16] {
        (0..<8).map { index in
            let half = index < 4 ? high : low
            return UInt16(truncatingIfNeeded: half >> UInt64(16 * (3 - index % 4)))
        }
    }

    private init(groups: [UInt16]) {
        high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
        low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
    }

    private static func group(_ part: Substring) -> UInt16? {
        guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isHexDigit) else { return nil }
        return UInt16(part, radix: 16)
    }

    private static func fill(_ groups: [UInt16], gap: Int?) -> [UInt16]? {
        guard let gap else { return groups.count == 8 ? groups : nil }
        guard groups.count < 8 else { return nil }
        let zeros = [UInt16](repeating: 0, count: 8 - groups.count)
        return groups[..<gap] + zeros + groups[gap...]
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII hexadecimal digit.
    package var isHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default:
            false
        }
    }
}
