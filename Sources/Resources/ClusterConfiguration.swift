package import NetTypes

/// The resources of a cluster as one consistent whole, and what they mean for each node.
///
/// A pure value: two equal configurations need nothing to be done.
package struct ClusterConfiguration: Sendable, Equatable {
    /// The pools, by name.
    package internal(set) var pools: [IPPool]
    /// The nodes, by name.
    package internal(set) var nodes: [Node]
    /// The sessions beside the mesh, by name.
    package private(set) var peers: [BGPPeer]
    /// The ownership of blocks, by block.
    package let affinities: [BlockAffinity]
    /// The BGP settings, by name: `default` and `node.NAME`.
    package let bgpConfigurations: [BGPConfiguration]
    /// The settings of the tunnels, by name: `default` and `node.NAME`.
    package internal(set) var felixConfigurations: [FelixConfiguration]

    /// The filters, by name.
    package var filters: [BGPFilter] = []

    /// The reservations, by name.
    package var reservations: [IPReservation] = []

    /// The passwords that could be read.
    package var secrets: [SecretReference: Secret] = [:]

    /// Makes a configuration; an empty one has the defaults and nothing else.
    package init(
        pools: [IPPool] = [], nodes: [Node] = [], peers: [BGPPeer] = [], affinities: [BlockAffinity] = [],
        bgpConfigurations: [BGPConfiguration] = [], felixConfigurations: [FelixConfiguration] = [],
    ) {
        self.pools = pools.sorted { $0.name < $1.name }
        self.nodes = nodes.sorted { $0.name < $1.name }
        self.peers = peers.sorted { $0.name < $1.name }
        self.affinities = affinities.sorted { ($0.cidr, $0.name) < ($1.cidr, $1.name) }
        self.bgpConfigurations = bgpConfigurations.sorted { $0.name < $1.name }
        self.felixConfigurations = felixConfigurations.sorted { $0.name < $1.name }
    }

    /// Leaves out settings that are refused for a reason that only their reader can see.
    package mutating func remove(_ refused: FelixConfiguration) {
        felixConfigurations.removeAll { $0.name == refused.name }
    }

    /// Leaves out the nodes and peers of these names, as `Kind/name`: what conflicts refuse.
    mutating func remove(_ refused: Set<String>) {
        nodes.removeAll { refused.contains(ResourceValue.node($0).identity) }
        peers.removeAll { refused.contains(ResourceValue.bgpPeer($0).identity) }
    }

    /// The AS number of nodes that name none.
    package var asNumber: ASNumber { settings("default")?.asNumber ?? BGPConfiguration.defaultASNumber }

    /// Whether all nodes peer with each other.
    package var isMeshEnabled: Bool { settings("default")?.nodeToNodeMeshEnabled ?? true }

    /// How long the mesh keeps the routes of a node that restarts.
    package var meshMaxRestartTime: Duration {
        settings("default")?.nodeMeshMaxRestartTime ?? BGPConfiguration.defaultMaxRestartTime
    }

    /// The passwords that resources name, each with those resources and fields.
    package var secretReferences: [(reference: SecretReference, resource: String, field: String)] {
        peers.compactMap { peer in peer.session.password.map { ($0, "BGPPeer/\(peer.name)", "spec.password") } }
            + bgpConfigurations.compactMap { settings in
                settings.nodeMeshPassword.map { ($0, "BGPConfiguration/\(settings.name)", "spec.nodeMeshPassword") }
            }
    }

    /// What concerns the mesh's sessions themselves.
    var meshSession: SessionOptions {
        var options = SessionOptions()
        options.password = settings("default")?.nodeMeshPassword
        options.bfd = settings("default")?.nodeMeshBFD
        return options
    }

    /// The communities for what the node of this name announces.
    package func prefixAdvertisements(of node: String) -> [PrefixAdvertisement] {
        settings("node.\(node)")?.prefixAdvertisements ?? settings("default")?.prefixAdvertisements ?? []
    }

    /// The port that the node of this name listens on.
    package func listenPort(of node: String) -> UInt16 {
        settings("node.\(node)")?.listenPort ?? settings("default")?.listenPort
            ?? BGPConfiguration.defaultListenPort
    }

    /// Whether the node of this name accepts peers at every address that it has.
    package func listensEverywhere(_ node: String) -> Bool {
        (settings("node.\(node)")?.bindMode ?? settings("default")?.bindMode) == BGPConfiguration.BindMode.none
    }

    /// Whether learned routes go into the kernel of the node of this name.
    package func programsRoutes(of node: String) -> Bool {
        let setting = settings("node.\(node)")?.programClusterRoutes ?? settings("default")?.programClusterRoutes
        return setting != .disabled
    }

    /// The tunnels' settings for the node of this name: what its own resource says, then the cluster's.
    package func felixConfiguration(of node: String) -> FelixConfiguration {
        let cluster = felixConfigurations.first { $0.name == "default" } ?? FelixConfiguration()
        guard let own = felixConfigurations.first(where: { $0.name == "node.\(node)" }) else { return cluster }
        return own.completed(by: cluster)
    }

    /// The node of this name.
    package func node(_ name: String) -> Node? { nodes.first { $0.name == name } }

    private func settings(_ name: String) -> BGPConfiguration? { bgpConfigurations.first { $0.name == name } }
}
