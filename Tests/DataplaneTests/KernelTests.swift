import Dataplane
import LinuxOS
import NetTypes
import Netlink
import TestKit
import Testing

/// The driver against the kernel itself.
@Suite(.enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct KernelTests {
    /// A namespace with a link `d0` that has 192.168.1.1/24 and fd01::1/64, its driver, and a monitor that was there
    /// before.
    private struct Node: ~Copyable {
        var driver: RouteDriver<NetlinkSocket>
        var monitor: NetlinkMonitor
        let link: UInt32

        init(_ fixture: borrowing NetNSFixture) throws {
            try fixture.ip("link add d0 type veth peer name d1")
            try fixture.ip("addr add 192.168.1.1/24 dev d0")
            try fixture.ip("link set d1 up")
            try fixture.ip("link set d0 up")
            try fixture.ip("addr add fd01::1/64 dev d0 nodad")
            var socket = try NetlinkSocket()
            let index = try socket.link(named: "d0")?.index
            let monitor = try NetlinkMonitor()
            link = index ?? 0
            self.monitor = monitor
            driver = RouteDriver(kernel: socket)
        }

        /// Takes in the events that are there, and applies.
        mutating func settle() throws -> RouteReport {
            driver.handle(try monitor.drain())
            return try driver.apply()
        }

        /// Settles until the kernel's routes of protocol 97 are these lines, in any order.
        mutating func settles(on lines: Set<String>, _ fixture: borrowing NetNSFixture) throws -> Bool {
            let deadline = BootClock.now() + .seconds(5)
            while BootClock.now() < deadline {
                _ = try settle()
                if try Self.routes(fixture) == lines { return true }
                _ = try monitor.wait(until: BootClock.now() + .milliseconds(20))
            }
            return false
        }

        static func routes(_ fixture: borrowing NetNSFixture) throws -> Set<String> {
            let text = try fixture.ip("route show proto 97") + fixture.ip("-6 route show proto 97")
            return Set(
                text.split(separator: "\n").map { line in
                    line.split(separator: " ").joined(separator: " ")
                })
        }
    }

    private static let all: Set<String> = [
        "10.1.0.0/26 via 192.168.1.2 dev d0", "blackhole 10.9.0.0/26",
        "fd00::/122 via fd01::2 dev d0 metric 1024 pref medium",
        "blackhole fd00::40/122 dev lo metric 1024 pref medium",
    ]

    private static func wish(_ table: inout RouteTable, link: UInt32) {
        table.setDesired(route("10.1.0.0/26", via: "192.168.1.2", link: link))
        table.setDesired(route("fd00::/122", via: "fd01::2", link: link))
        table.setDesired(blackhole("10.9.0.0/26"))
        table.setDesired(blackhole("fd00::40/122"))
    }

    @Test("Routes of both families and blackholes go in; a restart that wants the same causes no event")
    func restart() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            Self.wish(&node.driver.table, link: node.link)
            let first = try node.settle()
            #expect(first.applied.count == 4)
            #expect(first.news.isEmpty)
            #expect(try Node.routes(fixture) == Self.all)
            _ = try node.monitor.drain()

            var second = RouteDriver(kernel: try NetlinkSocket())
            _ = try second.apply()
            Self.wish(&second.table, link: node.link)
            #expect(try second.apply() == RouteReport())
            second.requestResync()
            #expect(try second.apply() == RouteReport())
            try fixture.ip("route add 10.77.0.0/26 via 192.168.1.7 proto 4")
            let canary = route("10.77.0.0/26", via: "192.168.1.7", link: node.link, protocolNumber: 4)
            var events: [KernelEvent] = []
            let isSeen = try eventually {
                events += try node.monitor.drain()
                return events.contains(.route(canary, deleted: false))
            }
            #expect(isSeen)
            // What the kernel has to tell of a link that has just come up is not ours.
            let routes = events.filter { event in
                if case .route(let route, _, _) = event { route.protocolNumber != 2 } else { false }
            }
            #expect(routes == [.route(canary, deleted: false)])
        }
    }

    @Test("A route that somebody deletes, or replaces with one of ours changed, is put back")
    func deleted() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            Self.wish(&node.driver.table, link: node.link)
            _ = try node.settle()
            try fixture.ip("route del 10.1.0.0/26")
            try fixture.ip("-6 route del fd00::/122")
            try fixture.ip("route del blackhole 10.9.0.0/26")
            #expect(try node.settles(on: Self.all, fixture))
            try fixture.ip("route replace 10.1.0.0/26 via 192.168.1.99 proto 97")
            #expect(try node.settles(on: Self.all, fixture))
        }
    }

    @Test("A link that is set down loses its routes without an event of theirs, and has them back once it is up")
    func linkDown() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            Self.wish(&node.driver.table, link: node.link)
            _ = try node.settle()
            try fixture.ip("link set d0 down")
            #expect(try node.settles(on: Self.all.filter { $0.hasPrefix("blackhole") }, fixture))
            let condition = node.driver.table.condition(of: try #require(IPPrefix("10.1.0.0/26")))
            #expect(condition == .held(linkIndex: node.link))
            try fixture.ip("link set d1 up")
            try fixture.ip("link set d0 up")
            try fixture.ip("addr replace fd01::1/64 dev d0 nodad")
            #expect(try node.settles(on: Self.all, fixture))
        }
    }

    @Test("A foreign route at the destination stays, is reported, and gives way only by itself")
    func conflict() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            try fixture.ip("route add 10.1.0.0/26 via 192.168.1.9 proto 3")
            Self.wish(&node.driver.table, link: node.link)
            let report = try node.settle()
            let foreign = route("10.1.0.0/26", via: "192.168.1.9", link: node.link, protocolNumber: 3)
            #expect(Array(report.news.values) == [.conflict(with: foreign)])
            node.driver.table.retry()
            #expect(try node.settle() == RouteReport())
            #expect(try fixture.ip("route show 10.1.0.0/26").contains("via 192.168.1.9"))
            try fixture.ip("route del 10.1.0.0/26 proto 3")
            #expect(try node.settles(on: Self.all, fixture))
            // And the other way round: somebody replaces our route.
            try fixture.ip("route replace 10.1.0.0/26 via 192.168.1.9 proto 3")
            #expect(try eventually { try node.settle().news.values.contains(.conflict(with: foreign)) })
            #expect(try fixture.ip("route show 10.1.0.0/26").contains("via 192.168.1.9"))
        }
    }

    @Test("Routes of others, pod routes and adopted ones survive; what is released goes")
    func adopted() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            try fixture.ip("route add 10.0.0.5/32 dev d0 scope link proto 97")
            try fixture.ip("route add 10.2.0.0/26 via 192.168.1.2 proto 97")
            try fixture.ip("route add 10.3.0.0/26 via 192.168.1.2 proto 97")
            try fixture.ip("route add 10.4.0.0/26 via 192.168.1.2 proto 12")
            #expect(try node.settle() == RouteReport())
            #expect(node.driver.table.adoptedRoutes.map(\.destination.description) == ["10.2.0.0/26", "10.3.0.0/26"])
            let released = node.driver.table.releaseAdopted(try #require(IPPrefix("10.2.0.0/26")))
            #expect(released)
            #expect(try node.settle().applied.count == 1)
            #expect(try Node.routes(fixture) == ["10.0.0.5 dev d0 scope link", "10.3.0.0/26 via 192.168.1.2 dev d0"])
            #expect(try fixture.ip("route show proto 12").contains("10.4.0.0/26"))
        }
    }

    @Test(
        "A gateway that is not reachable is refused with the kernel's words, and accepted once an address makes it so")
    func gateway() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            node.driver.table.setDesired(route("10.6.0.0/26", via: "172.16.0.2", link: node.link))
            let report = try node.settle()
            #expect(
                Array(report.news.values) == [.refused(.ENETUNREACH, kernelMessage: "Nexthop has invalid gateway")])
            try fixture.ip("addr add 172.16.0.1/24 dev d0")
            #expect(try node.settles(on: ["10.6.0.0/26 via 172.16.0.2 dev d0"], fixture))
        }
    }

    @Test("Ten thousand routes go in, change and go in one batch each, one foreign route among them")
    func bulk() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            try fixture.ip("route add 10.16.5.0/30 via 192.168.1.9 proto 3")
            let destinations = (0..<10_000).compactMap { index in
                IPPrefix(masking: .v4(IPv4Address(rawValue: 0x0a10_0000 + UInt32(index) * 4)), length: 30)
            }
            for (gateway, done) in [("192.168.1.2", 9_999), ("192.168.1.3", 9_999)] {
                for destination in destinations {
                    node.driver.table.setDesired(route(destination.description, via: gateway, link: node.link))
                }
                let report = try node.driver.apply()
                #expect(report.applied.count == done)
                #expect(node.driver.table.problemList.map(\.key.description) == ["10.16.5.0/30"])
            }
            for destination in destinations { node.driver.table.removeDesired(destination) }
            #expect(try node.driver.apply().applied.count == 9_999)
            #expect(try Node.routes(fixture).isEmpty)
        }
    }
}
