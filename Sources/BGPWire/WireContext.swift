package import NetTypes

/// What a session has agreed on, as far as the bytes of its messages depend on it.
@frozen
package struct WireContext: Sendable, Hashable {
    /// Whether both sides sent the four-octet AS capability (RFC 6793): AS numbers in UPDATEs are four octets wide.
    package var fourOctetAS: Bool
    /// The longest message allowed, header included: 4096, or 65535 after RFC 8654. OPEN and KEEPALIVE stay at 4096.
    package var maximumMessageLength: Int
    /// Whether the peer is in the own AS: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are spoken there alone.
    package var isIBGP: Bool

    /// The families in which the peer puts a path identifier before each prefix (RFC 7911 §3).
    package var pathIDsIn: FamilySet
    /// The families in which a path identifier is sent before each prefix.
    package var pathIDsOut: FamilySet
    /// Whether the next hop of an IPv4 prefix may be an IPv6 address (RFC 8950).
    package var ipv6NextHopsForIPv4: Bool

    /// The longest message without the extended-message capability (RFC 4271 §4.1).
    package static let standardMaximum = 4096
    /// The longest message with the extended-message capability on both sides (RFC 8654 §3).
    package static let extendedMaximum = 65535

    /// Makes a context; before the OPENs are exchanged the defaults hold.
    @inlinable package init(
        fourOctetAS: Bool = true, maximumMessageLength: Int = 4096, isIBGP: Bool, pathIDsIn: FamilySet = [],
        pathIDsOut: FamilySet = [], ipv6NextHopsForIPv4: Bool = false,
    ) {
        self.pathIDsIn = pathIDsIn
        self.pathIDsOut = pathIDsOut
        self.ipv6NextHopsForIPv4 = ipv6NextHopsForIPv4
        self.fourOctetAS = fourOctetAS
        self.maximumMessageLength = maximumMessageLength
        self.isIBGP = isIBGP
    }
}

/// A set of address families, as small as it can be: part of what every message is coded by.
@frozen
package struct FamilySet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    @inlinable package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// IPv4.
    package static let ipv4 = FamilySet(rawValue: 1)
    /// IPv6.
    package static let ipv6 = FamilySet(rawValue: 2)

    /// Makes the set of one family.
    @inlinable package init(_ family: AddressFamily) {
        switch family {
        case .ipv4: self.init(rawValue: 1)
        case .ipv6: self.init(rawValue: 2)
        }
    }

    /// Whether the family is in the set. What `OptionSet` has for it goes through a table of its conformance.
    package func contains(_ family: AddressFamily) -> Bool { rawValue & FamilySet(family).rawValue != 0 }
}
