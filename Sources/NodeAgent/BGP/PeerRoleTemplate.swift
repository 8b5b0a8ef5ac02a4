import BGPSession
import BGPTable
import BGPWire
import NetTypes
import Resources

/// What of a peer's role in the table is known before its session is up.
struct PeerRoleTemplate: Sendable, Equatable {
    /// The AS this node shows.
    var localAS: ASNumber
    /// The own next hop of each family.
    var localNextHops: [AddressFamily: IPAddress]

    /// The role that a session's agreements complete.
    func role(_ negotiated: Negotiated, settings: NodeView.Peer) -> PeerRole {
        var role = PeerRole(
            localAS: localAS, peerAS: negotiated.peerAS, bgpID: negotiated.peerBGPID, peerAddress: settings.address,
            localNextHops: localNextHops.mapValues { NextHop($0) },
            families: Set(negotiated.families.compactMap(\.family)),
            isReflectorClient: settings.isRouteReflectorClient, nextHopMode: nextHopMode(of: settings),
            // RFC 9012 §11 keeps tunnels inside one administration: the own AS, and nodes of this cluster in another.
            carriesTunnelEncapsulation: negotiated.peerAS == localAS || settings.nodeName != nil,
            wireContext: negotiated.wireContext)
        role.takesLongLivedRoutes = negotiated.takesLongLivedRoutes
        update(&role, settings: settings)
        return role
    }

    /// Changes in a role what may change while its session stays.
    func update(_ role: inout PeerRole, settings: NodeView.Peer) {
        role.localNextHops = localNextHops.mapValues { NextHop($0) }
        role.isReflectorClient = settings.isRouteReflectorClient && role.kind == .iBGP
        role.nextHopMode = nextHopMode(of: settings)
        role.importFilter = RouteFilter(
            ipv4: settings.filters.flatMap { $0.importV4.map(RouteFilter.Rule.init) },
            ipv6: settings.filters.flatMap { $0.importV6.map(RouteFilter.Rule.init) })
        role.exportFilter = RouteFilter(
            ipv4: settings.filters.flatMap { $0.exportV4.map(RouteFilter.Rule.init) },
            ipv6: settings.filters.flatMap { $0.exportV6.map(RouteFilter.Rule.init) })
        role.allowedOwnAS = settings.policy.allowedLocalASNumbers
        role.maximumPathsSent = settings.policy.advertisedPaths ?? .max
        role.maximumPrefixes = settings.policy.maximumPrefixes
        // RFC 9012 §11: the attribute stays inside the administration, which ends at the cluster's own nodes.
        role.carriesTunnelEncapsulation =
            role.kind == .iBGP || settings.nodeName != nil || settings.policy.carriesTunnelEncapsulation
    }

    private func nextHopMode(of settings: NodeView.Peer) -> PeerRole.NextHopMode {
        switch settings.nextHopMode {
        case .auto: .automatic
        case .own: .ownAddress
        case .keep: .unchanged
        }
    }
}
