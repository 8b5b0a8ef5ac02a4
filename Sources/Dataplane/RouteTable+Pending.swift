package import LinuxOS
package import NetTypes
import Netlink

extension RouteTable {
    /// What to do now, in order: routes come and change before others go, so that a narrower one takes over first.
    /// Within each part the order is the destinations'. Asking changes nothing.
    ///
    /// Left out is what waits for an event or a retry, and what leaves by a link that is down; on request, what is being
    /// attempted as well.
    /// - Complexity: O(n log n) in the pending keys.
    package func pendingOperations(besidesAttempted: Bool = false) -> [RouteOperation] {
        var changes: [RouteOperation] = []
        var deletions: [RouteOperation] = []
        var last: RouteKey?
        for key in queue.sorted() where key != last {
            last = key
            guard let row = rows[key], row.isPending, !besidesAttempted || !row.isAttempted else { continue }
            switch (row.desired, row.actual) {
            case (let wanted?, nil): if heldLink(of: wanted) == nil { changes.append(.add(wanted)) }
            case (let wanted?, _?): if heldLink(of: wanted) == nil { changes.append(.replace(wanted)) }
            case (nil, let found?): deletions.append(.delete(found))
            case (nil, nil): break
            }
        }
        return changes + deletions
    }

    /// The operations go to the kernel now. If the answers are lost, the next dump tells what became of them.
    package mutating func attempting(_ operations: [RouteOperation]) {
        for operation in operations { setAttempted(RouteKey(operation.route), true) }
    }

    /// The kernel has done it.
    package mutating func applied(_ operation: RouteOperation) {
        let key = RouteKey(operation.route)
        switch operation {
        case .add(let route), .replace(let route): setActual(route, at: key)
        case .delete: setActual(nil, at: key)
        }
    }

    /// The kernel has refused it.
    ///
    /// - Returns: true when somebody must look what stands at the destination (EEXIST), and tell `found`.
    package mutating func failed(
        _ operation: RouteOperation, _ code: SystemErrorCode, kernelMessage: String? = nil,
    ) -> Bool {
        let key = RouteKey(operation.route)
        setAttempted(key, false)
        switch (operation, code) {
        case (.add, .EEXIST):
            return true
        case (.delete, .ESRCH):
            setActual(nil, at: key)
            return false
        default:
            // What was wished for meanwhile has not been refused.
            if isWished(operation) { setProblem(.refused(code, kernelMessage: kernelMessage), at: key) }
            return false
        }
    }

    /// Whether the operation still leads to what is desired.
    private func isWished(_ operation: RouteOperation) -> Bool {
        let desired = rows[RouteKey(operation.route)]?.desired
        if case .delete = operation { return desired == nil }
        return desired == operation.route
    }

    /// What stands at the destination of an `add` that met EEXIST: an own route is taken into account and compared, any
    /// other is a conflict. Nothing there means that it went meanwhile: the key stays pending.
    package mutating func found(_ route: Route?, for operation: RouteOperation) {
        guard let route = route.map({ $0.canonical }) else { return }
        let key = RouteKey(operation.route)
        if isManaged(route) {
            setActual(route, at: key)
        } else {
            setProblem(.conflict(with: route), at: key)
        }
    }

    /// What became of a destination.
    package func condition(of destination: IPPrefix, metric: UInt32 = 0) -> RouteCondition {
        let key = RouteKey(destination, metric: metric)
        guard let row = rows[key] else { return .absent }
        guard let wanted = row.desired else {
            if row.actual == nil { return .absent }
            return adopted.contains(key) ? .adopted : .pending
        }
        if row.actual == wanted { return .programmed }
        if let problem = problems[key] { return .problem(problem) }
        if let link = heldLink(of: wanted) { return .held(linkIndex: link) }
        return .pending
    }

    /// Every desired destination that has a problem, and the problem.
    package var problemList: [(key: RouteKey, problem: RouteProblem)] {
        problems.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The first link of the route that is down; a route over several links goes in as long as one is up.
    private func heldLink(of route: Route) -> UInt32? {
        guard !route.hops.isEmpty, route.hops.allSatisfy({ downLinks.contains($0.linkIndex) }) else { return nil }
        return route.hops.first?.linkIndex
    }
}

extension RouteTable {
    /// Whether something is to be done about the key now.
    func isPending(_ key: RouteKey) -> Bool { rows[key]?.isPending ?? false }

    /// What the daemon wants.
    package var desiredRoutes: [Route] { rows.values.compactMap(\.desired) }

    /// What the kernel holds of Apus' own, pod routes left out.
    package var actualRoutes: [Route] { rows.values.compactMap(\.actual) }
}
