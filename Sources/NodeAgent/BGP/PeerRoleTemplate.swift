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
        PeerRole(
            localAS: localAS, peerAS: negotiated.peerAS, bgpID: negotiated.peerBGPID, peerAddress: settings.address,
            localNextHops: localNextHops.mapValues { NextHop($0) },
            families: Set(negotiated.families.compactMap(\.family)),
            isReflectorClient: settings.isRouteReflectorClient, nextHopMode: nextHopMode(of: settings),
            // RFC 9012 §11 keeps tunnels inside one administration: the own AS, and nodes of this cluster in another.
            carriesTunnelEncapsulation: negotiated.peerAS == localAS || settings.nodeName != nil,
            wireContext: negotiated.wireContext)
    }

    /// Changes in a role what may change while its session stays.
    func update(_ role: inout PeerRole, settings: NodeView.Peer) {
        role.isReflectorClient = settings.isRouteReflectorClient && role.kind == .iBGP
        role.nextHopMode = nextHopMode(of: settings)
    }

    private func nextHopMode(of settings: NodeView.Peer) -> PeerRole.NextHopMode {
        switch settings.nextHopMode {
        case .auto: .automatic
        case .own: .ownAddress
        case .keep: .unchanged
        }
    }
}
