package import NetTypes

/// What the cluster's configuration means for one node.
package struct NodeView: Sendable, Equatable {
    /// A block that an affinity gives to the node.
    package struct OwnedBlock: Sendable, Hashable {
        /// The block.
        package var cidr: IPPrefix
        /// The pool it lies in; nil when there is none: then it is neither allocated from nor announced.
        package var pool: IPPool?
        /// Whether new addresses may be taken from it: false for a block that is in conflict, being given up, in a
        /// disabled pool, in a pool that does not select the node, or in none.
        package var isOpen: Bool
        /// Why two resources contradict each other about the block, naming both (CNI error 101); nil when none do.
        package var conflict: String?

        /// Whether BGP announces the block.
        package var isAnnounced: Bool { pool.map { !$0.disableBGPExport } ?? false }
    }

    /// The node itself.
    package var node: Node
    /// The AS it speaks for.
    package var asNumber: ASNumber
    /// The port it listens on.
    package var listenPort: UInt16
    /// Whether it listens at every address that it has, not at those of its Node resource alone.
    package var listensEverywhere = false
    /// Whether learned routes go into its kernel.
    package var programsRoutes = true
    /// All pools of the cluster, by name. A route is imported only inside one of them.
    package var pools: [IPPool]
    /// Its blocks, by address.
    package var blocks: [OwnedBlock]
    /// Its BGP peers, by address; an address occurs once.
    package var peers: [Peer]
    /// The communities for what it announces.
    package var prefixAdvertisements: [PrefixAdvertisement] = []
    /// All nodes of the cluster, by name, this one among them.
    package var nodes: [Node]
    /// The ASes that they speak for.
    package var nodeASNumbers: Set<ASNumber>
    /// The settings of its tunnels.
    package var felix = FelixConfiguration()
    /// What is worth a line in the log, such as two BGPPeers for one address.
    package var warnings: [String]
}

extension NodeView {
    /// A BGP session that the node is to have.
    package struct Peer: Sendable, Hashable {
        /// Where the session comes from; the raw value is the PEER TYPE of `node status`.
        package enum Kind: String, Sendable, Hashable {
            case mesh = "node-to-node mesh"
            case nodeSpecific = "node specific"
            case global = "global"
        }

        /// The peer's address.
        package var address: IPAddress
        /// The peer's TCP port.
        package var port: UInt16
        /// The AS that the peer must name in its OPEN.
        package var asNumber: ASNumber
        /// Where the session comes from.
        package var kind: Kind
        /// The Node at that address, where one is known.
        package var nodeName: String?
        /// The BGPPeer resource; nil in the mesh.
        package var resourceName: String?
        /// The own address to connect from and to accept on; nil when the node has none of the peer's family.
        package var localAddress: IPAddress?
        /// Whether this node reflects routes to the peer as to a client (RFC 4456 §6).
        package var isRouteReflectorClient: Bool
        /// The next hop of what is sent.
        package var nextHopMode: BGPPeer.NextHopMode
        /// The interval of KEEPALIVEs; nil: a third of the hold time.
        package var keepaliveTime: Duration?
        /// How long the peer's routes are kept while it restarts.
        package var maxRestartTime: Duration
        /// How long beyond the restart time the peer is asked to keep this node's routes (RFC 9494).
        package var longLivedStaleTime: Duration = .zero
        /// Whether the peer's routes are kept so long as it asks.
        package var keepsLongLivedRoutes = false
        /// What concerns the session itself.
        package var session = SessionOptions()
        /// What concerns the routes to and from the peer.
        package var policy = PeerPolicy()
        /// The filters that `policy` names, in its order; those that exist.
        package var filters: [BGPFilter] = []
        /// The password that `session` names.
        package var password: Secret?

        /// The peer without what can be changed while its session stays: policy, names and BFD. The paths that it has
        /// been sent have identifiers of their own, which a smaller number of them would leave behind.
        package var identity: Peer {
            var identity = self
            identity.kind = .mesh
            identity.nodeName = nil
            identity.resourceName = nil
            identity.isRouteReflectorClient = false
            identity.nextHopMode = .auto
            identity.policy = PeerPolicy()
            identity.policy.advertisedPaths = policy.advertisedPaths
            identity.filters = []
            identity.session = session.identity
            return identity
        }
    }
}
