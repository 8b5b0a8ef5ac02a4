package import LinuxOS
package import NetTypes
import Netlink

extension RouteTable {
    /// Hands out what is to be done now, and takes it for done: `failed` takes back what the kernel refuses, `lost` what
    /// nobody knows of. So what succeeds, as nearly all does, is not looked at again.
    ///
    /// Left out is what waits for an event or a retry, and what leaves by a link that is down.
    /// - Complexity: O(n) in the pending keys.
    package mutating func takePending() -> RouteAttempt { takeQueue() }

    /// The kernel has done it.
    package mutating func succeeded(_ operation: RouteOperation) { forgetProblem(RouteKey(operation.route)) }

    /// Nobody knows what has become of the operations: the next dump tells.
    package mutating func lost(_ attempt: RouteAttempt) {
        for (place, operation) in attempt.operations.enumerated() {
            takeBack(operation, attempt.former[place])
            setAttempted(RouteKey(operation.route))
        }
    }

    /// The kernel has not begun with the operations and never will: they are pending as before. What was handed out later
    /// has been withdrawn already.
    package mutating func withdraw(_ attempt: RouteAttempt) {
        for (place, operation) in attempt.operations.enumerated() { takeBack(operation, attempt.former[place]) }
    }

    private mutating func takeBack(_ operation: RouteOperation, _ former: Route?) {
        let key = RouteKey(operation.route)
        switch operation {
        case .add: setActual(nil, at: key)
        case .replace: setActual(former, at: key)
        case .delete(let route): setActual(route, at: key)
        }
    }

    /// The kernel has refused it.
    ///
    /// - Parameter former: the route in whose place it was to be put.
    /// - Returns: true when somebody must look what stands at the destination (EEXIST), and tell `found`.
    package mutating func failed(
        _ operation: RouteOperation, inPlaceOf former: Route? = nil, _ code: SystemErrorCode,
        kernelMessage: String? = nil,
    ) -> Bool {
        let key = RouteKey(operation.route)
        takeBack(operation, former)
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
        let desired = desired(RouteKey(operation.route))
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
        guard let wanted = forms.route(row.desired, at: key) else {
            if row.actual == 0 { return .absent }
            return adopted.contains(key) ? .adopted : .pending
        }
        if row.actual == row.desired { return .programmed }
        if let problem = problems[key] { return .problem(problem) }
        if let link = wanted.heldLink(by: downLinks) { return .held(linkIndex: link) }
        return .pending
    }

    /// Every desired destination that has a problem, and the problem.
    package var problemList: [(key: RouteKey, problem: RouteProblem)] {
        problems.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension RouteTable {
    /// Whether something is to be done about the key now.
    func isPending(_ key: RouteKey) -> Bool { rows[key]?.isPending ?? false }

    /// What the daemon wants there.
    func desired(_ key: RouteKey) -> Route? { forms.route(rows[key]?.desired ?? 0, at: key) }

    /// What the kernel holds there.
    func actual(_ key: RouteKey) -> Route? { forms.route(rows[key]?.actual ?? 0, at: key) }

    /// What the daemon wants.
    package var desiredRoutes: [Route] { rows.keys.compactMap { desired($0) } }

    /// What the kernel holds of Apus' own, pod routes left out.
    package var actualRoutes: [Route] { rows.keys.compactMap { actual($0) } }
}
