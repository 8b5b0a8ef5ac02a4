import BGPWire
package import NetTypes

// Networks of this node that somebody else announces too, whole or in part.
extension RIB {
    /// This node's exclusive networks, announced or planned, that overlap what somebody else announces, by network.
    package var ownBlockConflicts: [OwnBlockConflict] { ownBlockClaims.filter(\.isProven) }

    /// The same with those of which nothing tells whether they are this node's own announcement that came back.
    ///
    /// - Complexity: O(own networks × prefixes that overlap one)
    package var ownBlockClaims: [OwnBlockConflict] {
        guard !overlapping.isEmpty else { return [] }
        let announced = overlapping.filter { !isAggregate($0) }.sorted()
        let announcedHere = localRoutes.values.lazy.filter(\.isExclusive).map(\.prefix)
        return (planned?.networks ?? []).union(announcedHere).sorted().flatMap { own in
            announced.filter { $0.overlaps(own) }.flatMap { conflicts(over: own, with: $0) }
        }
    }

    /// Says which networks this node is about to announce, and between which pools an aggregate is told from a conflict:
    /// who plans a network hears whether somebody else announces it before he does so himself.
    ///
    /// - Complexity: O(prefixes) if the networks differ
    package mutating func setPlanned(_ networks: [IPPrefix], pools: [IPPrefix]) {
        planned = PlannedNetworks(networks: Set(networks), pools: pools)
        ownNetworksMayHaveChanged()
    }

    /// Takes note of a prefix that has been announced.
    ///
    /// - Returns: whether it is in conflict with an own network, or may be.
    mutating func isContested(by prefix: IPPrefix) -> Bool {
        guard overlapsOwn(prefix) else { return false }
        overlapping.insert(prefix)
        return !isAggregate(prefix) && !conflicts(over: prefix, with: prefix).isEmpty
    }

    /// Forgets a prefix that nobody announces any more.
    mutating func forgetConflict(of prefix: IPPrefix) {
        guard !overlapping.isEmpty, tables[Self.table(of: prefix.family)].prefixes.id(of: prefix) == nil else { return }
        overlapping.remove(prefix)
    }

    /// Own routes have come or gone. Blocks do so rarely: everything is looked at. Of single addresses each looks for
    /// itself.
    mutating func ownNetworksMayHaveChanged() {
        if allOwnNetworks != ownNetworks { lookForOverlaps() }
    }

    private var allOwnNetworks: OwnNetworks {
        let announcedHere = localRoutes.values.lazy.filter { $0.isExclusive && !$0.prefix.isHost }.map(\.prefix)
        return OwnNetworks((planned?.networks ?? []).union(announcedHere))
    }

    private mutating func lookForOverlaps() {
        ownNetworks = allOwnNetworks
        overlapping = []
        for table in tables {
            for id in 0..<table.prefixes.endID where table.prefixes[id].firstRoute != AdjRIBIn.none {
                let prefix = table.prefixes.prefix(of: id)
                if overlapsOwn(prefix) { overlapping.insert(prefix) }
            }
        }
    }

    /// Whether the prefix shares an address with an own network.
    private func overlapsOwn(_ prefix: IPPrefix) -> Bool {
        ownNetworks.overlap(prefix) || localRoutes[prefix]?.isExclusive == true
    }

    /// Whether this node announces the prefix just so, or is about to.
    private func isOwn(_ prefix: IPPrefix) -> Bool {
        localRoutes[prefix] != nil || planned?.networks.contains(prefix) ?? false
    }

    /// Whether the prefix holds a whole pool: it is an aggregate then, made by whoever leads to all the nodes.
    private func isAggregate(_ prefix: IPPrefix) -> Bool {
        if isOwn(prefix) { return false }
        return (planned?.pools ?? importPolicy.pools).contains { prefix.contains($0) }
    }

