import LinuxOS
import NetTypes
import Testing

@testable import Dataplane

@Suite struct RouteTableTests {
    private let a = route("10.1.0.0/26", via: "192.168.1.2")
    private let b = route("10.1.0.0/26", via: "192.168.1.3")

    @Test("What the kernel holds already costs no operation; what differs costs one")
    func difference() {
        let cases: [(desired: Route?, actual: Route?, expected: [RouteOperation])] = [
            (nil, nil, []), (a, nil, [.add(a)]), (a, a, []), (a, b, [.replace(a)]), (nil, a, []),
        ]
        for (desired, actual, expected) in cases {
            for isDesiredFirst in [true, false] {
                var table = RouteTable()
                if isDesiredFirst, let desired { table.setDesired(desired) }
                table.adopt([actual].compactMap { $0 })
                if !isDesiredFirst, let desired { table.setDesired(desired) }
                #expect(table.pendingOperations() == expected)
            }
        }
    }

    @Test("What waits for its link for days does not keep what came and went beside it")
    func queue() {
        var table = RouteTable()
        let waiting = route("10.9.0.0/26", via: "192.168.2.2", link: 3)
        table.setDesired(waiting)
        #expect(table.linkChanged(3, isUp: false) == true)
        for _ in 0..<5000 {
            table.setDesired(a)
            #expect(table.takePending().operations == [.add(a)])
            table.removeDesired(a.destination)
            #expect(table.takePending().operations == [.delete(a)])
            table.setDesired(a)
            table.removeDesired(a.destination)
        }
        #expect(table.queue.count < 1100)
        #expect(table.linkChanged(3, isUp: true) == true)
        #expect(table.pendingOperations() == [.add(waiting)])
    }

    @Test("IPv6 routes without a metric are those the kernel shows with 1024")
    func ipv6Metric() throws {
        var table = RouteTable()
        table.setDesired(route("fd00::/122", via: "fe80::1"))
        table.adopt([route("fd00::/122", via: "fe80::1", metric: 1024)])
        #expect(table.pendingOperations().isEmpty)
        table.removeDesired(try #require(IPPrefix("fd00::/122")))
        #expect(table.pendingOperations() == [.delete(route("fd00::/122", via: "fe80::1"))])
    }

    @Test("Additions and replacements come before deletions, each in the order of the destinations")
    func order() throws {
        var table = RouteTable()
        let gone = route("10.0.0.0/26", via: "192.168.1.2")
        table.setDesired(gone)
        table.adopt([gone, b])
        table.removeDesired(gone.destination)
        table.setDesired(blackhole("10.9.0.0/26"))
        table.setDesired(a)
        #expect(table.pendingOperations() == [.replace(a), .add(blackhole("10.9.0.0/26")), .delete(gone)])
    }

    @Test("What is found and not desired is adopted and stays, until it is released or swept")
    func adopted() throws {
        var table = RouteTable()
        let c = route("10.2.0.0/26", via: "192.168.1.2")
        let d = route("10.3.0.0/26", via: "192.168.1.2")
        table.adopt([a, c, d])
        #expect(table.adoptedRoutes == [a, c, d])
        #expect(table.pendingOperations().isEmpty)
        #expect(table.condition(of: a.destination) == .adopted)
        table.setDesired(d)
        table.adopt([a, c, d])
        #expect(table.adoptedRoutes == [a, c])
        #expect(table.releaseAdopted(a.destination) == true)
        #expect(table.releaseAdopted(d.destination) == false)
        #expect(table.pendingOperations() == [.delete(a)])
        #expect(table.sweep { $0.destination == c.destination } == 1)
        #expect(table.pendingOperations() == [.delete(a), .delete(c)])
        // A dump that still shows them does not adopt them again.
        table.adopt([a, c, d])
        #expect(table.pendingOperations() == [.delete(a), .delete(c)])
    }

    @Test("Pod routes and routes of others are not the table's")
    func foreign() {
        var table = RouteTable()
        let pod = Route(
            to: route("10.0.0.5/32").destination, hops: [.init(linkIndex: 9)], scope: .link, protocolNumber: 97)
        table.adopt([pod, route("10.5.0.0/26", via: "192.168.1.9", protocolNumber: 12)])
        #expect(table.actualRoutes.isEmpty)
        table.observe(pod, deleted: false)
        #expect(table.actualRoutes.isEmpty)
        #expect(table.setDesired(route("10.5.0.0/26", protocolNumber: 12)) == false)
        #expect(table.pendingOperations().isEmpty)
    }

    @Test("A deleted route comes back, and our own echo costs nothing")
    func events() {
        var table = RouteTable()
        table.setDesired(a)
        #expect(table.takePending().operations == [.add(a)])
        table.observe(a, deleted: false)
        #expect(table.pendingOperations().isEmpty)
        table.observe(a, deleted: true)
        #expect(table.pendingOperations() == [.add(a)])
        #expect(table.takePending().operations == [.add(a)])
        table.observe(b, deleted: false)
        #expect(table.pendingOperations() == [.replace(a)])
    }

    @Test("A foreign route in our place is a conflict until it goes; it is never replaced")
    func conflict() {
        var table = RouteTable()
        let foreign = route("10.1.0.0/26", via: "192.168.1.9", protocolNumber: 3)
        table.setDesired(a)
        #expect(table.failed(.add(a), .EEXIST) == true)
        table.found(foreign, for: .add(a))
        #expect(table.condition(of: a.destination) == .problem(.conflict(with: foreign)))
        #expect(table.pendingOperations().isEmpty)
        table.observe(foreign, deleted: true)
        #expect(table.pendingOperations() == [.add(a)])
        #expect(table.takePending().operations == [.add(a)])
        #expect(table.condition(of: a.destination) == .programmed)
        table.observe(foreign, deleted: false)
        #expect(table.condition(of: a.destination) == .problem(.conflict(with: foreign)))
        #expect(table.pendingOperations().isEmpty)
        table.retry()
        #expect(table.pendingOperations() == [.add(a)])
        #expect(
            table.problemList.map { $0.problem.text { index in index == 2 ? "eth0" : nil } }
                == ["conflict: 10.1.0.0/26 via 192.168.1.9 dev eth0 proto 3 is not Apus' own"])
        // The same reason after a retry is still there for whoever asks.
        #expect(table.problemList.map(\.problem) == [.conflict(with: foreign)])
    }

