import LinuxOS
package import NetTypes
package import Netlink

/// What one `apply` came to.
package struct RouteReport: Sendable, Equatable {
    /// What was carried out, each attempt without the places of what failed.
    var done: [(attempt: RouteAttempt, without: Set<Int>)] = []
    /// The problems that are new or other than before.
    package var news: [RouteKey: RouteProblem] = [:]

    /// The operations the kernel has done, those of one batch in no order.
    ///
    /// - Complexity: O(n)
    package var applied: [RouteOperation] {
        done.flatMap { done in
            done.attempt.operations.enumerated().lazy.filter { !done.without.contains($0.offset) }.map(\.element)
        }
    }

    /// Makes the report that nothing was to be done.
    package init() {}

    package static func == (left: RouteReport, right: RouteReport) -> Bool {
        left.news == right.news && left.applied == right.applied
    }

    /// Adds what came to pass later.
    mutating func append(_ later: RouteReport) {
        done += later.done
        news.merge(later.news) { _, newer in newer }
    }
}

/// Carries a `RouteTable`'s operations to the kernel and the kernel's answers and events back to it.
///
/// Its calls block: one thread owns it. It stays in the network namespace its kernel's socket was opened in.
package struct RouteDriver<Kernel: RouteKernel & ~Copyable>: ~Copyable {
    /// The routes. Wishes go straight in: `driver.table.setDesired(…)`; `apply` carries them out.
    package var table: RouteTable
    /// Whether the kernel's routes must be read again before anything is done: at the start, and after what events
    /// alone do not tell.
    package private(set) var needsResync = true
    var kernel: Kernel
    /// What the kernel is working on, and what lies ready behind it; see `launch`.
    var inFlight: [(attempt: RouteAttempt, batch: RouteBatch)] = []
    /// The numbers of next hops that many routes share.
    var nextHops: NextHopNumbers
    /// Whether the kernel's next hops are to be held against the routes that were dumped.
    private var needsNextHops = false
    /// How many operations the latest batch had of those that `launch` has sent since the last `apply`.
    var latestCount = 0
    /// How often `launch` has left what is pending to wait, with nothing in flight, since the latest batch.
    var idleLaunches = 0
    /// Whether more wishes are about to come: as long as they do, `launch` waits for a batch worth its while.
    package var expectsMore = false
    /// The problems that a report has told of and that last.
    private var reported: [RouteKey: RouteProblem] = [:]

    /// How often one `apply` starts over after lost answers or a look at what stands in the way.
    private static var maximumRounds: Int { 4 }

    /// Takes the kernel; nothing is asked of it yet.
    ///
    /// - Parameter firstNextHop: a number of a next hop that nobody else has, and none of those that follow it.
    package init(kernel: consuming Kernel, protocolNumber: UInt8 = 97, firstNextHop: UInt32 = 97 << 24) {
        self.kernel = kernel
        table = RouteTable(protocolNumber: protocolNumber)
        nextHops = NextHopNumbers(protocolNumber: protocolNumber, first: firstNextHop)
    }

    /// Asks for a dump at the next `apply`: after lost events, and now and then.
    package mutating func requestResync() { needsResync = true }

    /// Takes events in. Nothing is asked of the kernel before `apply`.
    package mutating func handle(_ events: [KernelEvent]) {
        for event in events {
            switch event {
            case .link(let link, let deleted):
                if table.linkChanged(link.index, isUp: link.isUp && !deleted) { needsResync = true }
            case .address(let address, let deleted):
                guard table.uses(link: address.linkIndex) else { continue }
                // A route whose gateway was not reachable may be accepted now; one whose source is gone went silently.
                if deleted { needsResync = true } else { table.retry(link: address.linkIndex) }
            case .route(let route, let deleted, _):
                table.observe(route, deleted: deleted)
                // A gateway may be on the link by this route alone, which comes after the address.
                let isNew = !deleted && route.protocolNumber != table.protocolNumber
                for hop in route.hops where isNew && hop.gateway == nil { table.retry(link: hop.linkIndex) }
            case .nextHopLost(let number): if number == table.protocolNumber { needsResync = true }
            case .neighbour, .neighbourLost, .fdb, .settings, .ruleset: break
            case .overrun: needsResync = true
            }
        }
    }

    /// Compares and mends: reads the kernel's routes if that is due, and carries out what is pending.
    ///
    /// When nothing is pending, no message is sent.
    /// - Throws: `NetlinkError` when the socket fails; open another and take the table over. Refused routes are no
    ///   error: they are in the report and in the table.
    package mutating func apply() throws(NetlinkError) -> RouteReport {
        var report = RouteReport()
        (latestCount, idleLaunches) = (0, 0)
        var occupied: [RouteOperation] = []
        for _ in 0..<Self.maximumRounds {
            do throws(NetlinkError) {
                if needsResync {
                    try resync()
                } else if needsNextHops {
                    try keepNextHops(try kernel.nextHops(protocolNumber: table.protocolNumber))
                }
                let attempt = table.takePending()
                if attempt.changes.isEmpty { break }
                occupied = try carryOut(attempt, into: &report)
                if occupied.isEmpty { break }
            } catch {
                needsResync = true
                guard error.isOverrun else { throw error }
            }
        }
        // Occupied, and empty when looked at, round after round: it waits like any other refusal.
        for operation in occupied where table.isPending(RouteKey(operation.route)) {
            table.setProblem(.refused(.EEXIST, kernelMessage: nil), at: RouteKey(operation.route))
        }
        report.news = news()
        return report
    }

    /// The problems that no report has told of.
    mutating func news() -> [RouteKey: RouteProblem] {
        if table.problems.isEmpty, reported.isEmpty { return [:] }
        let news = table.problems.filter { reported[$0.key] != $0.value }
        reported = table.problems
        return news
    }

    /// Goes on with another socket, the first having failed. The table stays; it is compared with the kernel anew.
    package mutating func reopen(with kernel: consuming Kernel) {
        self.kernel = kernel
        for (attempt, _) in inFlight.reversed() { table.lost(attempt) }
        inFlight = []
        needsResync = true
    }

    /// Takes dumps that somebody else has just made, in place of those of the next `apply`: every route of the table's
    /// protocol number, and the indices of the links that are up.
    package mutating func adopt(_ routes: [Route], linksUp: Set<UInt32>) {
        precondition(inFlight.isEmpty, "a batch is in flight")
        table.adopt(routes)
        table.setLinks(up: linksUp)
        nextHops.observe(routes)
        (needsResync, needsNextHops) = (false, true)
    }

    /// Whatever changes between the dumps brings an event of its own, and with it the next resync.
    private mutating func resync() throws(NetlinkError) {
        // The kernel tells that a next hop goes before it takes the routes that name it, and answers this after both.
        let objects = try kernel.nextHops(protocolNumber: table.protocolNumber)
        var routes: [Route] = []
        for family in AddressFamily.allCases {
            routes += try kernel.routes(protocolNumber: table.protocolNumber, family: family)
        }
        let up = Set(try kernel.links().lazy.filter(\.isUp).map(\.index))
        adopt(routes, linksUp: up)
        try keepNextHops(objects)
    }

    /// Deletes the next hops that no route is by; those of routes whose hops are hidden stay.
    private mutating func keepNextHops(_ objects: [NextHopObject]) throws(NetlinkError) {
        let unnamed = nextHops.hasHidden ? [] : objects.filter { !table.hasForm(by: $0.hop) }
        if !unnamed.isEmpty { try kernel.deleteNextHops(unnamed) }
        nextHops.adopt(objects.filter { !unnamed.contains($0) })
        needsNextHops = false
    }

    /// - Returns: the additions that met EEXIST; another round settles them.
    private mutating func carryOut(
        _ attempt: RouteAttempt, into report: inout RouteReport,
    ) throws(NetlinkError) -> [RouteOperation] {
        do throws(NetlinkError) {
            let batch = RouteBatch(attempt, &nextHops)
            let failures = try kernel.carryOut(batch)
            return try take(batch.errors(failures), of: attempt, into: &report)
        } catch {
            table.lost(attempt)
            throw error
        }
    }

    /// Takes the kernel's answers in: the errors, by the places of their operations.
    ///
    /// - Returns: the additions that met EEXIST; another round settles them.
    mutating func take(
        _ errors: [Int: NetlinkError], of attempt: RouteAttempt, into report: inout RouteReport,
    ) throws(NetlinkError) -> [RouteOperation] {
        report.done.append((attempt, without: Set(errors.keys)))
        // Nearly always all there is.
        if errors.isEmpty, table.problems.isEmpty { return [] }
        var occupied: [RouteOperation] = []
        for (place, operation) in attempt.operations.enumerated() {
            guard let error = errors[place] else {
                table.succeeded(operation)
                continue
            }
            let isOccupied = table.failed(
                operation, inPlaceOf: attempt.former[place], error.code, kernelMessage: error.kernelMessage)
            if isOccupied { occupied.append(operation) }
        }
        try look(at: occupied)
        return occupied
    }

    /// EEXIST does not say whose route is there: a dump does.
    private mutating func look(at occupied: [RouteOperation]) throws(NetlinkError) {
        for family in AddressFamily.allCases {
            let operations = occupied.filter { $0.route.destination.family == family }
            guard !operations.isEmpty else { continue }
            var routes: [RouteKey: Route] = [:]
            for route in try kernel.routes(protocolNumber: nil, family: family) {
                routes[RouteKey(route.canonical)] = route
            }
            for operation in operations { table.found(routes[RouteKey(operation.route)], for: operation) }
        }
    }
}

extension RouteOperation {
    /// The message to the kernel.
    var request: NetlinkRequest {
        switch self {
        case .add(let route): .addRoute(route)
        case .replace(let route): .replaceRoute(route)
        case .delete(let route): .deleteRoute(route)
        }
    }
}
