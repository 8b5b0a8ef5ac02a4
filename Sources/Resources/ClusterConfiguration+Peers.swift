import NetTypes

/// How the peers of a node follow from the resources: first the BGPPeers of the node, then the global ones, then the
/// mesh; an address that occurs again later is left out.
extension ClusterConfiguration {
    func peers(of node: Node) -> (peers: [NodeView.Peer], warnings: [String]) {
        var byAddress: [IPAddress: NodeView.Peer] = [:]
        var warnings: [String] = []
        let explicit = self.peers.flatMap { sessions(of: $0, at: node) }
        let ranked = explicit.filter { $0.kind == .nodeSpecific } + explicit.filter { $0.kind == .global }
        for peer in ranked {
            guard let known = byAddress[peer.address] else {
                byAddress[peer.address] = peer
                continue
            }
            var sameSession = peer
            sameSession.kind = known.kind
            sameSession.resourceName = known.resourceName
            if sameSession != known {
                warnings.append(
                    "BGPPeer/\(known.resourceName ?? "") and BGPPeer/\(peer.resourceName ?? "") name the same peer, "
                        + "\(peer.address), and differ; the first is used")
            }
        }
        for peer in meshPeers(of: node) where byAddress[peer.address] == nil {
            byAddress[peer.address] = peer
        }
        // A session whose password is not to be had does not come up without one.
        for peer in byAddress.values where peer.session.password != nil && peer.password == nil {
            byAddress[peer.address] = nil
            warnings.append("peer \(peer.address) is left out: its password cannot be read")
        }
        return (byAddress.values.sorted { $0.address < $1.address }, warnings.sorted())
    }

    /// Every other node that is no route reflector, one session for each family that both have; none at all on a
    /// route reflector, whose sessions are all explicit.
    private func meshPeers(of node: Node) -> [NodeView.Peer] {
        guard isMeshEnabled, node.routeReflectorClusterID == nil else { return [] }
        return nodes.filter { $0.name != node.name && $0.routeReflectorClusterID == nil }.flatMap {
            sessions(with: $0, at: node, kind: .mesh, resource: nil)
        }
    }

    /// The sessions that one BGPPeer means for `node`.
    private func sessions(of peer: BGPPeer, at node: Node) -> [NodeView.Peer] {
        let kind: NodeView.Peer.Kind = peer.scope == .global ? .global : .nodeSpecific
        let isSelected = peer.scope.selects(node)
        switch peer.remote {
        case .address(let address, let port, let asNumber):
            guard isSelected, !node.addresses.contains(where: { $0.address == address }) else { return [] }
            let remote = nodes.first { $0.addresses.contains { $0.address == address } }
            // A node says itself where it listens.
            let usual = remote.map { listenPort(of: $0.name) } ?? BGPConfiguration.defaultListenPort
            return [
                session(with: (address, port ?? usual, asNumber), node: remote, at: node, kind: kind, resource: peer)
            ]
        case .peerSelector(let selector, let isReversed):
            let isPeer = isReversed && selector.matches(node.labels)
            return nodes.filter { other in
                other.name != node.name
                    && (isSelected && selector.matches(other.labels) || isPeer && peer.scope.selects(other))
            }.flatMap { sessions(with: $0, at: node, kind: kind, resource: peer) }
        }
    }

    /// The sessions from `node` to another node, one for each family that both have an address of.
    private func sessions(
        with other: Node, at node: Node, kind: NodeView.Peer.Kind, resource: BGPPeer?,
    ) -> [NodeView.Peer] {
        AddressFamily.allCases.compactMap { family in
            guard let remote = other.address(family)?.address, node.address(family) != nil else { return nil }
            return session(
                with: (remote, listenPort(of: other.name), other.asNumber ?? asNumber), node: other, at: node,
                kind: kind, resource: resource)
        }
    }

    private func session(
        with remote: (address: IPAddress, port: UInt16, asNumber: ASNumber), node other: Node?, at node: Node,
        kind: NodeView.Peer.Kind, resource: BGPPeer?,
    ) -> NodeView.Peer {
        let options = resource?.session ?? meshSession
        let isInternal = remote.asNumber == options.localASNumber ?? node.asNumber ?? asNumber
        let clusterID = node.routeReflectorClusterID
        var peer = NodeView.Peer(
            address: remote.address, port: remote.port, asNumber: remote.asNumber, kind: kind,
            nodeName: other?.name, resourceName: resource?.name,
            localAddress: options.usesNodeAddress ? node.address(remote.address.family)?.address : nil,
            isRouteReflectorClient: isInternal && clusterID != nil && other?.routeReflectorClusterID != clusterID,
            nextHopMode: resource?.nextHopMode ?? .auto, keepaliveTime: resource?.keepaliveTime,
            maxRestartTime: resource.map { $0.maxRestartTime ?? BGPConfiguration.defaultMaxRestartTime }
                ?? meshMaxRestartTime,
            session: options, policy: resource?.policy ?? PeerPolicy(),
            filters: (resource?.policy.filters ?? []).compactMap { name in filters.first { $0.name == name } },
            password: options.password.flatMap { secrets[$0] },
        )
        peer.setLongLivedRestart(isClient: isInternal && clusterID == nil && other?.routeReflectorClusterID != nil)
        return peer
    }
}

extension NodeView.Peer {
    /// A reflector is not on the way of any packet: what it said is as good when it is gone, and its clients keep it. What
    /// a client said goes with the client.
    fileprivate mutating func setLongLivedRestart(isClient: Bool) {
        let isReflector = isRouteReflectorClient
        longLivedStaleTime =
            session.longLivedStaleTime ?? (isReflector ? BGPConfiguration.defaultLongLivedStaleTime : .zero)
        keepsLongLivedRoutes = session.longLivedStaleTime.map { $0 > .zero } ?? isClient
    }
}

extension BGPPeer.Scope {
    /// Whether the node has the session.
    func selects(_ node: Node) -> Bool {
        switch self {
        case .global: true
        case .node(let name): name == node.name
        case .nodeSelector(let selector): selector.matches(node.labels)
        }
    }
}
