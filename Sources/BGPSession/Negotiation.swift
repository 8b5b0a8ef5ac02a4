import BGPWire
import NetTypes

/// The OPEN this speaker sends and what follows from the one that comes back.
struct Negotiation {
    let configuration: PeerConfiguration

    /// The OPEN to send. `isRestarting` is the R bit, `isForwardingPreserved` the F bit of every family.
    func open(isRestarting: Bool, isForwardingPreserved: Bool) -> OpenMessage {
        var capabilities: [Capability] = configuration.families.map { .multiprotocol($0) }
        capabilities += [.routeRefresh, .enhancedRouteRefresh]
        if configuration.offersExtendedMessages { capabilities.append(.extendedMessage) }
        let pathIDs: UInt8 = (configuration.offersPathIDs ? 2 : 0) | (configuration.takesPathIDs ? 1 : 0)
        if pathIDs != 0 {
            let families = configuration.families.map { AddPathFamily(family: $0, sendReceive: pathIDs) }
            capabilities.append(.addPath(families))
        }
        if configuration.offersExtendedNextHop { capabilities.append(.extendedNextHop([.ipv4OverIPv6])) }
        if let restart = configuration.gracefulRestart {
            capabilities.append(
                .gracefulRestart(
                    GracefulRestart(
                        isRestarting: isRestarting,
                        notification: restart.coversNotifications,
                        restartTime: restart.restartTimeSeconds,
                        families: configuration.families.map {
                            GracefulRestart.Family($0, forwardingPreserved: isForwardingPreserved)
                        })))
            let staleTime = configuration.longLivedRestart.staleTimeSeconds
            let isPreserved = isForwardingPreserved || configuration.longLivedRestart.isForwardingPreserved
            // Without families it says that LLGR_STALE is understood, and asks for nothing.
            capabilities.append(
                .longLivedGracefulRestart(
                    staleTime == 0
                        ? []
                        : configuration.families.map {
                            LongLivedFamily($0, forwardingPreserved: isPreserved, staleTime: staleTime)
                        }))
        }
        capabilities.append(.fourOctetAS(configuration.localAS))
        return OpenMessage(
            asNumber: configuration.localAS,
            holdTime: configuration.holdTimeSeconds,
            bgpID: configuration.bgpID,
            capabilities: capabilities)
    }

    /// What both sides agree on, given the peer's OPEN.
    ///
    /// What an OPEN may not say to anybody (version, AS 0, Hold Time 1) was refused when it was decoded; here it is held
    /// against the configuration.
    ///
    /// - Throws: `BGPError` with the NOTIFICATION to send (RFC 4271 §6.2, RFC 6286 §2.2, RFC 5492 §3).
    func agree(on open: OpenMessage, connection: ConnectionID) throws(BGPError) -> Negotiated {
        try check(open)
        let offered = open.families
        let families = configuration.families.filter { offered.contains($0) }
        guard !families.isEmpty else {
            throw BGPError(
                NotificationCode.openMessage, OpenSubcode.unsupportedCapability,
                data: configuration.families.flatMap { [1, 4, UInt8($0.afi >> 8), UInt8($0.afi & 0xFF), 0, $0.safi] },
                "no common address family: the peer offers \(list(offered)), wanted is \(list(configuration.families))")
        }
        let holdTime = Duration.seconds(Int(min(open.holdTime, configuration.holdTimeSeconds)))
        // The capability binds only where both sides sent it (RFC 5492 §3).
        let restart = configuration.gracefulRestart == nil ? nil : open.gracefulRestart
        return Negotiated(
            connection: connection,
            peerAS: open.asNumber,
            peerBGPID: open.bgpID,
            isIBGP: configuration.isIBGP,
            holdTime: holdTime,
            keepaliveInterval: keepaliveInterval(for: holdTime),
            families: families,
            hasFourOctetAS: open.hasFourOctetAS,
            hasRouteRefresh: open.hasRouteRefresh,
            hasEnhancedRouteRefresh: open.hasRouteRefresh && open.hasEnhancedRouteRefresh,
            hasExtendedMessages: open.hasExtendedMessage && configuration.offersExtendedMessages,
            familiesWithPathIDs: configuration.offersPathIDs ? pathIDFamilies(of: open, among: families) : [],
            familiesTakenWithPathIDs: configuration.takesPathIDs
                ? families.filter { family in open.addPathFamilies.contains { $0.family == family && $0.sends } } : [],
            hasExtendedNextHop: configuration.offersExtendedNextHop && open.hasIPv6NextHopsForIPv4,
            takesLongLivedRoutes: restart != nil && open.hasLongLivedGracefulRestart,
            keptLong: restart == nil || !configuration.longLivedRestart.keepsRoutes
                ? [] : open.longLivedFamilies.filter { $0.staleTime > 0 && families.contains($0.family) },
            peerGracefulRestart: restart,
            keepsRoutesOnNotification: (restart?.notification ?? false)
                && (configuration.gracefulRestart?.coversNotifications ?? false))
    }

    /// The families in which the peer takes path identifiers (RFC 7911 §4).
    private func pathIDFamilies(of open: OpenMessage, among families: [AFISAFI]) -> [AFISAFI] {
        let takes = open.addPathFamilies.filter(\.receives).map(\.family)
        return families.filter { takes.contains($0) }
    }

    /// A third of the Hold Time (RFC 4271 §10), or less if the configuration says so, but a second at least (§4.4).
    private func keepaliveInterval(for holdTime: Duration) -> Duration {
        guard let wanted = configuration.keepaliveInterval, wanted > .zero else { return holdTime / 3 }
        return min(max(wanted, .seconds(1)), holdTime / 3)
    }

    private func check(_ open: OpenMessage) throws(BGPError) {
        guard open.asNumber == configuration.peerAS else {
            throw BGPError(
                NotificationCode.openMessage, OpenSubcode.badPeerAS,
                "bad peer AS \(open.asNumber), expected \(configuration.peerAS)")
        }
        // Across ASes two speakers may bear the same identifier (RFC 6286 §2.2).
        guard !configuration.isIBGP || open.bgpID != configuration.bgpID else {
            throw BGPError(
                NotificationCode.openMessage, OpenSubcode.badBGPIdentifier,
                "the peer has this speaker's own BGP identifier \(open.bgpID)")
        }
    }

    /// Whether this speaker is the one whose connections survive a collision (RFC 4271 §6.8, RFC 6286 §2.3).
    func isDominant(over peer: Negotiated) -> Bool {
        (configuration.bgpID, configuration.localAS) > (peer.peerBGPID, peer.peerAS)
    }

    private func list(_ families: [AFISAFI]) -> String {
        families.map(\.description).joined(separator: ", ")
    }
}

extension Negotiated {
    /// The families whose routes stay when the session ends (RFC 4724 §4.2): agreed on, and named by the peer.
    func keptFamilies() -> [AFISAFI] {
        guard let restart = peerGracefulRestart else { return [] }
        return families.filter { family in
            restart.restartTime > 0 && restart.families.contains { $0.family == family }
                || keptLong.contains { $0.family == family }
        }
    }

    /// Whether the peer says that it kept forwarding for a family meanwhile (the F bit).
    func hasPreservedForwarding(_ family: AFISAFI) -> Bool {
        peerGracefulRestart?.families.contains { $0.family == family && $0.forwardingPreserved } ?? false
            || keptLong.contains { $0.family == family && $0.forwardingPreserved }
    }
}
