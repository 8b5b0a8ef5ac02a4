package import BGPWire
package import NetTypes

/// What both sides agreed on when a session came up.
package struct Negotiated: Sendable, Equatable {
    /// The connection that carries the session.
    package let connection: ConnectionID
    /// The peer's AS.
    package let peerAS: ASNumber
    /// The peer's BGP identifier.
    package let peerBGPID: RouterID
    /// Whether both are in one AS.
    package let isIBGP: Bool
    /// The smaller of the two Hold Times; zero means that no KEEPALIVEs are sent or expected.
    package let holdTime: Duration
    /// The interval between KEEPALIVEs, before jitter; zero with a Hold Time of zero.
    package let keepaliveInterval: Duration
    /// The families both offered, in this speaker's order.
    package let families: [AFISAFI]
    /// Whether AS_PATHs carry four octets per AS (RFC 6793).
    package let hasFourOctetAS: Bool
    /// Whether the peer honours ROUTE-REFRESH (RFC 2918).
    package let hasRouteRefresh: Bool
    /// Whether both sides mark the beginning and the end of what ROUTE-REFRESH asks for (RFC 7313).
    package let hasEnhancedRouteRefresh: Bool
    /// Whether messages may be up to 65535 octets (RFC 8654).
    package let hasExtendedMessages: Bool
    /// The families in which a path identifier is sent before each prefix (RFC 7911).
    package let familiesWithPathIDs: [AFISAFI]
    /// The families in which the peer sends a path identifier before each prefix.
    package let familiesTakenWithPathIDs: [AFISAFI]
    /// Whether the next hops of IPv4 prefixes may be IPv6 addresses (RFC 8950).
    package let hasExtendedNextHop: Bool
    /// Whether the peer knows what LLGR_STALE means (RFC 9494).
    package let takesLongLivedRoutes: Bool
    /// The families whose routes are kept beyond the restart time, as the peer has asked.
    package let keptLong: [LongLivedFamily]
    /// What the peer said about its restarts; nil when it does not know of them.
    package let peerGracefulRestart: GracefulRestart?
    /// Whether both sides set the N bit (RFC 8538).
    package let keepsRoutesOnNotification: Bool

    /// How messages of this session are coded.
    package var wireContext: WireContext {
        WireContext(
            fourOctetAS: hasFourOctetAS, maximumMessageLength: hasExtendedMessages ? 65535 : 4096, isIBGP: isIBGP,
            pathIDsIn: Self.set(of: familiesTakenWithPathIDs), pathIDsOut: Self.set(of: familiesWithPathIDs),
            ipv6NextHopsForIPv4: hasExtendedNextHop)
    }

    /// Whether the peer has just restarted (the R bit): nobody waits for its End-of-RIB before choosing routes.
    package var isPeerRestarting: Bool { peerGracefulRestart?.isRestarting ?? false }

    private static func set(of families: [AFISAFI]) -> FamilySet {
        var octet: UInt8 = 0
        for family in families {
            if let family = family.family { octet |= FamilySet(family).rawValue }
        }
        return FamilySet(rawValue: octet)
    }
}
