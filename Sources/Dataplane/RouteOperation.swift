package import LinuxOS
package import NetTypes

/// One change of the kernel's routes.
package enum RouteOperation: Sendable, Hashable, CustomStringConvertible {
    /// Make a route where none is; EEXIST when there is one after all.
    case add(Route)
    /// Put a route in place of one that is known to be Apus' own.
    case replace(Route)
    /// Take an own route away; ESRCH when it is gone.
    case delete(Route)

    /// The route it is about: for `delete` the one that goes.
    package var route: Route {
        switch self {
        case .add(let route), .replace(let route), .delete(let route): route
        }
    }

    /// `add 10.1.0.0/26 via …`.
    package var description: String {
        switch self {
        case .add(let route): "add \(route)"
        case .replace(let route): "replace \(route)"
        case .delete(let route): "delete \(route)"
        }
    }
}

/// Operations that are on their way to the kernel, and what it takes to take them back.
package struct RouteAttempt: Sendable {
    /// What is to be done, in no order.
    package private(set) var operations: [RouteOperation] = []
    /// The routes in whose places others are put, by the places of the operations that do so.
    private(set) var former: [Int: Route] = [:]

    init(capacity: Int) { operations.reserveCapacity(capacity) }

    mutating func append(_ operation: RouteOperation, inPlaceOf former: Route?) {
        if case .replace = operation { self.former[operations.count] = former }
        operations.append(operation)
    }
}

/// Why a desired route is not in the kernel.
package enum RouteProblem: Sendable, Hashable, CustomStringConvertible {
    /// Somebody else's route stands at the destination, with the same metric. It is left alone.
    case conflict(with: Route)
    /// The kernel refused the operation: its error and, where it had any, its own words.
    case refused(SystemErrorCode, kernelMessage: String?)

    /// The reason in one line.
    package var description: String {
        switch self {
        case .conflict(let route): "conflict: \(route) is not Apus' own"
        case .refused(let code, let message): "refused by the kernel: \(message ?? code.description)"
        }
    }
}

/// What became of a desired destination.
package enum RouteCondition: Sendable, Hashable {
    /// The kernel holds what is desired.
    case programmed
    /// It is about to be.
    case pending
    /// It waits until the link is up.
    case held(linkIndex: UInt32)
    /// It waits for an event or the next retry.
    case problem(RouteProblem)
    /// Nothing is desired. What the kernel holds was found there and is kept.
    case adopted
    /// Nothing is desired and nothing is there.
    case absent
}