    private func conflicts(over own: IPPrefix, with prefix: IPPrefix) -> [OwnBlockConflict] {
        let table = tables[Self.table(of: prefix.family)]
        guard let id = table.prefixes.id(of: prefix) else { return [] }
        var found: [OwnBlockConflict] = []
        var index = table.prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            let route = table.routes[index]
            // What the peer's filters have made of it says less.
            let handle = table.originals[index] ?? route.handle
            if let peer = speaker.peers[PeerSlot(route.peer)], let set = speaker.attributes[handle] {
                let announcer = announcer(of: prefix, route, set, from: peer.role)
                let originator = set.attributes.originatorID ?? peer.role.bgpID
                if announcer != .thisNode {
                    found.append(
                        OwnBlockConflict(
                            prefix: own, announced: prefix, peer: peer.id, originator: originator,
                            isProven: announcer == .other))
                }
            }
            index = route.nextOfPrefix
        }
        return found.sorted { $0.peer < $1.peer }
    }

    /// Who announces a network of this node.
    private enum Announcer {
        case thisNode
        /// This node, by way of others that have taken its AS out of the path, or somebody else.
        case unknown
        case other
    }

    /// Whose route it is. What came back to this node is its own, be it refused for that or allowed; whether the policy
    /// would use the route does not matter: the other node announces the network all the same.
    private func announcer(
        of prefix: IPPrefix, _ route: InRoute, _ set: AttributeSet, from role: PeerRole,
    ) -> Announcer {
        switch Ineligibility(rawValue: route.refusal) {
        case .asLoop, .ownOriginatorID, .ownClusterID, .nextHopIsLocal: return .thisNode
        default: break
        }
        let path = set.attributes.asPath
        if speaker.hasBeenHere(path, shownBy: role.localAS) { return .thisNode }
        // What has been outside of the AS may have lost its mark there: a router may put its own AS in the place of the
        // receiver's. A part of a network, or a larger one, does not come back: this node has not announced it.
        if !isOwn(prefix) { return .other }
        if path.isEmpty || role.kind == .eBGP && isOtherNode(role.peerAddress) { return .other }
        return isOfOtherNode(set) ? .other : .unknown
    }

    private func isOtherNode(_ address: IPAddress) -> Bool {
        importPolicy.nodeAddresses.contains(address) && !identity.localAddresses.contains(address)
    }

    /// Whether a route that came by routers is certainly another node's.
    private func isOfOtherNode(_ set: AttributeSet) -> Bool {
        if let egress = set.attributes.tunnelEndpoint?.egress { return isOtherNode(egress) }
        let path = set.attributes.asPath
        if let origin = path.originAS, importPolicy.nodeASes.contains(origin) { return true }
        // A router leaves the next hop alone that is in its own network. That of a node which passes on what it has heard
        // itself says nothing: with sessions inside the AS it may have heard it there, without them by one more router.
        guard let nextHop = set.nextHop?.address, path.length <= 2, !speaker.peers.hasInternal else { return false }
        return isOtherNode(nextHop)
    }
}

/// The networks that a node is about to announce, announced already or not, and the pools of then.
struct PlannedNetworks: Sendable {
    var networks: Set<IPPrefix>
    var pools: [IPPrefix]
}

/// Networks without those that lie in another of them, so that one look tells whether a prefix overlaps any.
struct OwnNetworks: Sendable, Equatable {
    private var networks: [IPPrefix] = []

    /// Keeps the outermost.
    init(_ prefixes: some Sequence<IPPrefix> = []) {
        // A network comes before what lies in it.
        for prefix in prefixes.sorted() {
            if let last = networks.last, last.contains(prefix) { continue }
            networks.append(prefix)
        }
    }

    /// Whether a network and the prefix share an address.
    ///
    /// - Complexity: O(log networks)
    func overlap(_ prefix: IPPrefix) -> Bool {
        var (low, high) = (0, networks.count)
        while low < high {
            let middle = (low + high) / 2
            if prefix < networks[middle] { high = middle } else { low = middle + 1 }
        }
        // They are apart: what holds the prefix is the last before it, what lies in it the first after.
        if low > 0, networks[low - 1].contains(prefix) { return true }
        return low < networks.count && prefix.contains(networks[low])
    }
}
