import BGPWire
import NetTypes

// Multipath: the routes to one prefix that packets may take as well as the best one.
extension FamilyTable {
    /// The most ways to one prefix, as many as BIRD merges.
    static let maximumWays = 16

    /// The best route to a prefix and those that are as good, each by another next hop, in the order of the next hops;
    /// none for a prefix without a route, the best alone for one of this node.
    ///
    /// - Complexity: O(routes to the prefix), and O(n log n) of those that are as good
    func ways(to id: UInt32, speaker: borrowing Speaker) -> [UInt32] {
        let best = prefixes[id].best
        guard best != AdjRIBIn.none else { return [] }
        guard hasSeveralRoutes(id), PeerSlot(routes[best].peer) != PeerTable.local else { return [best] }
        let rank = rank(of: best, speaker: speaker)
        var equal: [(index: UInt32, rank: RouteRank)] = []
        var index = prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            let route = routes[index]
            if route.refusal == 0, index != best {
                let other = self.rank(of: index, speaker: speaker)
                if DecisionProcess.isEqual(other, rank) { equal.append((index, other)) }
            }
            index = route.nextOfPrefix
        }
        if equal.isEmpty { return [best] }
        // Step (c) holds between any two of one neighbouring AS, not against the best alone.
        var lowest = LowestMEDs()
        for candidate in equal { lowest.insert(candidate.rank) }
        let standing = equal.filter { !lowest.rulesOut($0.rank) }
        // The better of two by one next hop counts.
        let sorted = standing.sorted { DecisionProcess.isBetter($0.rank, $1.rank) }
        return distinct([best] + sorted.map(\.index), speaker: speaker)
    }

    /// Whether there is more than one route to a prefix that has any.
    func hasSeveralRoutes(_ id: UInt32) -> Bool {
        let first = prefixes[id].firstRoute
        return first != AdjRIBIn.none && routes[first].nextOfPrefix != AdjRIBIn.none
    }

    /// One route for each next hop, the first of them; in the order of the next hops, of which the first route's stays.
    private func distinct(_ indices: [UInt32], speaker: borrowing Speaker) -> [UInt32] {
        var chosen: [(nextHop: IPAddress, index: UInt32)] = []
        var nextHops: Set<IPAddress> = []
        for index in indices {
            guard let nextHop = speaker.attributes[routes[index].handle]?.nextHop?.address,
                nextHops.insert(nextHop).inserted
            else { continue }
            chosen.append((nextHop, index))
        }
        let kept = chosen.prefix(1) + chosen.dropFirst().sorted { $0.nextHop < $1.nextHop }.prefix(Self.maximumWays - 1)
        return kept.sorted { $0.nextHop < $1.nextHop }.map(\.index)
    }
}
