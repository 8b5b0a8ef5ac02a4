import NetTypes

/// What is known of one destination.
struct RouteRow: Sendable {
    /// What the daemon wants.
    var desired: Route?
    /// What the kernel holds of Apus' own, pod routes left out; of what is under way what it comes to.
    var actual: Route?
    /// Whether the two differ and nothing stands against an attempt but a link that is down.
    var isPending = false
    /// Whether the answer to an operation was lost: what a dump finds there may be the table's own work.
    var isAttempted = false

    /// What a change came to.
    struct Change {
        let differs: Bool
        let wasPending: Bool
        let isPending: Bool
        /// Whether the row says nothing any more.
        let isEmpty: Bool
    }

    /// What is done about a pending row.
    enum Step {
        /// Nothing: its links are down.
        case held
        /// The operation; the route that is no longer there, in whose place another is put or that goes; and whether the
        /// row says nothing any more.
        case done(RouteOperation, former: Route?, isEmpty: Bool)
    }

    /// Changes what is known, and says what follows.
    @inline(__always)
    mutating func change(_ body: (inout RouteRow) -> Void, isAdopted: Bool, isWaiting: Bool) -> Change {
        body(&self)
        let differs = desired != actual && !isAdopted
        let wasPending = isPending
        isPending = differs && !isWaiting
        return Change(
            differs: differs, wasPending: wasPending, isPending: isPending,
            isEmpty: desired == nil && actual == nil && !isAttempted)
    }

    /// Changes what is wanted of a row that is neither adopted nor waiting.
    ///
    /// - Returns: what was wanted before, and what follows; nil when nothing has changed.
    @inline(__always)
    mutating func want(_ route: Route?) -> (former: Route?, change: Change?) {
        guard desired != route else { return (nil, nil) }
        let former = desired
        return (former, change({ $0.desired = route }, isAdopted: false, isWaiting: false))
    }

    /// Takes what is pending for done; nil when nothing is.
    @inline(__always)
    mutating func attempt(withoutLinks downLinks: Set<UInt32>) -> Step? {
        guard isPending else { return nil }
        let former = actual
        let operation: RouteOperation
        if let desired {
            if !downLinks.isEmpty, desired.heldLink(by: downLinks) != nil { return .held }
            operation = former == nil ? .add(desired) : .replace(desired)
        } else if let former {
            operation = .delete(former)
        } else {
            return nil
        }
        actual = desired
        isPending = false
        isAttempted = false
        return .done(operation, former: former, isEmpty: desired == nil)
    }
}

extension Route {
    /// The first link of the route when all of them are among those that are down; a route over several links goes in as
    /// long as one is up.
    func heldLink(by downLinks: Set<UInt32>) -> UInt32? {
        guard !hops.isEmpty, hops.allSatisfy({ downLinks.contains($0.linkIndex) }) else { return nil }
        return hops.first?.linkIndex
    }
}
