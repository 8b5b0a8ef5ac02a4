import LinuxOS
import NetTypes
import Testing

@testable import Dataplane
@testable import Netlink

@Suite("Batches in flight") struct RouteFlightTests {
    private let kernel = FakeKernelState()
    private let a = route("10.1.0.0/26", via: "192.168.1.2")
    private let b = route("10.2.0.0/26", via: "192.168.1.3")

    /// A driver that has read the kernel's routes.
    private func driver() throws -> RouteDriver<FakeKernel> {
        kernel.linksUp = [2: true, 3: true]
        var driver = RouteDriver(kernel: FakeKernel(state: kernel))
        _ = try driver.apply()
        return driver
    }

    private var routes: Set<Route> { Set(kernel.routes.values) }

    @Test("What is wished for while a batch is under way goes with the next, before the answers are taken in")
    func exchange() throws {
        var driver = try driver()
        driver.table.setDesired(a)
        let isLaunched = driver.launch()
        #expect(isLaunched)
        let (isInFlight, isAnswered) = (driver.isInFlight, driver.isAnswered)
        #expect(isInFlight && !isAnswered)
        driver.table.setDesired(b)
        kernel.isFinished = true
        let isAnsweredNow = driver.isAnswered
        #expect(isAnsweredNow)
        let report = try driver.exchange()
        #expect(report.applied == [.add(a)])
        #expect(routes == [a])
        #expect(kernel.begun.map(\.requests.requests) == [[.addRoute(b)]])
        let landed = try driver.land()
        #expect(landed.applied == [.add(b)])
        let isStillInFlight = driver.isInFlight
        #expect(!isStillInFlight)
        #expect(routes == [a, b])
        let applied = try driver.apply()
        #expect(applied == RouteReport())
    }

    @Test("Two batches are in flight at most, one after the other, and what comes later waits for the first")
    func two() throws {
        var driver = try driver()
        let c = route("10.3.0.0/26", via: "192.168.1.4")
        let more = [numbered(1, in: 12), numbered(2, in: 12)]
        driver.table.setDesired(a)
        let isFirst = driver.launch()
        driver.table.setDesired(b)
        for route in more { driver.table.setDesired(route) }
        driver.table.removeDesired(a.destination)
        let isSecond = driver.launch()
        driver.table.setDesired(c)
        let isThird = driver.launch()
        #expect(isFirst && isSecond && !isThird)
        let behind = [b, more[1], more[0]].map { NetlinkRequest.addRoute($0) } + [.deleteRoute(a)]
        #expect(kernel.begun.map(\.requests.requests) == [[.addRoute(a)], behind])
        let first = try driver.exchange()
        #expect(first.applied == [.add(a)])
        #expect(kernel.begun.map(\.requests.requests) == [behind])
        let second = try driver.exchange()
        #expect(Set(second.applied) == Set(([b] + more).map { .add($0) } + [.delete(a)]))
        #expect(kernel.begun.map(\.requests.requests) == [[.addRoute(c)]])
        let rest = try driver.land()
        #expect(rest.applied == [.add(c)])
        #expect(routes == Set([b, c] + more))
        #expect(driver.table.pendingOperations().isEmpty)
    }

    @Test(
        "Behind a batch lies one of four times its size while more is to come, of its size then, or a large one",
        arguments: [(2, false), (3, false), (11, true), (12, true), (131072, true)])
    func sizes(count: Int, isMoreToCome: Bool) throws {
        var driver = try driver()
        driver.expectsMore = isMoreToCome
        let isLarge = count > 1000
        for place in 0..<(isLarge ? 40000 : 3) { driver.table.setDesired(numbered(place, in: 11)) }
        let isFirst = driver.launch()
        for place in 0..<count - 1 { driver.table.setDesired(numbered(place, in: 12)) }
        let isEnough = [3, 12, 131072].contains(count)
        let isTooSmall = isEnough ? driver.launch() : false
        driver.table.setDesired(numbered(count - 1, in: 12))
        let isSecond = driver.launch()
        #expect(isFirst && !isTooSmall && isSecond == isEnough)
        driver.expectsMore = false
        _ = try driver.exchange()
        let isInFlight = driver.isInFlight
        #expect(isInFlight)
        let report = try driver.land()
        #expect(report.applied.count == count)
    }

    @Test("As long as more is to come, what is less than four times the batch before waits, with nothing in flight too")
    func gathering() throws {
        var driver = try driver()
        driver.expectsMore = true
        driver.table.setDesired(a)
        let isFirst = driver.launch()
        _ = try driver.land()
        for place in 0..<3 { driver.table.setDesired(numbered(place, in: 12)) }
        let (isTooSmall, isGathering) = (driver.launch(), driver.isGathering)
        #expect(isFirst && !isTooSmall && isGathering)
        driver.table.setDesired(numbered(3, in: 12))
        let isSecond = driver.launch()
        _ = try driver.land()
        driver.table.setDesired(b)
        let isThird = driver.launch()
        #expect(isSecond && !isThird)
        driver.expectsMore = false
        let isLast = driver.launch()
        #expect(isLast)
        _ = try driver.land()
        #expect(routes == Set([a, b] + (0..<4).map { numbered($0, in: 12) }))
    }

