import BGPTable
import NetTypes
import Synchronization

// What those who program the kernel are handed.
extension Speaker {
    /// The most changes of forwarding that are handed out together.
    private static let forwardingLimit = 8192

    /// What changed in forwarding since the last call, and what the peers have said, as of one moment. For one caller.
    nonisolated func nextForwarding() async -> Forwarding {
        if let forwarding = takeLaidOut() { return forwarding }
        return await forwarding()
    }

    /// What has been laid out to be done next; nil when nothing has.
    nonisolated func takeLaidOut() -> Forwarding? { laidOut.withLock { $0.take() } }

    /// Lays out what is to be done next, unless there is something already.
    func layOutForwarding() {
        // What has changed since is not in what lies there: whoever takes it is to come again.
        let isLaidOut = laidOut.withLock { forwarding in
            forwarding?.hasMore = true
            return forwarding != nil
        }
        guard !isLaidOut else { return }
        let next = forwarding()
        laidOut.withLock { $0 = next }
    }

    /// Of prefixes and next hops those by which nobody announces the prefix any more. None while there are changes that
    /// may say so themselves.
    func withdrawn(of nextHops: [IPPrefix: Set<IPAddress>]) -> [IPPrefix: Set<IPAddress>] {
        guard !isStopping, rib != nil, !(rib?.agenda().hasForwardingChanges ?? true),
            laidOut.withLock({ $0 == nil })
        else { return [:] }
        var withdrawn: [IPPrefix: Set<IPAddress>] = [:]
        for (prefix, asked) in nextHops {
            if let gone = rib?.withdrawn(of: asked, to: prefix), !gone.isEmpty { withdrawn[prefix] = gone }
        }
        return withdrawn
    }

    private func forwarding() -> Forwarding {
        // What has been laid out meanwhile comes first.
        if let forwarding = takeLaidOut() { return forwarding }
        guard !isStopping else { return Forwarding(changes: []) }
        let changes = rib?.drainForwardingChanges(limit: Self.forwardingLimit) ?? []
        if rib?.agenda().hasForwardingChanges ?? false { return Forwarding(changes: changes, hasMore: true) }
        let reception = Reception(
            peers: peers.values.map { peer in
                let complete = rib?.endOfRIBReceived(from: peer.id) ?? []
                // Whose routes were dropped has said all it knows: nothing.
                return Reception.Peer(
                    address: peer.address, complete: complete.union(forsaken[peer.id] ?? []))
            })
        return Forwarding(changes: changes, reception: reception, converged: takeConverged())
    }
}

// Next hops, which those who program the kernel look up.
extension Speaker {
    /// Whether `nextHops` may be other ones since this was asked last. For one caller.
    nonisolated func takeHasOtherNextHops() -> Bool {
        hasOtherNextHops.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// The next hops of all routes, used or not.
    func nextHops() -> Set<IPAddress> { rib?.nextHops ?? [] }

    /// Says which of them no route leads to; the others are taken to be reached, at the same cost.
    func setUnreachable(_ nextHops: Set<IPAddress>) {
        guard !isStopping, rib != nil else { return }
        rib?.setInteriorCosts(Dictionary(uniqueKeysWithValues: nextHops.map { ($0, .unreachable) }))
        changed()
    }
}
