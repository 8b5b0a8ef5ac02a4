package import NetTypes
import Netlink

/// The routes of one node as a pure value: desired, actual, pending.
///
/// It makes no call and reads no clock. The driver asks it for `pendingOperations`, and tells it what became of each.
/// Routes go in as anybody writes them and are kept in canonical form, so that equal routes compare equal.
package struct RouteTable: Sendable {
    /// The route protocol number of what is Apus' own.
    package let protocolNumber: UInt8
    /// What the daemon wants.
    package private(set) var desired: [RouteKey: Route] = [:]
    /// What the kernel holds of Apus' own, pod routes left out.
    package private(set) var actual: [RouteKey: Route] = [:]
    /// The keys of `actual` that were found in the kernel and have not been desired since.
    package private(set) var adopted: Set<RouteKey> = []
    /// The keys where desired and actual differ and nothing stands against an attempt but a link that is down.
    private(set) var pending: Set<RouteKey> = []
    /// Why a key is not programmed; kept over retries, so that a reason is news only once.
    private(set) var problems: [RouteKey: RouteProblem] = [:]
    /// The keys of `problems` that wait for an event or a retry.
    private(set) var waiting: Set<RouteKey> = []
    /// The links that are administratively down or gone, as far as a route of the table uses them.
    private(set) var downLinks: Set<UInt32> = []
    /// The keys of additions whose answers have not come: what a dump finds there may be the table's own work.
    private var attempted: Set<RouteKey> = []
    /// How many hops of desired and actual routes leave by each link.
    private var linkUse: [UInt32: Int] = [:]

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
        guard desired[key] != route else { return true }
        count(desired[key], by: -1)
        count(route, by: 1)
        desired[key] = route
        if !adopted.isEmpty { adopted.remove(key) }
        forgetProblem(key)
        reconsider(key)
        return true
    }

    /// Wants the route to the destination no longer. It is deleted if it was ever wanted; one that was merely found
    /// stays adopted.
    package mutating func removeDesired(_ destination: IPPrefix, metric: UInt32 = 0) {
        let key = RouteKey(destination, metric: metric)
        guard let route = desired.removeValue(forKey: key) else { return }
        count(route, by: -1)
        forgetProblem(key)
        reconsider(key)
    }

    // Actual.

    /// Takes a dump of every route of this protocol number. What is in it and not desired is adopted, unless it was
    /// known before; what is desired and not in it is pending again.
    package mutating func adopt(_ routes: [Route]) {
        var found: [RouteKey: Route] = [:]
        for route in routes.lazy.map({ $0.canonical }) where isManaged(route) { found[RouteKey(route)] = route }
        for key in actual.keys where found[key] == nil { setActual(nil, at: key) }
        for (key, route) in found {
            if actual[key] == nil, desired[key] == nil, !attempted.contains(key) { adopted.insert(key) }
            setActual(route, at: key)
        }
        attempted.removeAll()
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
        } else if actual[key] != nil || desired[key] != nil {
            // Somebody put a route in place of ours: the kernel announces only the new one.
            setActual(nil, at: key)
            if desired[key] != nil { setProblem(.conflict(with: route), at: key) }
        }
    }

    private mutating func observeOwn(_ route: Route, at key: RouteKey, deleted: Bool) {
        if deleted {
            setActual(nil, at: key)
            return
        }
        if actual[key] == nil, desired[key] == nil { adopted.insert(key) }
        setActual(route, at: key)
    }

    // Links.

    /// Takes a dump of the links: the indices of those that are up.
    package mutating func setLinks(up: Set<UInt32>) {
        let changed = Set(linkUse.keys.filter { up.contains($0) == downLinks.contains($0) })
        downLinks = Set(linkUse.keys.filter { !up.contains($0) })
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

    /// Whether a desired or actual route leaves by the link.
    package func uses(link index: UInt32) -> Bool { linkUse[index] != nil }

    /// The gateways of the kernel's own routes by these links.
    ///
    /// - Complexity: O(routes)
    package func gateways(by links: Set<UInt32>) -> Set<TunnelTable.NeighbourKey> {
        var gateways: Set<TunnelTable.NeighbourKey> = []
        for route in actual.values {
            for hop in route.hops where links.contains(hop.linkIndex) {
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
        for key in waiting where desired[key]?.hops.contains(where: { $0.linkIndex == index }) ?? true { retry(key) }
    }

    private mutating func retry(_ key: RouteKey) {
        waiting.remove(key)
        reconsider(key)
    }

    // Adopted.

    /// The routes that were found and not desired since, by destination.
    package var adoptedRoutes: [Route] { adopted.sorted().compactMap { actual[$0] } }

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
        let keys = adopted.filter { key in actual[key].map(isSweepable) ?? false }
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

    mutating func setActual(_ route: Route?, at key: RouteKey) {
        count(actual[key], by: -1)
        count(route, by: 1)
        actual[key] = route
        if route == nil, !adopted.isEmpty { adopted.remove(key) }
        reconsider(key)
    }

    mutating func setAttempted(_ keys: some Sequence<RouteKey>) { attempted.formUnion(keys) }

    mutating func clearAttempted(_ key: RouteKey) {
        if !attempted.isEmpty { attempted.remove(key) }
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

    /// Puts the key into `pending` or out of it, by what the maps say now.
    mutating func reconsider(_ key: RouteKey) {
        let differs = desired[key] != actual[key] && (adopted.isEmpty || !adopted.contains(key))
        if !differs { forgetProblem(key) }
        if differs, waiting.isEmpty || !waiting.contains(key) {
            pending.insert(key)
        } else if !pending.isEmpty {
            pending.remove(key)
        }
    }

    private mutating func count(_ route: Route?, by step: Int) {
        for hop in route?.hops ?? [] where hop.linkIndex != 0 {
            let uses = (linkUse[hop.linkIndex] ?? 0) + step
            linkUse[hop.linkIndex] = uses > 0 ? uses : nil
        }
    }
}
