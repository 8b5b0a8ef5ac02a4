import NetTypes

/// All there is of one family: prefixes, routes, the choice among them, and what follows from a change of it.
struct FamilyTable: Sendable {
    /// What an announcement did.
    enum Outcome: Sendable {
        case unchanged
        case refused(bestChanged: Bool)
        case accepted(bestChanged: Bool)
        /// The peer has as many paths to the prefix as are taken.
        case excess
    }

    let family: AddressFamily
    var prefixes = PrefixTable()
    var routes = AdjRIBIn()
    var log = ChangeLog()
    /// The peers that are told the same, together; nil is a free place.
    var groups: [UpdateGroup?] = []
    /// How many groups there are.
    var groupCount = 0
    /// How many kinds of groups there have been.
    var groupKinds = 0
    /// The group of each peer, by slot.
    var groupOf: [Int?] = []
    var tellings = TellingTable()
    /// The ids that wait to be told to the forwarding side, in the order of their changes.
    var pendingForwarding: [UInt32] = []
    /// The id of the prefix at which the new look at all routes goes on; nil when none is under way.
    var reviewPosition: UInt32?
    /// Whether the log has entries that everybody has read.
    var isTrimLeft = false
    /// Whether a step ended early because it had looked at many prefixes that are not to be told.
    var isStepCutShort = false
    /// The ways that the forwarding side was told of, by prefix, where they are several; each holds a reference.
    var installedWays: [UInt32: [AttributeHandle]] = [:]
    /// How many groups are told of several paths to a prefix.
    var severalPathGroupCount = 0
    /// The attributes as they came of those routes that a filter has changed, by the place of the route; each holds a
    /// reference.
    var originals: [UInt32: AttributeHandle] = [:]
    private var ranks: [RouteRank] = []
    private var rankedRoutes: [UInt32] = []

    init(family: AddressFamily) {
        self.family = family
    }

    // MARK: Routes in

    /// A route arrives; `original` is its set before a filter has changed it. The caller keeps its own references.
    mutating func announce(
        _ prefix: IPPrefix, pathID: UInt32 = 0, from slot: PeerSlot, handle: AttributeHandle,
        original: AttributeHandle? = nil, refusal: Ineligibility?, speaker: inout Speaker,
    ) -> Outcome {
        let id = prefixes.insert(prefix)
        let head = prefixes[id].firstRoute
        let index = routes.find(slot, pathID: pathID, from: head)
        var former = AttributeHandle.none
        if index == AdjRIBIn.none {
            if pathID != 0, routes.isFull(of: slot, from: head) { return .excess }
            prefixes[id].firstRoute = routes.insert(
                prefix: id, peer: slot, pathID: pathID, handle: handle, refusal: refusal, before: head)
            keep(original, of: prefixes[id].firstRoute, used: handle, speaker: &speaker)
        } else {
            former = routes[index].handle
            keep(original, of: index, used: handle, speaker: &speaker)
            if former == handle, routes[index].refusal == refusal?.rawValue ?? 0 {
                routes.setStale(index, false)
                return .unchanged
            }
            routes.update(index, handle: handle, refusal: refusal)
        }
        speaker.attributes.retain(handle)
        let bestChanged = decide(id, speaker: speaker)
        // Only now: until the decision is made, the number of the former set must not name another one.
        speaker.attributes.release(former)
        return refusal == nil ? .accepted(bestChanged: bestChanged) : .refused(bestChanged: bestChanged)
    }

    /// A route is withdrawn. nil when there was none; else whether the best route changed.
    mutating func withdraw(
        _ prefix: IPPrefix, pathID: UInt32 = 0, from slot: PeerSlot, speaker: inout Speaker,
    ) -> Bool? {
        guard let id = prefixes.id(of: prefix) else { return nil }
        let index = routes.find(slot, pathID: pathID, from: prefixes[id].firstRoute)
        guard index != AdjRIBIn.none else { return nil }
        return remove(index, speaker: &speaker)
    }

    /// Removes the peer's routes, all of them or those that are stale, and returns how many.
    mutating func removeRoutes(of slot: PeerSlot, onlyStale: Bool, speaker: inout Speaker) -> Int {
        if onlyStale, routes.counts(of: slot).stale == 0 {
            routes.setSweep(of: slot, at: nil)
            return 0
        }
        var removed = 0
        var index = routes.firstRoute(of: slot)
        while index != AdjRIBIn.none {
            let route = routes[index]
            if route.isStale || !onlyStale {
                _ = remove(index, speaker: &speaker)
                removed += 1
            }
            index = route.nextOfPeer
        }
        routes.setSweep(of: slot, at: nil)
        return removed
    }

    /// Keeps the peer's routes without a session. Those kept from a session before are removed: RFC 4724 §4.2 allows
    /// no route to outlive two sessions unconfirmed. Those that are kept long (RFC 9494) stay.
    mutating func markStale(_ slot: PeerSlot, speaker: inout Speaker) {
        var index = routes.firstRoute(of: slot)
        while index != AdjRIBIn.none {
            let route = routes[index]
            if route.isStale, !speaker.attributes.fields[route.handle.index].isLongLivedStale {
                _ = remove(index, speaker: &speaker)
            } else {
                routes.setStale(index, true)
            }
            index = route.nextOfPeer
        }
        // What is stale now is not what a sweep was begun for.
        routes.setSweep(of: slot, at: nil)
    }

