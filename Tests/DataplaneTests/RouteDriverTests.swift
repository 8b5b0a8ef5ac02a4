import Dataplane
import LinuxOS
import NetTypes
import Testing

@testable import Netlink

@Suite struct RouteDriverTests {
    private let kernel = FakeKernelState()
    private let a = route("10.1.0.0/26", via: "192.168.1.2")
    private let b = route("10.2.0.0/26", via: "192.168.1.3")

    private func driver() -> RouteDriver<FakeKernel> {
        kernel.linksUp = [2: true, 3: true]
        return RouteDriver(kernel: FakeKernel(state: kernel))
    }

    /// Applies, and compares what was done and what is newly wrong.
    private func expect(
        _ driver: inout RouteDriver<FakeKernel>, applied: [RouteOperation] = [], problems: [RouteProblem] = [],
        at location: SourceLocation = #_sourceLocation,
    ) throws {
        let report = try driver.apply()
        #expect(report.applied.inOrder == applied.inOrder, sourceLocation: location)
        #expect(Array(report.news.values) == problems, sourceLocation: location)
    }

    private var routes: Set<Route> { Set(kernel.routes.values) }

    @Test("A restart that wants what is there sends nothing")
    func quietRestart() throws {
        var driver = driver()
        let wanted = [a, b, blackhole("10.9.0.0/26"), route("fd00::/122", via: "fd01::2")]
        for route in wanted { kernel.put(route) }
        _ = try driver.apply()
        for route in wanted { driver.table.setDesired(route) }
        try expect(&driver)
        driver.requestResync()
        try expect(&driver)
        #expect(kernel.requests.isEmpty)
    }

    @Test("A dump that somebody else has made serves as the driver's own")
    func foreignDump() throws {
        var driver = driver()
        kernel.put(a)
        driver.adopt([a.canonical], linksUp: [2, 3])
        let needsResync = driver.needsResync
        #expect(!needsResync)
        driver.table.setDesired(a)
        driver.table.setDesired(b)
        try expect(&driver, applied: [.add(b)])
        #expect(kernel.dumps == 0)
        kernel.routes = kernel.routes.filter { $0.value != a }
        driver.adopt([b.canonical], linksUp: [2, 3])
        try expect(&driver, applied: [.add(a)], problems: [])
    }

    @Test("Nothing that was found is deleted before it is released")
    func adopted() throws {
        var driver = driver()
        kernel.put(a)
        kernel.put(b)
        driver.table.setDesired(a)
        _ = try driver.apply()
        #expect(routes == [a, b])
        driver.table.releaseAdopted(b.destination)
        try expect(&driver, applied: [.delete(b)])
        #expect(routes == [a])
    }

    @Test("A foreign route is reported once, left alone over retries, and replaced by ours when it goes")
    func conflict() throws {
        var driver = driver()
        let foreign = route("10.1.0.0/26", via: "192.168.1.9", protocolNumber: 3)
        kernel.put(foreign)
        driver.table.setDesired(a)
        driver.table.setDesired(b)
        try expect(&driver, applied: [.add(b)], problems: [.conflict(with: foreign)])
        try expect(&driver)
        driver.table.retry()
        try expect(&driver)
        #expect(routes == [foreign, b])
        kernel.routes = kernel.routes.filter { $0.value != foreign }
        driver.handle([.route(foreign, deleted: true)])
        try expect(&driver, applied: [.add(a)])
        #expect(routes == [a, b])
    }

    @Test("EEXIST by an own route that no event told of is mended in the same go")
    func staleOwn() throws {
        var driver = driver()
        _ = try driver.apply()
        kernel.put(route("10.1.0.0/26", via: "192.168.1.77"))
        driver.table.setDesired(a)
        try expect(&driver, applied: [.replace(a)])
        #expect(routes == [a])
    }

    @Test("A link that goes down and up again has its routes back, and those of other links are not touched")
    func linkDown() throws {
        var driver = driver()
        let c = route("10.3.0.0/26", via: "192.168.2.2", link: 3)
        for route in [a, b, c] { driver.table.setDesired(route) }
        _ = try driver.apply()
        kernel.requests = []
        kernel.linkDown(2)
        driver.handle([.link(kernel.link(2), deleted: false)])
        try expect(&driver)
        let condition = driver.table.condition(of: a.destination)
        #expect(condition == .held(linkIndex: 2))
        #expect(kernel.requests.isEmpty)
        kernel.linksUp[2] = true
        driver.handle([.link(kernel.link(2), deleted: false)])
        try expect(&driver, applied: [.add(a), .add(b)])
        #expect(routes == [a, b, c])
    }