    @Test("What waits for more waits for so long, while the kernel has nothing to do, and no longer")
    func gatheringIsBounded() throws {
        var driver = try driver()
        driver.expectsMore = true
        for place in 0..<3 { driver.table.setDesired(numbered(place, in: 12)) }
        let isFirst = driver.launch()
        driver.table.setDesired(a)
        // While the kernel is at work nothing is lost by waiting.
        for _ in 0..<40 {
            let isBehind = driver.launch()
            #expect(!isBehind)
        }
        _ = try driver.land()
        var attempts = 0
        while attempts < 100, !driver.launch() {
            attempts += 1
            let isGathering = driver.isGathering
            #expect(isGathering, "else it would be written without being launched")
        }
        #expect(isFirst && attempts == 15)
        _ = try driver.land()
        driver.table.setDesired(b)
        let isTooSoon = driver.launch()
        #expect(!isTooSoon, "it counts anew after each batch")
        _ = try driver.apply()
        #expect(routes == Set([a, b] + (0..<3).map { numbered($0, in: 12) }))
    }

    @Test("What waits for more does not keep from the kernel what has to be looked at, and the next begins anew")
    func gatheringEnds() throws {
        var driver = try driver()
        driver.expectsMore = true
        for place in 0..<3 { driver.table.setDesired(numbered(place, in: 12)) }
        let isFirst = driver.launch()
        _ = try driver.land()
        driver.table.setDesired(a)
        let isSecond = driver.launch()
        driver.requestResync()
        let isGathering = driver.isGathering
        #expect(isFirst && !isSecond && !isGathering)
        let report = try driver.apply()
        #expect(report.applied == [.add(a)])
        driver.table.setDesired(b)
        let isLaunched = driver.launch()
        #expect(isLaunched)
        _ = try driver.land()
        #expect(routes == Set([a, b] + (0..<3).map { numbered($0, in: 12) }))
    }

    private func numbered(_ place: Int, in first: Int) -> Route {
        route("\(first + place >> 16).\(place >> 8 & 255).\(place & 255).0/24", via: "192.168.1.2")
    }