    /// Makes the attributes of a route those that came, changed by the operations. The set that it had before is
    /// returned if it is another one: its reference is the caller's to give back, after the decision.
    mutating func use(
        _ operations: [RouteFilter.Operation], for index: UInt32, speaker: inout Speaker,
    ) -> AttributeHandle? {
        let former = routes[index].handle
        if operations.isEmpty, originals[index] == nil { return nil }
        let original = originals[index] ?? former
        guard let handle = speaker.attributes.changed(original, by: operations) else { return nil }
        if handle == former {
            speaker.attributes.release(handle)
            return nil
        }
        keep(original, of: index, used: handle, speaker: &speaker)
        routes.setHandle(index, handle)
        return former
    }

    /// Remembers what a route came with, where that is not what is used of it.
    mutating func keep(
        _ original: AttributeHandle?, of index: UInt32, used handle: AttributeHandle, speaker: inout Speaker,
    ) {
        let wanted = original == handle ? nil : original
        guard originals.isEmpty == false || wanted != nil else { return }
        let known = originals[index]
        if let wanted { speaker.attributes.retain(wanted) }
        if let known { speaker.attributes.release(known) }
        originals[index] = wanted
    }

    mutating func remove(_ index: UInt32, speaker: inout Speaker) -> Bool {
        let route = routes[index]
        prefixes[route.prefix].firstRoute = routes.remove(index, from: prefixes[route.prefix].firstRoute)
        let bestChanged = decide(route.prefix, speaker: speaker)
        keep(nil, of: index, used: route.handle, speaker: &speaker)
        speaker.attributes.release(route.handle)
        freeIfUnused(route.prefix)
        return bestChanged
    }

    // MARK: The choice

    /// How the decision process sees a route.
    func rank(of index: UInt32, speaker: borrowing Speaker) -> RouteRank {
        let route = routes[index]
        var rank = speaker.peers.ranks[Int(route.peer)]
        rank.fields = speaker.attributes.fields[route.handle.index]
        rank.pathID = routes.receivedPathID(of: index)
        return rank
    }

    /// Chooses anew and passes a change on; whether the best route is another one. `hasChanged` says whether any route
    /// to the prefix is other than before: peers that are told of several paths want to know.
    mutating func decide(_ id: UInt32, hasChanged: Bool = true, speaker: borrowing Speaker) -> Bool {
        let (best, eligible) = best(of: id, speaker: speaker)
        let handle = best == AdjRIBIn.none ? AttributeHandle.none : routes[best].handle
        guard prefixes[id].best != best || prefixes[id].bestHandle != handle else {
            if hasChanged, severalPathGroupCount > 0 { appendToLog(id, isOfOtherPaths: true) }
            if speaker.tellsForwarding, eligible > 1 || prefixes[id].hasSeveralWays { askForForwarding(id) }
            return false
        }
        prefixes[id].best = best
        prefixes[id].bestHandle = handle
        appendToLog(id)
        if speaker.tellsForwarding { askForForwarding(id) }
        return true
    }

    /// Looks at every prefix again on behalf of the forwarding side.
    mutating func renewForwarding() {
        for id in 0..<prefixes.endID where prefixes[id].firstRoute != AdjRIBIn.none { askForForwarding(id) }
    }

    private mutating func askForForwarding(_ id: UInt32) {
        if prefixes[id].isForwardingPending { return }
        prefixes[id].isForwardingPending = true
        pendingForwarding.append(id)
    }

    /// The best route, and among how many.
    private mutating func best(of id: UInt32, speaker: borrowing Speaker) -> (best: UInt32, eligible: Int) {
        var only = AdjRIBIn.none
        var eligible = 0
        var index = prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            let route = routes[index]
            if route.refusal == 0 {
                eligible += 1
                if eligible == 1 {
                    only = index
                } else {
                    if eligible == 2 {
                        ranks.removeAll(keepingCapacity: true)
                        rankedRoutes.removeAll(keepingCapacity: true)
                        take(only, speaker: speaker)
                    }
                    take(index, speaker: speaker)
                }
            }
            index = route.nextOfPrefix
        }
        if eligible < 2 { return (only, eligible) }
        return (DecisionProcess.best(of: ranks).map { rankedRoutes[$0] } ?? AdjRIBIn.none, eligible)
    }

    private mutating func take(_ index: UInt32, speaker: borrowing Speaker) {
        ranks.append(rank(of: index, speaker: speaker))
        rankedRoutes.append(index)
    }

    /// Frees the id of a prefix that nobody needs any more: no route, nothing to tell, nothing told.
    mutating func freeIfUnused(_ id: UInt32) {
        let row = prefixes[id]
        guard row.firstRoute == AdjRIBIn.none, row.logSequence == 0, !row.isForwardingPending else { return }
        prefixes.remove(id)
    }
}
