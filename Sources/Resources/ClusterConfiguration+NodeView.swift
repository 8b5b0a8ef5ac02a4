package import NetTypes

extension ClusterConfiguration {
    /// What the configuration means for the node of this name; nil when there is no such Node.
    package func view(of name: String) -> NodeView? {
        guard let node = node(name) else { return nil }
        let (peers, warnings) = peers(of: node)
        return NodeView(
            node: node, asNumber: node.asNumber ?? asNumber, listenPort: listenPort(of: name),
            listensEverywhere: listensEverywhere(name),
            programsRoutes: programsRoutes(of: name), pools: pools, blocks: blocks(of: node), peers: peers,
            prefixAdvertisements: prefixAdvertisements(of: name), nodes: nodes,
            nodeASNumbers: Set(nodes.map { $0.asNumber ?? asNumber }), felix: felixConfiguration(of: name),
            warnings: warnings + strayBlocks(of: node) + strangers + homeless,
        )
    }

    /// The blocks that affinities give to the node, with every contradiction about them.
    private func blocks(of node: Node) -> [NodeView.OwnedBlock] {
        affinities.filter { $0.node == node.name }.map { affinity in
            let pool = pool(of: affinity.cidr)
            let conflict = conflict(about: affinity)
            let isUsable = pool.map { !$0.isDisabled && $0.nodeSelector.matches(node.labels) } ?? false
            return NodeView.OwnedBlock(
                cidr: affinity.cidr, pool: pool,
                isOpen: isUsable && conflict == nil && affinity.state == .confirmed,
                conflict: conflict,
            )
        }
    }

    /// The pool that a block lies in; of overlapping pools the narrowest.
    package func pool(of block: IPPrefix) -> IPPool? {
        pools.narrowest(around: block)
    }

    /// Why `affinity` must not be allocated from, naming both sides; nil when nothing speaks against it.
    private func conflict(about affinity: BlockAffinity) -> String? {
        if let other = affinities.first(where: { $0.name != affinity.name && $0.cidr.overlaps(affinity.cidr) }) {
            return "block \(affinity.cidr) of BlockAffinity/\(affinity.name) (node \(affinity.node)) overlaps "
                + "\(other.cidr) of BlockAffinity/\(other.name) (node \(other.node))"
        }
        return pools.dispute(over: affinity.cidr)
    }

    /// Nodes that are named and not there; most often a name that is misspelt.
    private var strangers: [String] {
        let known = Set(nodes.map(\.name))
        let peersOfNobody = peers.compactMap { peer -> String? in
            guard case .node(let name) = peer.scope, !known.contains(name) else { return nil }
            return "there is no Node/\(name), to which BGPPeer/\(peer.name) gives a peer"
        }
        let stray = Dictionary(grouping: affinities.filter { !known.contains($0.node) }, by: \.node)
        let ownersThatAreNot = stray.sorted { $0.key < $1.key }.map { name, affinities in
            "there is no Node/\(name), to which BlockAffinity/\(affinities[0].name) gives \(affinities[0].cidr)"
        }
        let settings =
            bgpConfigurations.map { ("BGPConfiguration", $0.name) }
            + felixConfigurations.map { ("FelixConfiguration", $0.name) }
        let settingsOfNobody = settings.compactMap { kind, resource -> String? in
            guard resource.hasPrefix("node."), !known.contains(String(resource.dropFirst(5))) else { return nil }
            return "there is no Node/\(resource.dropFirst(5)), of which \(kind)/\(resource) has settings"
        }
        return ownersThatAreNot + peersOfNobody + settingsOfNobody
    }

    /// Nodes that are nowhere: there is no session with them and no way to their blocks.
    private var homeless: [String] {
        nodes.filter(\.addresses.isEmpty).map { node in
            "Node/\(node.name) has no address, so no node has a session with it or a way to its blocks; give it "
                + "spec.bgp.ipv4Address, ipv6Address or an InternalIP"
        }
    }

    private func strayBlocks(of node: Node) -> [String] {
        affinities.filter { $0.node == node.name && pool(of: $0.cidr) == nil }.map {
            "BlockAffinity/\($0.name): block \($0.cidr) lies in no IPPool; it gives no address, and is announced only "
                + "while pods live in it"
        }
    }
}
