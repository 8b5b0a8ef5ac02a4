import BGPWire
import NetTypes

extension FamilyTable {
    /// A route that was made for one prefix and serves for others of the same peer and attributes.
    struct SharedRoute {
        fileprivate let handle: AttributeHandle
        fileprivate let peer: PeerSlot
        fileprivate let route: LearnedRoute
    }

    /// The Loc-RIB's route to a prefix, as the forwarding side sees it.
    func selectedRoute(of id: UInt32, speaker: borrowing Speaker) -> SelectedRoute? {
        var last: SharedRoute?
        return selectedRoute(of: id, speaker: speaker, sharing: &last)
    }

    /// The same. `last` is what was made before, while the table of attributes has stayed as it is.
    private func selectedRoute(
        of id: UInt32, speaker: borrowing Speaker, sharing last: inout SharedRoute?,
    ) -> SelectedRoute? {
        let best = prefixes[id].best
        guard best != AdjRIBIn.none else { return nil }
        let (handle, peer) = (routes[best].handle, PeerSlot(routes[best].peer))
        if peer == PeerTable.local { return .local }
        let hasSeveralRoutes = hasSeveralRoutes(id)
        if !hasSeveralRoutes, let last, last.handle == handle, last.peer == peer { return .learned(last.route) }
        guard let route = learnedRoute(best, speaker: speaker) else { return nil }
        guard hasSeveralRoutes else {
            last = SharedRoute(handle: handle, peer: peer, route: route)
            return .learned(route)
        }
        var others: [LearnedRoute] = []
        for way in ways(to: id, speaker: speaker) where way != best {
            if let other = learnedRoute(way, speaker: speaker) { others.append(other) }
        }
        return .learned(
            LearnedRoute(nextHop: route.nextHop, peer: route.peer, attributes: route.attributes, others: others))
    }

    /// A route of the Adj-RIB-In, as others see it.
    func learnedRoute(_ index: UInt32, speaker: borrowing Speaker) -> LearnedRoute? {
        guard let peer = speaker.peers.id(at: PeerSlot(routes[index].peer)),
            let set = speaker.attributes[routes[index].handle], let nextHop = set.nextHop
        else { return nil }
        return LearnedRoute(nextHop: nextHop, peer: peer, attributes: set.attributes)
    }

    /// Takes off up to `limit` waiting prefixes and adds those whose forwarding differs to `changes`; how many were
    /// taken.
    mutating func drainForwarding(
        limit: Int, into changes: inout [ForwardingChange], speaker: inout Speaker,
    ) -> Int {
        let drained = Array(pendingForwarding.prefix(limit))
        pendingForwarding.removeFirst(drained.count)
        changes.reserveCapacity(changes.count + drained.count)
        var last: SharedRoute?
        for id in drained {
            let route = speaker.tellsForwarding ? selectedRoute(of: id, speaker: speaker, sharing: &last) : nil
            let row = prefixes[id]
            let handle = speaker.tellsForwarding ? row.bestHandle : .none
            let isLocal = route == .local
            let isSame =
                row.isInstalledLocal || isLocal
                ? row.isInstalledLocal == isLocal
                : isInstalled(handle, of: id, speaker: speaker)
            installWays(to: id, isLearned: route != nil && !isLocal, speaker: &speaker)
            prefixes[id].isForwardingPending = false
            prefixes[id].isInstalledLocal = isLocal
            prefixes[id].installed = handle
            speaker.attributes.retain(handle)
            speaker.attributes.release(row.installed)
            if !isSame { changes.append(ForwardingChange(prefix: prefixes.prefix(of: id), best: route)) }
            freeIfUnused(id)
        }
        return drained.count
    }

    /// Whether the forwarding side was told of these ways, whichever of them is the best.
    private func isInstalled(_ best: AttributeHandle, of id: UInt32, speaker: borrowing Speaker) -> Bool {
        let ways = best != .none && hasSeveralRoutes(id) ? ways(to: id, speaker: speaker) : []
        if ways.count < 2, !prefixes[id].hasSeveralWays {
            return forwardsAlike(prefixes[id].installed, best, speaker: speaker)
        }
        let former = installedWays[id] ?? [prefixes[id].installed]
        let handles = ways.count < 2 ? [best] : ways.map { routes[$0].handle }
        return former.count == handles.count
            && zip(former, handles).allSatisfy { forwardsAlike($0, $1, speaker: speaker) }
    }

    /// Remembers the ways that the forwarding side is told of, where they are several.
    private mutating func installWays(to id: UInt32, isLearned: Bool, speaker: inout Speaker) {
        let ways = isLearned && hasSeveralRoutes(id) ? ways(to: id, speaker: speaker) : []
        guard ways.count > 1 || prefixes[id].hasSeveralWays else { return }
        let former = installedWays[id] ?? []
        prefixes[id].hasSeveralWays = ways.count > 1
        installedWays[id] = ways.count > 1 ? ways.map { routes[$0].handle } : nil
        for handle in installedWays[id] ?? [] { speaker.attributes.retain(handle) }
        for handle in former { speaker.attributes.release(handle) }
    }

    private func forwardsAlike(
        _ left: AttributeHandle, _ right: AttributeHandle, speaker: borrowing Speaker,
    ) -> Bool {
        if left == right { return true }
        guard let left = speaker.attributes[left], let right = speaker.attributes[right] else { return false }
        return left.forwards(like: right)
    }
}
