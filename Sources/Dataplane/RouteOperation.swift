package import LinuxOS
package import NetTypes
import Netlink

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
    private(set) var changes: [RouteChange] = []
    /// The routes in whose places others are put, by the places of the operations that do so.
    private(set) var former: [Int: Route] = [:]
    /// The forms that the changes name, as they were when they were handed out.
    private let forms: RouteForms

    init(capacity: Int, forms: RouteForms) {
        self.forms = forms
        changes.reserveCapacity(capacity)
    }

    mutating func append(_ change: RouteChange, inPlaceOf former: RouteForms.Number) {
        if change.verb == .replace {
            self.former[changes.count] = forms.route(former, at: RouteKey(change.destination, metric: change.metric))
        }
        changes.append(change)
    }

    /// What is to be done, at a place.
    func operation(at place: Int) -> RouteOperation {
        let change = changes[place]
        let route = forms.pattern(change.form).sent(to: change.destination, metric: change.metric)
        return switch change.verb {
        case .add: .add(route)
        case .replace: .replace(route)
        case .delete: .delete(route)
        }
    }

    /// A form that changes name, as a route to nowhere.
    func form(_ number: RouteForms.Number) -> Route { forms.pattern(number) }

    /// What is to be done, in no order.
    ///
    /// - Complexity: O(n)
    package var operations: [RouteOperation] { changes.indices.map { operation(at: $0) } }
}

/// Why a desired route is not in the kernel.
package enum RouteProblem: Sendable, Hashable, CustomStringConvertible {
    /// Somebody else's route stands at the destination, with the same metric. It is left alone.
    case conflict(with: Route)
    /// The kernel refused the operation: its error and, where it had any, its own words.
    case refused(SystemErrorCode, kernelMessage: String?)
    /// The kernel refused a neighbour or a forwarding entry that the route needs.
    case unmet(TunnelOperation, SystemErrorCode, kernelMessage: String?)

    /// The reason in one line, with link indices for names.
    package var description: String { text { _ in nil } }

    /// The reason in one line, with the links' names where they are known.
    package func text(linkName: (UInt32) -> String?) -> String {
        switch self {
        case .conflict(let route): "conflict: \(route.text(linkName: linkName)) is not Apus' own"
        case .refused(let code, let message): "refused by the kernel: \(message ?? code.description)"
        case .unmet(let operation, let code, let message):
            "its \(operation.text(linkName: linkName)) was refused by the kernel: \(message ?? code.description)"
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
