import BGPWire
import NetTypes

// What takes long is done in slices, so that nothing else waits for it: a new look at every route, and the removal of
// a peer's routes by the hundred thousand. What comes in between is judged and chosen as it will be in the end.
extension FamilyTable {
    /// Whether a new look, a sweep or the trimming of the log is under way.
    var hasSlicesLeft: Bool { reviewPosition != nil || !routes.sweeps.isEmpty || isTrimLeft }

    /// Begins a new look at every learned route: the policy, the identity or the reach of next hops has changed.
    mutating func beginReview() { reviewPosition = 0 }

    /// Goes on with the new look at the routes of at most `budget` prefixes, and takes from the budget what it used.
    mutating func review(budget: inout Int, speaker: inout Speaker) {
        guard var id = reviewPosition else { return }
        var judge = Judge(family: family)
        while budget > 0, id < prefixes.endID {
            review(id, judge: &judge, speaker: &speaker)
            budget -= 1
            id += 1
        }
        reviewPosition = id < prefixes.endID ? id : nil
    }

    /// Marks the peer's routes as those of a session that is lost, or as fresh.
    mutating func markAllStale(_ slot: PeerSlot, _ isStale: Bool = true) {
        var index = routes.firstRoute(of: slot)
        while index != AdjRIBIn.none {
            routes.setStale(index, isStale)
            index = routes[index].nextOfPeer
        }
        // What is stale now is not what a sweep was begun for.
        routes.setSweep(of: slot, at: nil)
    }

    /// Begins to remove the peer's stale routes. Those that the peer confirms before it is their turn stay.
    mutating func beginSweep(of slot: PeerSlot) { routes.setSweep(of: slot, at: routes.firstRoute(of: slot)) }

    /// Removes at once what a sweep of the peer's stale routes, if one is under way, has not come to: before others are
    /// stale, or these are not.
    mutating func finishSweep(of slot: PeerSlot, speaker: inout Speaker) {
        if routes.sweeps[slot] != nil { _ = removeRoutes(of: slot, onlyStale: true, speaker: &speaker) }
    }

    /// Goes on with the sweeps, over at most `budget` routes, and takes from the budget what it used.
    ///
    /// - Returns: the peers whose sweep is over.
    mutating func sweep(budget: inout Int, speaker: inout Speaker) -> [PeerSlot] {
        var done: [PeerSlot] = []
        for slot in routes.sweeps.keys.sorted() {
            while budget > 0, let index = routes.sweeps[slot], index != AdjRIBIn.none {
                budget -= 1
                let route = routes[index]
                routes.setSweep(of: slot, at: route.nextOfPeer)
                if route.isStale { _ = remove(index, speaker: &speaker) }
            }
            guard routes.sweeps[slot] == AdjRIBIn.none else { break }
            routes.setSweep(of: slot, at: nil)
            done.append(slot)
        }
        return done
    }

    private mutating func review(_ id: UInt32, judge: inout Judge, speaker: inout Speaker) {
        // Until the decision is made, the number of a former set must not name another one.
        var released: [AttributeHandle] = []
        var hasChanged = false
        var index = prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            let route = routes[index]
            if PeerSlot(route.peer) != PeerTable.local {
                let original = originals.isEmpty ? route.handle : originals[index] ?? route.handle
                let judgement = judge.judgement(
                    of: prefixes.prefix(of: id), original, from: PeerSlot(route.peer), speaker: speaker)
                if let former = use(judgement.operations, for: index, speaker: &speaker) { released.append(former) }
                if route.refusal != judgement.refusal?.rawValue ?? 0 { routes.setRefusal(index, judgement.refusal) }
                hasChanged = hasChanged || !released.isEmpty || route.refusal != routes[index].refusal
            }
            index = route.nextOfPrefix
        }
        _ = decide(id, hasChanged: hasChanged, speaker: speaker)
        for handle in released { speaker.attributes.release(handle) }
    }
}

/// Judges routes as they come from the Adj-RIB-In: many of one peer after another.
private struct Judge {
    let family: AddressFamily
    private var peer: (slot: PeerSlot, role: PeerRole, rules: [RouteFilter.Rule])?

    init(family: AddressFamily) {
        self.family = family
    }

    mutating func judgement(
        of prefix: IPPrefix, _ handle: AttributeHandle, from slot: PeerSlot, speaker: borrowing Speaker,
    ) -> ImportJudgement {
        if peer?.slot != slot {
            peer = speaker.peers[slot].map { (slot, $0.role, $0.role.importFilter.rules(family)) }
        }
        let refusal = speaker.refusal(of: handle, family: family, from: slot)
        guard refusal == nil, let peer, let set = speaker.attributes[handle] else {
            return ImportJudgement(refusal: refusal)
        }
        if peer.rules.isEmpty { return ImportJudgement(refusal: speaker.importPolicy.refusal(of: prefix)) }
        return speaker.judgement(of: prefix, set, from: peer.role, rules: peer.rules)
    }
}
