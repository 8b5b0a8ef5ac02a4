import BGPTable
import NetTypes

// The routes, for display.
extension Speaker {
    /// The routes of the table, all or those within a prefix, of all peers or of one. They are looked up in a copy,
    /// elsewhere: the sessions do not wait.
    @concurrent
    nonisolated func allRoutes(within range: IPPrefix? = nil, from peer: PeerID? = nil) async -> [RouteView] {
        guard let rib = await rib else { return [] }
        return AddressFamily.allCases.flatMap { rib.routes(of: $0, within: range, from: peer) }
    }

    /// The best routes of the table, each with those that are used beside it.
    @concurrent
    nonisolated func bestRoutes() async -> [RouteView] { await allRoutes().filter { $0.isBest || $0.isWay } }

    /// The routes to one prefix.
    func routes(to prefix: IPPrefix) -> [RouteView] { rib?.routes(to: prefix) ?? [] }

    /// What a peer has been told, all or what lies within a prefix; looked up in a copy, too.
    @concurrent
    nonisolated func advertised(to id: PeerID, within range: IPPrefix?) async -> [AdvertisedRoute] {
        guard let rib = await rib else { return [] }
        return rib.advertised(to: id, within: range)
    }

    /// The peers that have been told of a prefix.
    func peersTold(of prefix: IPPrefix) -> [IPAddress] {
        peers.values.filter { rib?.hasAdvertised(prefix, to: $0.id) ?? false }.map(\.address).sorted()
    }

    /// The peer at an address.
    func peerID(at address: IPAddress) -> PeerID? { peers.first { $0.value.address == address }?.key }

    /// The addresses of all peers.
    func peerAddresses() -> [PeerID: IPAddress] { peers.mapValues(\.address) }
}
