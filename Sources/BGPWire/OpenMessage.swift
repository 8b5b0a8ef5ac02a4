package import NetTypes

/// The first message of a session (RFC 4271 §4.2): who speaks, and what they can do.
package struct OpenMessage: Sendable, Hashable {
    /// The sender's AS: of the four-octet AS capability where there is one, of the fixed field otherwise.
    package let asNumber: ASNumber
    /// The proposed hold time in seconds: 0, or 3 and more.
    package let holdTime: UInt16
    /// The sender's BGP identifier.
    package let bgpID: RouterID
    /// The capabilities in the order of the message.
    package let capabilities: [Capability]

    /// Makes an OPEN. A number above 65535 is understood by the peer only with `Capability.fourOctetAS` in the list:
    /// it is the caller's to put there.
    package init(asNumber: ASNumber, holdTime: UInt16, bgpID: RouterID, capabilities: [Capability]) {
        self.asNumber = asNumber
        self.holdTime = holdTime
        self.bgpID = bgpID
        self.capabilities = capabilities
    }

    /// The families of the multiprotocol capabilities. Without any, RFC 4760 §8 leaves IPv4 unicast.
    package var families: [AFISAFI] {
        let named = capabilities.compactMap { capability -> AFISAFI? in
            if case .multiprotocol(let family) = capability { family } else { nil }
        }
        return named.isEmpty ? [.ipv4Unicast] : named
    }

    /// The graceful restart capability; the last one counts when there are several (RFC 4724 §3).
    package var gracefulRestart: GracefulRestart? {
        for case .gracefulRestart(let value) in capabilities.reversed() { return value }
        return nil
    }

    /// Whether the sender reads and writes four-octet AS numbers.
    package var hasFourOctetAS: Bool {
        capabilities.contains { if case .fourOctetAS = $0 { true } else { false } }
    }

    /// Whether the sender answers ROUTE-REFRESH.
    package var hasRouteRefresh: Bool { capabilities.contains(.routeRefresh) }

    /// Whether the sender marks the begin and the end of a refresh (RFC 7313).
    package var hasEnhancedRouteRefresh: Bool { capabilities.contains(.enhancedRouteRefresh) }

    /// Whether the sender accepts messages of up to 65535 octets (RFC 8654).
    package var hasExtendedMessage: Bool { capabilities.contains(.extendedMessage) }

    /// The families of the long-lived graceful restart capability. It counts only beside graceful restart
    /// (RFC 9494 §3.1).
    package var longLivedFamilies: [LongLivedFamily] {
        guard gracefulRestart != nil else { return [] }
        for case .longLivedGracefulRestart(let families) in capabilities.reversed() { return families }
        return []
    }

    /// Whether the sender knows what LLGR_STALE means, and keeps routes long if it is asked to (RFC 9494 §3.1).
    package var hasLongLivedGracefulRestart: Bool {
        gracefulRestart != nil
            && capabilities.contains { if case .longLivedGracefulRestart = $0 { true } else { false } }
    }

    /// Whether the sender understands IPv6 next hops of IPv4 prefixes (RFC 8950).
    package var hasIPv6NextHopsForIPv4: Bool {
        capabilities.contains {
            if case .extendedNextHop(let entries) = $0 { entries.contains(.ipv4OverIPv6) } else { false }
        }
    }

    /// The families of the add-path capability. Of two entries for one family the last counts, and one with another
    /// number than 1 to 3 none (RFC 7911 §4).
    package var addPathFamilies: [AddPathFamily] {
        var byFamily: [AFISAFI: AddPathFamily] = [:]
        for case .addPath(let entries) in capabilities {
            for entry in entries where (1...3).contains(entry.sendReceive) { byFamily[entry.family] = entry }
        }
        return byFamily.values.sorted { $0.family < $1.family }
    }
}
