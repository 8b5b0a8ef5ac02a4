import BGPSession
import BGPTable
import NetTypes
import Resources

/// Which peers have said everything they know.
struct Reception: Sendable, Equatable {
    struct Peer: Sendable, Equatable {
        /// The peer's address.
        var address: IPAddress
        /// The families whose End-of-RIB has come in the session that is up.
        var complete: Set<AddressFamily>
    }

    var peers: [Peer]

    /// Whether a route to `prefix` through `gateways`, which was in the kernel before this process, is announced by
    /// nobody: every peer that could carry it has sent its End-of-RIB and the table has not chosen it.
    ///
    /// A node announces its own blocks with its own address as next hop, so where a gateway is a peer, only that peer
    /// is asked. Any other gateway may come from any peer; then all must have spoken. Where there is no peer nobody has
    /// said anything: the peers may be in a part of the configuration that is yet to come.
    func isDisowned(_ prefix: IPPrefix, gateways: [IPAddress]) -> Bool {
        let senders = peers.filter { gateways.contains($0.address) }
        let asked = senders.isEmpty ? peers : senders
        return !asked.isEmpty && asked.allSatisfy { $0.complete.contains(prefix.family) }
    }
}

/// A peer as people want to see it.
struct PeerReport: Sendable {
    var settings: NodeView.Peer
    var session: SessionStatus
    var table: PeerRIBStatus?
}