    @Test(
        "What lies behind a batch that failed is not begun, and what is wished for is there in the end",
        arguments: [SystemErrorCode.ENETDOWN, .EEXIST, .ENOBUFS])
    func withdrawn(answer: SystemErrorCode) throws {
        var driver = try driver()
        driver.table.setDesired(a)
        driver.table.setDesired(b)
        if answer == .ENOBUFS { kernel.lostAnswers = 1 } else { kernel.faults[a.destination] = [answer] }
        let moved = route("10.1.0.0/26", via: "192.168.1.9")
        let foreign = route("10.1.0.0/26", via: "192.168.1.7", protocolNumber: 4)
        if answer == .EEXIST { kernel.put(foreign) }
        let isFirst = driver.launch()
        // A replacement that rests on the first batch must not reach a route that is another's.
        driver.table.setDesired(moved)
        driver.table.removeDesired(b.destination)
        let more = Set((0..<6).map { numbered($0, in: 12) })
        for route in more { driver.table.setDesired(route) }
        let isSecond = driver.launch()
        #expect(isFirst && isSecond)
        let before = kernel.requests.count
        _ = try driver.exchange()
        if answer == .ENETDOWN { #expect(kernel.requests.count == before + 2) }
        let isStillInFlight = driver.isInFlight
        #expect(!isStillInFlight && kernel.begun.isEmpty)
        driver.table.retry()
        _ = try driver.apply()
        #expect(routes == more.union(answer == .EEXIST ? [foreign] : [moved]))
        #expect(!kernel.requests.contains(.replaceRoute(moved)) || answer == .ENOBUFS)
    }

    @Test("Nothing is launched before the first dump, nor when nothing is pending; and nothing to land is no error")
    func nothing() throws {
        var fresh = RouteDriver(kernel: FakeKernel(state: kernel))
        fresh.table.setDesired(a)
        let isFreshLaunched = fresh.launch()
        #expect(!isFreshLaunched)
        var driver = try driver()
        let isLaunched = driver.launch()
        #expect(!isLaunched)
        let landed = try driver.land()
        #expect(landed == RouteReport())
        let exchanged = try driver.exchange()
        #expect(exchanged == RouteReport())
    }

    @Test(
        "A wish that changes while its route is under way wins in the end, however the kernel answers",
        arguments: [nil, SystemErrorCode.ENETDOWN, .EEXIST, .ENOBUFS], [nil, "192.168.1.2", "192.168.1.9"])
    func changedWish(answer: SystemErrorCode?, later: String?) throws {
        var driver = try driver()
        driver.table.setDesired(a)
        if answer == .ENOBUFS { kernel.lostAnswers = 1 } else if let answer { kernel.faults[a.destination] = [answer] }
        let isLaunched = driver.launch()
        #expect(isLaunched)
        driver.table.removeDesired(a.destination)
        let wanted = later.map { route("10.1.0.0/26", via: $0) }
        if let wanted { driver.table.setDesired(wanted) }
        _ = try driver.land()
        _ = try driver.apply()
        // What was refused and is wished for still waits for a retry.
        if answer == .ENETDOWN, wanted == a {
            #expect(driver.table.condition(of: a.destination) == .problem(.refused(.ENETDOWN, kernelMessage: nil)))
            driver.table.retry()
            _ = try driver.apply()
        }
        #expect(routes == Set([wanted].compactMap { $0 }))
        #expect(driver.table.problemList.isEmpty)
        #expect(driver.table.pendingOperations().isEmpty)
    }

    @Test("A route that comes back while its deletion is under way is there in the end", arguments: [false, true])
    func deletionOverturned(isRefused: Bool) throws {
        var driver = try driver()
        driver.table.setDesired(a)
        _ = try driver.apply()
        driver.table.removeDesired(a.destination)
        if isRefused { kernel.faults[a.destination] = [.EBUSY] }
        let isLaunched = driver.launch()
        #expect(isLaunched)
        driver.table.setDesired(a)
        _ = try driver.land()
        _ = try driver.apply()
        #expect(routes == [a])
        #expect(driver.table.condition(of: a.destination) == .programmed)
    }

    @Test("Refusals name the routes that were refused, whatever the order in which they went")
    func refusals() throws {
        var driver = try driver()
        let all = (0..<64).map { route("10.1.\($0).0/24", via: "192.168.1.2") }
        for route in all { driver.table.setDesired(route) }
        kernel.faults[all[5].destination] = [.ENETUNREACH]
        let isLaunched = driver.launch()
        #expect(isLaunched)
        let report = try driver.exchange()
        #expect(report.news.keys.map(\.destination) == [all[5].destination])
        #expect(routes == Set(all).subtracting([all[5]]))
        let isStillInFlight = driver.isInFlight
        #expect(!isStillInFlight)
    }

    @Test("A batch goes by the bits of its networks read backwards, deletions after all else")
    func scattered() {
        let some = (0..<8).map { route("10.0.0.\($0 * 32)/27", via: "192.168.1.2") }
        let six = ["fd00::/64", "fd00:0:0:1::/64"].map { route($0, via: "fe80::1") }
        let batch = RouteBatch(
            of: some.map { .delete($0) } + [.add(some[1]), .add(some[0])] + six.map { .replace($0) })
        let deleted = [0, 4, 2, 6, 1, 5, 3, 7].map { NetlinkRequest.deleteRoute(some[$0]) }
        #expect(
            batch.requests.requests == [
                .addRoute(some[0]), .replaceRoute(six[0]), .addRoute(some[1]), .replaceRoute(six[1]),
            ].sorted { left, right in order(left) < order(right) } + deleted)
    }

    /// The expected place of an addition in the batch above.
    private func order(_ request: NetlinkRequest) -> UInt64 {
        guard case .addRoute(let route) = request, case .v4(let address) = route.destination.address else {
            guard case .replaceRoute(let route) = request, case .v6(let address) = route.destination.address else {
                return .max
            }
            return reversed(address.high)
        }
        return reversed(UInt64(address.rawValue))
    }

    private func reversed(_ bits: UInt64) -> UInt64 {
        (0..<64).reduce(0) { $0 | (bits >> UInt64($1) & 1) << UInt64(63 - $1) }
    }
}

extension RouteBatch {
    /// The batch of operations that no table has handed out.
    fileprivate init(of operations: [RouteOperation]) {
        var forms = RouteForms()
        for operation in operations { _ = forms.number(of: operation.route) }
        var attempt = RouteAttempt(capacity: operations.count, forms: forms)
        for operation in operations {
            let verb: RouteChange.Verb =
                switch operation {
                case .add: .add
                case .replace: .replace
                case .delete: .delete
                }
            let (route, form) = (operation.route, forms.number(of: operation.route))
            attempt.append(RouteChange(verb, route.destination, metric: route.metric, form: form), inPlaceOf: form)
        }
        var nextHops = NextHopNumbers(protocolNumber: 97, first: 1)
        self.init(attempt, &nextHops)
    }
}
