import BGPWire
import NetTypes

// Add-path (RFC 7911): what those are told who take several paths to a prefix. Each path has an identifier that is its
// own as long as it is there, whichever of them is the best.
extension FamilyTable {
    /// Whether a group that is told of best routes alone knows what it has to know of a prefix whose best is as before.
    func isTold(_ group: UpdateGroup, ofOneOnly id: UInt32) -> Bool {
        !group.isSentSeveralPaths && group.reader.progress.feed == nil
    }

    /// Whether a group has been told of a prefix, of as many paths as there are for it: some of them may have been kept
    /// back when the others went out.
    func isTold(_ group: UpdateGroup, ofAllPathsTo id: UInt32) -> Bool {
        guard group.reader.telling(of: id) != TellingTable.none else { return false }
        guard group.isSentSeveralPaths else { return true }
        let limit = group.role.maximumPathsSent
        return group.reader.tellings(of: id).count >= min(limit, eligibleRoutes(to: id).count)
    }

    /// Takes those paths to a prefix up that are not as the group knows them. In answer to a ROUTE-REFRESH all are told
    /// again (RFC 2918).
    ///
    /// - Complexity: O(paths) to look at, whichever of them has changed
    mutating func exportPaths(
        _ id: UInt32, to group: inout UpdateGroup, into draft: inout StepDraft, speaker: borrowing Speaker,
    ) {
        let prefix = prefixes.prefix(of: id)
        let former = group.reader.tellings(of: id)
        let known = group.reader.progress.feed?.isRefresh == true ? [] : Set(former)
        var now: [TellingID] = []
        for index in paths(to: id, limit: group.role.maximumPathsSent, speaker: speaker) {
            let told = draft.batch.announce(
                prefix, as: routes[index], pathID: routes.ownPathID(of: index), unless: known, to: &group,
                speaker: speaker, tellings: &tellings)
            guard told != TellingTable.none else { continue }
            tellings.retain(told)
            now.append(told)
        }
        if former.isEmpty, now.isEmpty { return }
        draft.budget -= max(1, now.count)
        guard former != now else {
            for id in now { tellings.release(id) }
            return
        }
        let others = Set(former).subtracting(now)
        if !others.isEmpty {
            let byPath = Dictionary(now.map { (tellings[$0]?.pathID, $0) }, uniquingKeysWith: { first, _ in first })
            for old in former where others.contains(old) {
                let same = byPath[tellings[old]?.pathID] ?? TellingTable.none
                draft.batch.withdraw(prefix, told: old, now: same, in: group, tellings: tellings)
            }
        }
        group.reader.setTellings(now, of: id)
        draft.undo.append(
            AdjRIBOut.Former(
                id: id, telling: former.first ?? TellingTable.none, more: Array(former.dropFirst())))
    }

    /// The route that a telling was made for, as it is now; nil when it has gone.
    func route(told telling: Telling, of id: UInt32, speaker: borrowing Speaker) -> SelectedRoute? {
        if telling.pathID == 0 { return selectedRoute(of: id, speaker: speaker) }
        guard let index = index(told: telling, of: id) else { return nil }
        if PeerSlot(routes[index].peer) == PeerTable.local { return .local }
        return learnedRoute(index, speaker: speaker).map { .learned($0) }
    }

    /// The place of that route.
    func index(told telling: Telling, of id: UInt32) -> UInt32? {
        guard telling.pathID == 0 else {
            return eligibleRoutes(to: id).first { routes.ownPathID(of: $0) == telling.pathID }
        }
        let best = prefixes[id].best
        return best == AdjRIBIn.none ? nil : best
    }

    /// The eligible routes to a prefix, the best ones if there are more than `limit`.
    private func paths(to id: UInt32, limit: Int, speaker: borrowing Speaker) -> [UInt32] {
        var rest = eligibleRoutes(to: id)
        guard rest.count > limit else { return rest }
        var chosen: [UInt32] = []
        while chosen.count < limit {
            let ranks = rest.map { rank(of: $0, speaker: speaker) }
            guard let place = DecisionProcess.best(of: ranks) else { break }
            chosen.append(rest.remove(at: place))
        }
        return chosen
    }

    private func eligibleRoutes(to id: UInt32) -> [UInt32] {
        var indices: [UInt32] = []
        var index = prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            if routes[index].refusal == 0 { indices.append(index) }
            index = routes[index].nextOfPrefix
        }
        return indices
    }
}
