package import NetTypes
import Netlink

/// The routes of one node as a pure value: desired, actual, pending.
///
/// It makes no call and reads no clock. The driver asks it for `pendingOperations`, and tells it what became of each.
/// Routes go in as anybody writes them and are kept in canonical form, so that equal routes compare equal.
package struct RouteTable: Sendable {
    /// The route protocol number of what is Apus' own.
    package let protocolNumber: UInt8
    /// What is known of each destination.
    private(set) var rows = DenseMap<RouteKey, RouteRow>()
    /// What the rows' numbers stand for.
    private(set) var forms = RouteForms()
    /// The keys of the routes that were found in the kernel and have not been desired since.
    package private(set) var adopted: Set<RouteKey> = []
    /// The keys of the rows that are pending, in the order in which they became so; some may be so no more, or stand here
    /// twice.
    package private(set) var queue: [RouteKey] = []
    /// How many keys may stand in the queue beside those of pending rows.
    private static let queueSlack = 1024
    /// How many rows are pending.
    package private(set) var pendingCount = 0
    /// Why a key is not programmed; kept over retries, so that a reason is news only once.
    private(set) var problems: [RouteKey: RouteProblem] = [:]
    /// The keys of `problems` that wait for an event or a retry.
    private(set) var waiting: Set<RouteKey> = []
    /// The links that are administratively down or gone, as far as a route of the table uses them.
    private(set) var downLinks: Set<UInt32> = []

    /// A table that knows nothing of the kernel yet.
    package init(protocolNumber: UInt8 = 97) {
        self.protocolNumber = protocolNumber
    }

    // Desired.

    /// Wants a route. One that the kernel holds already, found or made, costs nothing.
    ///
    /// - Returns: false for a route of another protocol number, which is refused.
    @discardableResult
    package mutating func setDesired(_ route: Route) -> Bool {
        guard route.protocolNumber == protocolNumber else { return false }
        let route = route.canonical
        let key = RouteKey(route)
        // A reason that lasts is kept when the same is wanted again.
        let form = forms.number(of: route)
        if !problems.isEmpty, rows[key]?.desired == form { return true }
        if !adopted.isEmpty { adopted.remove(key) }
        forgetProblem(key)
        let wish = rows[key, default: RouteRow()].want(form)
        guard let change = wish.change else { return true }
        forms.replace(wish.former, with: form)
        note(change, of: key)
        return true
    }

    /// Wants the route to the destination no longer. It is deleted if it was ever wanted; one that was merely found
    /// stays adopted.
    package mutating func removeDesired(_ destination: IPPrefix, metric: UInt32 = 0) {
        let key = RouteKey(destination, metric: metric)
        guard let wish = rows.change(key, { $0.want(0) }), let change = wish.change else { return }
        forms.replace(wish.former, with: 0)
        forgetProblem(key)
        note(change, of: key)
    }

    // Actual.

    /// Takes a dump of every route of this protocol number. What is in it and not desired is adopted, unless it was
    /// known before; what is desired and not in it is pending again.
    package mutating func adopt(_ routes: [Route]) {
        var found = DenseMap<RouteKey, Route>()
        for route in routes.lazy.map({ $0.canonical }) where isManaged(route) { found[RouteKey(route)] = route }
        for key in rows.keys where found[key] == nil { setActual(nil, at: key) }
        for (key, route) in zip(found.keys, found.values) {
            let row = rows[key, default: RouteRow()]
            // Most are as they were left.
            if row.actual != 0, !row.isAttempted, forms.route(row.actual, at: key) == route { continue }
            if row.actual == 0, row.desired == 0, !row.isAttempted { adopted.insert(key) }
            setActual(route, at: key)
        }
    }

    /// Takes an event: a route is new, changed or gone, by whomever.
    package mutating func observe(_ route: Route, deleted: Bool) {
        let route = route.canonical
        let key = RouteKey(route)
        if isManaged(route) {
            observeOwn(route, at: key, deleted: deleted)
        } else if deleted {
            guard case .conflict? = problems[key] else { return }
            waiting.remove(key)
            reconsider(key)
        } else if let row = rows[key], row.desired != 0 || row.actual != 0 {
            // Somebody put a route in place of ours: the kernel announces only the new one.
            setActual(nil, at: key)
            if row.desired != 0 { setProblem(.conflict(with: route), at: key) }
        }
    }

    private mutating func observeOwn(_ route: Route, at key: RouteKey, deleted: Bool) {
        if deleted {
            setActual(nil, at: key)
            return
        }
        let row = rows[key, default: RouteRow()]
        if row.actual == 0, row.desired == 0 { adopted.insert(key) }
        setActual(route, at: key)
    }

    // Links.

    /// Takes a dump of the links: the indices of those that are up.
    package mutating func setLinks(up: Set<UInt32>) {
        let links = forms.linkUse.map(\.link)
        let changed = links.filter { up.contains($0) == downLinks.contains($0) }
        downLinks = Set(links.filter { !up.contains($0) })
        for link in changed where up.contains(link) { retry(link: link) }
    }

    /// Takes an event: a link is up, or is down or gone.
    ///
    /// - Returns: whether a route of the table uses it. Then the routes must be dumped, since the kernel takes routes
    ///   away with a link's event only.
    package mutating func linkChanged(_ index: UInt32, isUp: Bool) -> Bool {
        guard uses(link: index) else {
            downLinks.remove(index)
            return false
        }
        if isUp {
            downLinks.remove(index)
            retry(link: index)
        } else {
            downLinks.insert(index)
        }
        return true
    }

    /// Whether the link is down, as far as the events tell; of links with routes alone.
    package func isDown(link index: UInt32) -> Bool { downLinks.contains(index) }

    /// Whether a desired or actual route leaves by the link.
    package func uses(link index: UInt32) -> Bool { forms.linkUse.contains { $0.link == index } }

    /// Whether a desired or actual route leaves by the hop, and by no other.
    func hasForm(by hop: Route.Hop) -> Bool { forms.isNamed(hop) }

    /// The gateways of the kernel's own routes by these links.
    ///
    /// - Complexity: O(routes)
    package func gateways(by links: Set<UInt32>) -> Set<TunnelTable.NeighbourKey> {
        var gateways: Set<TunnelTable.NeighbourKey> = []
        let leaving = forms.leaving(by: links)
        var isHeld = leaving.map { _ in false }
        for row in rows.values { isHeld[Int(row.actual)] = true }
        for number in leaving.indices where leaving[number] && isHeld[number] {
            for hop in forms.pattern(RouteForms.Number(number)).hops where links.contains(hop.linkIndex) {
                guard let gateway = hop.gateway else { continue }
                gateways.insert(TunnelTable.NeighbourKey(linkIndex: hop.linkIndex, address: gateway))
            }
        }
        return gateways
    }

    // Waiting.

    /// Makes everything that waits pending again, whatever it waits for. For the timer.
    package mutating func retry() {
        for key in waiting { retry(key) }
    }

    /// Makes what waits and leaves by the link pending again.
    package mutating func retry(link index: UInt32) {
        for key in waiting {
            if desired(key)?.hops.contains(where: { $0.linkIndex == index }) ?? true { retry(key) }
        }
    }

    private mutating func retry(_ key: RouteKey) {
        // It waits for its entries, whatever becomes of links.
        if case .unmet? = problems[key] { return }
        waiting.remove(key)
        reconsider(key)
    }

    // Adopted.

    /// The routes that were found and not desired since, by destination.
    package var adoptedRoutes: [Route] { adopted.sorted().compactMap { actual($0) } }

    /// Lets an adopted route be deleted: whoever announced it does so no longer.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    package mutating func releaseAdopted(_ destination: IPPrefix, metric: UInt32 = 0) -> Bool {
        release(RouteKey(destination, metric: metric))
    }

    /// Lets the adopted routes be deleted that the caller no longer expects anybody to announce.
    ///
    /// - Returns: how many.
    @discardableResult
    package mutating func sweep(where isSweepable: (Route) -> Bool) -> Int {
        let keys = adopted.filter { key in actual(key).map(isSweepable) ?? false }
        for key in keys { release(key) }
        return keys.count
    }

    @discardableResult
    private mutating func release(_ key: RouteKey) -> Bool {
        guard adopted.remove(key) != nil else { return false }
        reconsider(key)
        return true
    }

    // State.

    func isManaged(_ route: Route) -> Bool { route.protocolNumber == protocolNumber && !route.isEndpoint }

    /// What the kernel holds now; the answer to an attempt, if there was one, has come.
    mutating func setActual(_ route: Route?, at key: RouteKey) {
        let form = forms.number(of: route)
        forms.replace(rows[key]?.actual ?? 0, with: form)
        if route == nil, !adopted.isEmpty { adopted.remove(key) }
        reconsider(key) { row in
            row.actual = form
            row.isAttempted = false
        }
    }

    mutating func setAttempted(_ key: RouteKey) {
        reconsider(key) { $0.isAttempted = true }
    }

    mutating func setProblem(_ problem: RouteProblem, at key: RouteKey) {
        problems[key] = problem
        waiting.insert(key)
        reconsider(key)
    }

    // Problems are rare, and a search of an empty set computes a hash all the same.
    mutating func forgetProblem(_ key: RouteKey) {
        if !problems.isEmpty { problems[key] = nil }
        if !waiting.isEmpty { waiting.remove(key) }
    }

    /// Changes what is known of a destination, and makes it pending or not, by what is known then. A row that says
    /// nothing any more goes.
    mutating func reconsider(_ key: RouteKey, _ change: (inout RouteRow) -> Void = { _ in }) {
        let isAdopted = !adopted.isEmpty && adopted.contains(key)
        let isWaiting = !waiting.isEmpty && waiting.contains(key)
        let outcome = rows[key, default: RouteRow()].change(change, isAdopted: isAdopted, isWaiting: isWaiting)
        if !outcome.differs { forgetProblem(key) }
        note(outcome, of: key)
    }

    /// Puts a row that has become pending into the queue; one that says nothing any more goes.
    private mutating func note(_ change: RouteRow.Change, of key: RouteKey) {
        if change.isPending != change.wasPending {
            pendingCount += change.isPending ? 1 : -1
            if change.isPending { queue.append(key) }
            // A route that waits for its link stays pending for days, and what came and went meanwhile is done.
            if queue.count > 2 * pendingCount + Self.queueSlack {
                queue = Array(Set(queue.filter { rows[$0]?.isPending ?? false }))
            }
            if pendingCount == 0 { queue.removeAll(keepingCapacity: queue.count < 65536) }
        }
        if change.isEmpty { rows.removeValue(forKey: key) }
    }

    /// Hands out what is pending, apart from what leaves by links that are down, and takes it for done; see
    /// `takePending`.
    mutating func takeQueue() -> RouteAttempt {
        var attempt = RouteAttempt(capacity: queue.count, forms: forms)
        var heldKeys: [RouteKey] = []
        var empty: [RouteKey] = []
        let keys = queue
        queue = []
        let held = forms.held(by: downLinks)
        for key in keys {
            guard let step = rows.change(key, { $0.attempt(held: held) }) ?? nil else { continue }
            switch step {
            case .held: heldKeys.append(key)
            case .done(let verb, let form, let former, let isEmpty):
                pendingCount -= 1
                forms.replace(former, with: verb == .delete ? 0 : form)
                if isEmpty { empty.append(key) }
                attempt.append(RouteChange(verb, key.destination, metric: key.metric, form: form), inPlaceOf: former)
            }
        }
        for key in empty { rows.removeValue(forKey: key) }
        queue = heldKeys
        return attempt
    }
}