    @Test("EEXIST that turns out to be our own route is compared and mended")
    func ownFound() {
        var table = RouteTable()
        table.setDesired(a)
        #expect(table.failed(.add(a), .EEXIST) == true)
        table.found(b, for: .add(a))
        #expect(table.pendingOperations() == [.replace(a)])
        table.found(nil, for: .add(a))
        #expect(table.pendingOperations() == [.replace(a)])
    }

    @Test("A refusal waits for the link or the retry; one without a reason to stay goes with the wish")
    func refused() {
        var table = RouteTable()
        table.setDesired(a)
        #expect(table.failed(.add(a), .ENETUNREACH, kernelMessage: "Nexthop has invalid gateway") == false)
        #expect(table.pendingOperations().isEmpty)
        table.retry(link: 3)
        #expect(table.pendingOperations().isEmpty)
        table.retry(link: 2)
        #expect(table.pendingOperations() == [.add(a)])
        #expect(table.failed(.add(a), .ENETUNREACH) == false)
        table.removeDesired(a.destination)
        #expect(table.problemList.isEmpty)
        #expect(table.condition(of: a.destination) == .absent)
    }

    @Test("A deletion of what is gone is done")
    func goneAlready() {
        var table = RouteTable()
        table.setDesired(a)
        #expect(table.takePending().operations == [.add(a)])
        table.removeDesired(a.destination)
        #expect(table.failed(.delete(a), .ESRCH) == false)
        #expect(table.pendingOperations().isEmpty)
        #expect(table.condition(of: a.destination) == .absent)
    }

