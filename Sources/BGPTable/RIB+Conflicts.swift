import BGPWire
package import NetTypes

// Networks of this node that somebody else announces too, whole or in part.
extension RIB {
    /// This node's exclusive networks, announced or planned, that overlap what somebody else announces, by network.
    ///
    /// - Complexity: O(own networks × prefixes that overlap one)
    package var ownBlockConflicts: [OwnBlockConflict] {
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
    /// - Returns: whether it is in conflict with an own network.
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

    /// Whether the prefix holds a whole pool: it is an aggregate then, made by whoever leads to all the nodes.
    private func isAggregate(_ prefix: IPPrefix) -> Bool {
        if localRoutes[prefix] != nil || planned?.networks.contains(prefix) ?? false { return false }
        return (planned?.pools ?? importPolicy.pools).contains { prefix.contains($0) }
    }

    private func conflicts(over own: IPPrefix, with prefix: IPPrefix) -> [OwnBlockConflict] {
        let table = tables[Self.table(of: prefix.family)]
        guard let id = table.prefixes.id(of: prefix) else { return [] }
        var found: [OwnBlockConflict] = []
        var index = table.prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            let route = table.routes[index]
            if let peer = speaker.peers[PeerSlot(route.peer)], let set = speaker.attributes[route.handle],
                Self.isForeign(route)
            {
                let originator = set.attributes.originatorID ?? peer.role.bgpID
                found.append(
                    OwnBlockConflict(prefix: own, announced: prefix, peer: peer.id, originator: originator))
            }
            index = route.nextOfPrefix
        }
        return found.sorted { $0.peer < $1.peer }
    }

    /// Whether the route is truly somebody else's. What came back to this node in a loop is its own; whether the
    /// policy would use the route does not matter: the other node announces the network all the same.
    private static func isForeign(_ route: InRoute) -> Bool {
        switch Ineligibility(rawValue: route.refusal) {
        case .asLoop, .ownOriginatorID, .ownClusterID, .nextHopIsLocal: false
        default: true
        }
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
