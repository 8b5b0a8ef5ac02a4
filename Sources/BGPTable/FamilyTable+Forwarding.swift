import BGPWire
import NetTypes

extension FamilyTable {
    /// The Loc-RIB's route to a prefix, as the forwarding side sees it.
    func selectedRoute(of id: UInt32, speaker: borrowing Speaker) -> SelectedRoute? {
        let best = prefixes[id].best
        guard best != AdjRIBIn.none else { return nil }
        let slot = PeerSlot(routes[best].peer)
        if slot == PeerTable.local { return .local }
        guard let peer = speaker.peers[slot]?.id, let set = speaker.attributes[routes[best].handle],
            let nextHop = set.nextHop
        else { return nil }
        return .learned(LearnedRoute(nextHop: nextHop, peer: peer, attributes: set.attributes))
    }

    /// Takes off up to `limit` waiting prefixes and adds those whose forwarding differs to `changes`; how many were
    /// taken.
    mutating func drainForwarding(
        limit: Int, into changes: inout [ForwardingChange], speaker: inout Speaker,
    ) -> Int {
        let drained = Array(pendingForwarding.prefix(limit))
        pendingForwarding.removeFirst(drained.count)
        for id in drained {
            let route = speaker.tellsForwarding ? selectedRoute(of: id, speaker: speaker) : nil
            let row = prefixes[id]
            let handle = speaker.tellsForwarding ? row.bestHandle : .none
            let isLocal = route == .local
            let isSame =
                row.isInstalledLocal || isLocal
                ? row.isInstalledLocal == isLocal
                : forwardsAlike(row.installed, handle, speaker: speaker)
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

    private func forwardsAlike(
        _ left: AttributeHandle, _ right: AttributeHandle, speaker: borrowing Speaker,
    ) -> Bool {
        if left == right { return true }
        guard let left = speaker.attributes[left], let right = speaker.attributes[right] else { return false }
        return left.forwards(like: right)
    }
}
