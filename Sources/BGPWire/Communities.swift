/// A community (RFC 1997): an AS in the high half, its own number in the low one.
@frozen
package struct Community: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The four octets as a number in host byte order.
    package let rawValue: UInt32

    /// NO_EXPORT: not beyond the AS (or confederation).
    package static let noExport = Community(rawValue: 0xffff_ff01)
    /// NO_ADVERTISE: to nobody.
    package static let noAdvertise = Community(rawValue: 0xffff_ff02)
    /// NO_EXPORT_SUBCONFED: not beyond the member AS; without confederations the same as NO_EXPORT.
    package static let noExportSubconfed = Community(rawValue: 0xffff_ff03)
    /// GRACEFUL_SHUTDOWN: the path is about to go (RFC 8326).
    package static let gracefulShutdown = Community(rawValue: 0xffff_0000)
    /// LLGR_STALE: kept beyond the session it came from (RFC 9494).
    package static let llgrStale = Community(rawValue: 0xffff_0006)
    /// NO_LLGR: not to be kept so (RFC 9494).
    package static let noLLGR = Community(rawValue: 0xffff_0007)
    /// BLACKHOLE: traffic to the prefix is to be dropped (RFC 7999).
    package static let blackhole = Community(rawValue: 0xffff_029a)

    /// Makes a community.
    @inlinable package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Makes a community of its halves.
    @inlinable package init(_ high: UInt16, _ low: UInt16) {
        rawValue = UInt32(high) << 16 | UInt32(low)
    }

    /// Parses `HIGH:LOW` in decimal.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = UInt16(decimal: parts[0]), let low = UInt16(decimal: parts[1]) else {
            return nil
        }
        self.init(high, low)
    }

    /// `HIGH:LOW` in decimal.
    package var description: String { "\(rawValue >> 16):\(rawValue & 0xffff)" }

    @inlinable package static func < (left: Community, right: Community) -> Bool { left.rawValue < right.rawValue }
}

/// An extended community (RFC 4360): type, subtype and value in eight octets.
@frozen
package struct ExtendedCommunity: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The eight octets as a number in host byte order.
    package let rawValue: UInt64

    /// Makes an extended community.
    @inlinable package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Whether it crosses the border of an AS: the T bit is clear (RFC 4360 §2).
    @inlinable package var isTransitive: Bool { rawValue >> 62 & 1 == 0 }

    /// `0x` and sixteen hexadecimal digits.
    package var description: String {
        let digits = String(rawValue, radix: 16)
        return "0x" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    @inlinable package static func < (left: ExtendedCommunity, right: ExtendedCommunity) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// A large community (RFC 8092): three numbers of four octets.
@frozen
package struct LargeCommunity: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The AS that gives the other two their meaning.
    package let globalAdministrator: UInt32
    /// The first number of that AS.
    package let localData1: UInt32
    /// The second number of that AS.
    package let localData2: UInt32

    /// Joins the three numbers.
    @inlinable package init(_ globalAdministrator: UInt32, _ localData1: UInt32, _ localData2: UInt32) {
        self.globalAdministrator = globalAdministrator
        self.localData1 = localData1
        self.localData2 = localData2
    }

    /// Parses three decimal numbers with colons between (RFC 8092 §5).
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let first = UInt32(decimal: parts[0]), let second = UInt32(decimal: parts[1]),
            let third = UInt32(decimal: parts[2])
        else { return nil }
        self.init(first, second, third)
    }

    /// Three decimal numbers with colons between.
    package var description: String { "\(globalAdministrator):\(localData1):\(localData2)" }

    @inlinable package static func < (left: LargeCommunity, right: LargeCommunity) -> Bool {
        (left.globalAdministrator, left.localData1, left.localData2)
            < (right.globalAdministrator, right.localData1, right.localData2)
    }
}

extension FixedWidthInteger {
    /// Parses plain decimal digits: neither sign nor space.
    init?(decimal text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        self.init(text, radix: 10)
    }
}