    @Test("Routes of a link that is down are held, and go in when it is up; other links are nobody's business")
    func links() {
        var table = RouteTable()
        table.setDesired(a)
        table.setDesired(blackhole("10.9.0.0/26"))
        #expect(table.linkChanged(77, isUp: true) == false)
        #expect(table.linkChanged(2, isUp: false) == true)
        #expect(table.pendingOperations() == [.add(blackhole("10.9.0.0/26"))])
        #expect(table.condition(of: a.destination) == .held(linkIndex: 2))
        #expect(table.linkChanged(2, isUp: true) == true)
        #expect(table.pendingOperations().first == .add(a))
        table.setLinks(up: [])
        #expect(table.condition(of: a.destination) == .held(linkIndex: 2))
        table.setLinks(up: [2])
        #expect(table.condition(of: a.destination) == .pending)
    }

    @Test("An addition whose answer was lost is not mistaken for somebody else's earlier work")
    func lostAnswer() {
        var table = RouteTable()
        table.setDesired(a)
        let attempt = table.takePending()
        table.removeDesired(a.destination)
        table.lost(attempt)
        #expect(table.pendingOperations().isEmpty)
        table.adopt([a])
        #expect(table.adoptedRoutes.isEmpty)
        #expect(table.pendingOperations() == [.delete(a)])
    }

    @Test("What was handed out counts as done until it is refused or lost; then it is as it was before")
    func takenBack() {
        let steps: [(before: Route?, wanted: Route?, operation: RouteOperation)] = [
            (nil, a, .add(a)), (b, a, .replace(a)), (b, nil, .delete(b)),
        ]
        for (before, wanted, operation) in steps {
            for isLost in [false, true] {
                var table = RouteTable()
                if let before { table.setDesired(before) }
                _ = table.takePending()
                if let wanted { table.setDesired(wanted) } else { table.removeDesired(b.destination) }
                let attempt = table.takePending()
                #expect(attempt.operations == [operation])
                #expect(table.actualRoutes == [wanted].compactMap { $0 })
                #expect(table.pendingOperations().isEmpty)
                if isLost {
                    table.lost(attempt)
                } else {
                    #expect(table.failed(operation, inPlaceOf: attempt.former[0], .EBUSY) == false)
                    #expect(table.pendingOperations().isEmpty)
                    table.retry()
                }
                #expect(table.actualRoutes == [before].compactMap { $0 })
                #expect(table.pendingOperations() == [operation])
            }
        }
    }

    @Test("Any history of wishes, dumps and events ends, carried out, with exactly the desired and the adopted routes")
    func histories() throws {
        var seed = UInt64(7)
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        func any() -> Route {
            route("10.0.\(next(6)).0/26", via: "192.168.1.\(next(3) + 1)", link: UInt32(next(2) + 2))
        }
        for _ in 0..<200 {
            var table = RouteTable()
            var kernel: [IPPrefix: Route] = [:]
            for _ in 0..<next(4) { let found = any(); kernel[found.destination] = found }
            table.adopt(Array(kernel.values))
            for _ in 0..<60 {
                switch next(6) {
                case 0, 1: table.setDesired(any())
                case 2: table.removeDesired(any().destination)
                case 3:  // Somebody deletes a route.
                    if let gone = kernel.removeValue(forKey: any().destination) { table.observe(gone, deleted: true) }
                case 4:  // Somebody changes a route of ours.
                    let other = any()
                    if kernel[other.destination] != nil {
                        kernel[other.destination] = other; table.observe(other, deleted: false)
                    }
                default: table.adopt(Array(kernel.values))
                }
                if next(3) == 0 { carryOut(&table, &kernel) }
            }
            carryOut(&table, &kernel)
            let expected = Set(table.desiredRoutes).union(table.adoptedRoutes)
            #expect(Set(kernel.values) == expected)
            #expect(table.pendingOperations().isEmpty)
        }
    }

    private func carryOut(_ table: inout RouteTable, _ kernel: inout [IPPrefix: Route]) {
        for operation in table.takePending().operations {
            switch operation {
            case .add(let route):
                #expect(kernel[route.destination] == nil)
                kernel[route.destination] = route
            case .replace(let route):
                #expect(kernel[route.destination] != nil)
                kernel[route.destination] = route
            case .delete(let route):
                #expect(kernel[route.destination] != nil)
                kernel[route.destination] = nil
            }
        }
    }
}