    @Test("Loss of carrier leaves plain routes and so costs no message")
    func carrier() throws {
        var driver = driver()
        driver.table.setDesired(a)
        _ = try driver.apply()
        kernel.requests = []
        driver.handle([.link(kernel.link(2), deleted: false), .link(kernel.link(2), deleted: false)])
        try expect(&driver)
        #expect(kernel.requests.isEmpty)
    }

    @Test("A pod's link coming and going costs no dump")
    func podLinks() throws {
        var driver = driver()
        driver.table.setDesired(a)
        _ = try driver.apply()
        let dumps = kernel.dumps
        kernel.linksUp[40] = true
        driver.handle([.link(kernel.link(40), deleted: false), .link(kernel.link(40), deleted: true)])
        _ = try driver.apply()
        #expect(kernel.dumps == dumps)
    }

    @Test("Lost events and removed addresses lead to a dump that finds what is missing")
    func silentLoss() throws {
        let address = LinkAddress(linkIndex: 2, address: try #require(CIDRAddress("192.168.1.1/24")))
        for event in [KernelEvent.overrun, .address(address, deleted: true)] {
            var driver = driver()
            driver.table.setDesired(a)
            _ = try driver.apply()
            kernel.routes = [:]
            try expect(&driver)
            driver.handle([event])
            try expect(&driver, applied: [.add(a)])
        }
    }

    @Test("A refused route goes in when an address appears on its link")
    func gatewayBecomesReachable() throws {
        var driver = driver()
        kernel.faults[a.destination] = [.ENETUNREACH]
        driver.table.setDesired(a)
        try expect(&driver, problems: [.refused(.ENETUNREACH, kernelMessage: nil)])
        try expect(&driver)
        let address = LinkAddress(linkIndex: 2, address: try #require(CIDRAddress("192.168.1.1/24")))
        driver.handle([.address(address, deleted: false)])
        try expect(&driver, applied: [.add(a)])
    }

    @Test("A refused route goes in when somebody's route puts a network on its link, and for no other route")
    func networkComesLater() throws {
        var driver = driver()
        kernel.faults[a.destination] = [.ENETUNREACH]
        driver.table.setDesired(a)
        try expect(&driver, problems: [.refused(.ENETUNREACH, kernelMessage: nil)])
        let network = route("192.168.1.0/24", protocolNumber: 2, metric: 100)
        for (other, isDeleted) in [
            (route("192.168.1.0/24", link: 3, protocolNumber: 2), false), (network, true),
            (route("10.7.0.0/16", via: "192.168.1.254", protocolNumber: 4), false), (route("10.244.0.9/32"), false),
        ] {
            driver.handle([.route(other, deleted: isDeleted, isReplacement: false)])
            try expect(&driver)
        }
        driver.handle([.route(network, deleted: false, isReplacement: false)])
        try expect(&driver, applied: [.add(a)])
    }

    @Test("Lost answers lead to a dump, and the result is right whatever was done", arguments: 1...6)
    func lostAnswers(count: Int) throws {
        var driver = driver()
        kernel.put(b)
        driver.table.setDesired(a)
        driver.table.setDesired(route("10.2.0.0/26", via: "192.168.1.8"))
        kernel.lostAnswers = count
        for _ in 0..<3 { _ = try driver.apply() }
        #expect(routes == [a, route("10.2.0.0/26", via: "192.168.1.8")])
        let (table, needsResync) = (driver.table, driver.needsResync)
        #expect(table.problemList.isEmpty)
        #expect(!needsResync)
    }

    @Test("A dead socket is an error; the table goes on with another one")
    func brokenSocket() throws {
        var driver = driver()
        driver.table.setDesired(a)
        kernel.isBroken = true
        do {
            _ = try driver.apply()
            Issue.record("a dead socket went unnoticed")
        } catch {
            #expect(error.code == .EBADF)
        }
        kernel.isBroken = false
        driver.reopen(with: FakeKernel(state: kernel))
        try expect(&driver, applied: [.add(a)])
    }

    @Test("A destination that is occupied, and empty at every look, is given up for now")
    func phantom() throws {
        var driver = driver()
        kernel.faults[a.destination] = Array(repeating: .EEXIST, count: 10)
        driver.table.setDesired(a)
        try expect(&driver, problems: [.refused(.EEXIST, kernelMessage: nil)])
        let pending = driver.table.pendingOperations()
        #expect(pending.isEmpty)
    }
}
