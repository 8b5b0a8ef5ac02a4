import LinuxOS
import NetTypes

@testable import Dataplane
@testable import Netlink

/// A kernel's main table as far as the driver can tell: it keeps routes as the real one does, records what it was asked
/// and fails on request.
final class FakeKernelState {
    struct Place: Hashable {
        let destination: IPPrefix
        let metric: UInt32
    }

    var routes: [Place: Route] = [:]
    var linksUp: [UInt32: Bool] = [:]
    /// Every request that reached the kernel, in order.
    var requests: [NetlinkRequest] = []
    var dumps = 0
    /// The answers to requests about a destination, used up one by one.
    var faults: [IPPrefix: [SystemErrorCode]] = [:]
    /// The next hops that routes may name.
    var nextHops: [NextHopObject] = []
    /// So many batches are carried out, but their answers are lost.
    var lostAnswers = 0
    /// What was begun and is not finished, the oldest first.
    var begun: [RouteBatch] = []
    /// Whether a batch has failed behind which there are others.
    var isStopped = false
    /// Whether what was begun could be finished at once.
    var isFinished = false
    /// Every call fails as if the socket were dead.
    var isBroken = false

    func put(_ route: Route) {
        let stored = route.canonical
        routes[Place(destination: stored.destination, metric: stored.metric)] = stored
    }

    /// Takes the link down as the kernel does: its routes go without an event of their own.
    func linkDown(_ index: UInt32) {
        linksUp[index] = false
        routes = routes.filter { !$0.value.hops.contains { $0.linkIndex == index } }
    }

    func link(_ index: UInt32) -> Link {
        Link(
            index: index, name: "if\(index)", macAddress: nil, mtuBytes: 1500, flags: linksUp[index] == true ? 1 : 0,
            operState: .unknown, kind: nil, alias: nil, group: 0, masterIndex: nil, lowerIndex: nil, peerNetNSID: nil)
    }

    func perform(_ request: NetlinkRequest) -> SystemErrorCode? {
        requests.append(request)
        switch request {
        case .addRoute(let route), .replaceRoute(let route), .deleteRoute(let route):
            let stored = route.canonical
            if let fault = faults[stored.destination]?.first {
                faults[stored.destination]?.removeFirst()
                return fault
            }
            return perform(request, stored, at: Place(destination: stored.destination, metric: stored.metric))
        default:
            return .EOPNOTSUPP
        }
    }

    private func perform(_ request: NetlinkRequest, _ route: Route, at place: Place) -> SystemErrorCode? {
        if case .deleteRoute = request {
            guard routes[place]?.protocolNumber == route.protocolNumber else { return .ESRCH }
            routes[place] = nil
            return nil
        }
        if route.hops.contains(where: { linksUp[$0.linkIndex] != true }) { return .ENETDOWN }
        if case .addRoute = request, routes[place] != nil { return .EEXIST }
        routes[place] = route
        return nil
    }
}

struct FakeKernel: RouteKernel, ~Copyable {
    let state: FakeKernelState

    mutating func links() throws(NetlinkError) -> [Link] {
        try checkAlive(.linkList)
        return state.linksUp.keys.sorted().map(state.link)
    }

    mutating func routes(protocolNumber: UInt8?, family: AddressFamily) throws(NetlinkError) -> [Route] {
        try checkAlive(.routeList)
        state.dumps += 1
        return state.routes.values.filter {
            $0.destination.family == family && (protocolNumber == nil || $0.protocolNumber == protocolNumber)
        }
    }

    mutating func nextHops(protocolNumber: UInt8) throws(NetlinkError) -> [NextHopObject] {
        try checkAlive(.nextHopList)
        return state.nextHops.filter { $0.protocolNumber == protocolNumber }
    }

    mutating func deleteNextHops(_ objects: [NextHopObject]) throws(NetlinkError) {
        try checkAlive(.nextHopDelete)
        state.nextHops.removeAll { objects.contains($0) }
    }

    mutating func carryOut(_ batch: RouteBatch) throws(NetlinkError) -> [NetlinkFailure] {
        try checkAlive(.send)
        for object in batch.messages.nextHops where !state.nextHops.contains(object) { state.nextHops.append(object) }
        var failures: [NetlinkFailure] = []
        for (index, request) in batch.requests.requests.enumerated() {
            guard let code = state.perform(request) else { continue }
            failures.append(NetlinkFailure(index: index, error: NetlinkError(request.operation, request.object, code)))
        }
        if state.lostAnswers > 0 {
            state.lostAnswers -= 1
            throw NetlinkError(.receive, "batch", .ENOBUFS)
        }
        return failures
    }

    private func checkAlive(_ operation: NetlinkOperation) throws(NetlinkError) {
        if state.isBroken { throw NetlinkError(operation, "socket", .EBADF) }
    }
}

extension FakeKernel: ConcurrentRouteKernel {
    mutating func begin(_ batch: RouteBatch) {
        state.begun.append(batch)
    }

    var isFinished: Bool { state.isFinished }

    mutating func finish() throws(NetlinkError) -> [NetlinkFailure]? {
        precondition(!state.begun.isEmpty, "nothing was begun")
        let batch = state.begun.removeFirst()
        let isTried = !state.isStopped
        state.isStopped = !state.begun.isEmpty
        guard isTried else { return nil }
        let failures = try carryOut(batch)
        state.isStopped = !state.begun.isEmpty && !failures.isEmpty
        return failures
    }
}

/// A route over one link, of Apus' number unless said otherwise.
func route(
    _ destination: String, via gateway: String? = nil, link: UInt32 = 2, protocolNumber: UInt8 = 97, metric: UInt32 = 0,
) -> Route {
    guard let prefix = IPPrefix(destination) else { preconditionFailure("\(destination) is no prefix") }
    return Route(
        to: prefix, hops: [.init(linkIndex: link, gateway: gateway.flatMap { IPAddress($0) })], metric: metric,
        protocolNumber: protocolNumber)
}

func blackhole(_ destination: String) -> Route {
    guard let prefix = IPPrefix(destination) else { preconditionFailure("\(destination) is no prefix") }
    return Route(to: prefix, kind: .blackhole, protocolNumber: 97)
}

extension RouteTable {
    /// What would be handed out now, in the order of the destinations, deletions after all else.
    func pendingOperations() -> [RouteOperation] {
        var table = self
        return table.takePending().operations.inOrder
    }
}

extension [RouteOperation] {
    /// In the order of the destinations, deletions after all else.
    var inOrder: [RouteOperation] {
        sorted { left, right in
            if left.isDeletion != right.isDeletion { return right.isDeletion }
            return RouteKey(left.route.destination) < RouteKey(right.route.destination)
        }
    }
}

extension RouteOperation {
    fileprivate var isDeletion: Bool {
        if case .delete = self { true } else { false }
    }
}
