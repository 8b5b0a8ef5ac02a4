import NetTypes
import Netlink

/// What is known of one destination. Routes are named by the numbers of their forms; 0 is none.
struct RouteRow: Sendable {
    /// What the daemon wants.
    var desired: RouteForms.Number = 0
    /// What the kernel holds of Apus' own, pod routes left out; of what is under way what it comes to.
    var actual: RouteForms.Number = 0
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
        /// What is asked of the kernel and of which route; the route that is no longer there, in whose place another is put
        /// or that goes; and whether the row says nothing any more.
        case done(RouteChange.Verb, RouteForms.Number, former: RouteForms.Number, isEmpty: Bool)
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
            isEmpty: desired == 0 && actual == 0 && !isAttempted)
    }

    /// Changes what is wanted of a row that is neither adopted nor waiting.
    ///
    /// - Returns: what was wanted before, and what follows; nil when nothing has changed.
    @inline(__always)
    mutating func want(_ route: RouteForms.Number) -> (former: RouteForms.Number, change: Change?) {
        guard desired != route else { return (route, nil) }
        let former = desired
        return (former, change({ $0.desired = route }, isAdopted: false, isWaiting: false))
    }

    /// Takes what is pending for done; nil when nothing is.
    ///
    /// - Parameter held: by number, the forms that leave by links that are down; empty when no link is.
    @inline(__always)
    mutating func attempt(held: [Bool]) -> Step? {
        guard isPending else { return nil }
        let former = actual
        let step: Step
        if desired != 0 {
            if !held.isEmpty, held[Int(desired)] { return .held }
            step = .done(former == 0 ? .add : .replace, desired, former: former, isEmpty: false)
        } else if former != 0 {
            step = .done(.delete, former, former: former, isEmpty: true)
        } else {
            return nil
        }
        actual = desired
        isPending = false
        isAttempted = false
        return step
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
