import Dataplane
import LinuxOS
import NetTypes
import Netlink
import TestKit
import Testing

/// Routes by the thousand that leave by one gateway, and the kernel itself.
@Suite("Next hops that many routes name", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct NextHopTests {
    /// A namespace with a link `d0` that has 192.168.1.1/24 and fd01::1/64, and its driver.
    private struct Node: ~Copyable {
        static let first: UInt32 = 1_627_389_952
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
            driver = RouteDriver(kernel: socket, firstNextHop: Self.first)
        }

        /// Wants 1200 routes of each family.
        static func wish(_ table: inout RouteTable, link: UInt32) {
            for number in 0..<1200 {
                table.setDesired(route("10.\(number >> 8).\(number & 255).0/24", via: "192.168.1.2", link: link))
                table.setDesired(route("fd00:0:0:\(String(number, radix: 16))::/64", via: "fd01::2", link: link))
            }
        }

        static func forget(_ table: inout RouteTable) {
            for route in table.desiredRoutes { table.removeDesired(route.destination) }
        }

        mutating func settle() throws {
            driver.handle(try monitor.drain())
            _ = try driver.apply()
        }
    }

    /// How many routes of each family there are, and how many of them name a next hop.
    private func counts(_ fixture: borrowing NetNSFixture) throws -> [Int] {
        try ["route show proto 97", "-6 route show proto 97"].flatMap { command in
            let lines = try fixture.ip(command).split(separator: "\n")
            return [lines.count, lines.count { $0.contains(" nhid ") }]
        }
    }

    /// Those of Apus'.
    private func nextHops(_ fixture: borrowing NetNSFixture) throws -> [String] {
        try fixture.ip("nexthop show proto 97").split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
    }

    @Test("They have one each, which a restart finds again, and which goes after the last of them")
    func life() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            Node.wish(&node.driver.table, link: node.link)
            try node.settle()
            #expect(try counts(fixture) == [1200, 1200, 1200, 1200])
            let made = try nextHops(fixture)
            #expect(made.count == 2)
            let possible = [Node.first, Node.first + 1].map { "id \($0) via 192.168.1.2 dev d0 scope link proto" }
            #expect(made.contains { line in possible.contains { line.hasPrefix($0) } })

            var second = RouteDriver(kernel: try NetlinkSocket(), firstNextHop: 1_644_167_168)
            Node.wish(&second.table, link: node.link)
            let report = try second.apply()
            #expect(report.applied.isEmpty)
            let gone = try #require(IPPrefix("10.0.0.0/24"))
            second.table.removeDesired(gone)
            _ = try second.apply()
            second.table.setDesired(route("10.0.0.0/24", via: "192.168.1.2", link: node.link))
            second.requestResync()
            _ = try second.apply()
            #expect(try counts(fixture) == [1200, 1199, 1200, 1200])
            #expect(try nextHops(fixture) == made)

            Node.forget(&second.table)
            _ = try second.apply()
            #expect(try counts(fixture) == [0, 0, 0, 0])
            second.requestResync()
            _ = try second.apply()
            #expect(try nextHops(fixture).isEmpty)
        }
    }

    @Test("A few routes have their hop in themselves; each batch names what is there already")
    func few() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            for number in 0..<1000 {
                node.driver.table.setDesired(
                    route("10.\(number >> 8).\(number & 255).0/24", via: "192.168.1.2", link: node.link))
            }
            try node.settle()
            #expect(try counts(fixture) == [1000, 0, 0, 0])
            #expect(try nextHops(fixture).isEmpty)
            for round in 1...2 {
                for number in 0..<1200 {
                    let destination = "10.\(10 * round + number >> 8).\(number & 255).0/24"
                    node.driver.table.setDesired(route(destination, via: "192.168.1.2", link: node.link))
                }
                try node.settle()
            }
            #expect(try nextHops(fixture).count == 1)
        }
    }

    @Test("Who deletes one, or takes its carrier away, takes routes for as long as an event takes")
    func lost() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            Node.wish(&node.driver.table, link: node.link)
            try node.settle()
            try fixture.ip("nexthop flush proto 97")
            #expect(try counts(fixture) == [0, 0, 0, 0])
            try node.settle()
            #expect(try counts(fixture) == [1200, 1200, 1200, 1200])

            try fixture.ip("link set d1 down")
            _ = try node.monitor.wait(until: BootClock.now() + .seconds(1))
            try node.settle()
            // The kernel makes no next hop by a link without a carrier, but takes routes.
            #expect(try counts(fixture) == [1200, 0, 1200, 0])
            #expect(try nextHops(fixture).isEmpty)
        }
    }

    @Test("Where the kernel hides their hops, or somebody has the number, routes have their hop in themselves")
    func plain() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            try fixture.ip("nexthop add id \(Node.first) via 192.168.1.9 dev d0")
            try fixture.ip("nexthop add id \(Node.first + 1) via 192.168.1.9 dev d0")
            Node.wish(&node.driver.table, link: node.link)
            try node.settle()
            #expect(try counts(fixture) == [1200, 0, 1200, 0])
            try fixture.ip("nexthop flush")

            Node.forget(&node.driver.table)
            try node.settle()
            Node.wish(&node.driver.table, link: node.link)
            try node.settle()
            #expect(try counts(fixture) == [1200, 1200, 1200, 1200])
            try Sysctl.write(["net", "ipv4", "nexthop_compat_mode"], "0")
            node.driver.requestResync()
            _ = try node.driver.apply()
            #expect(try counts(fixture) == [1200, 0, 1200, 0])
            node.driver.requestResync()
            let second = try node.driver.apply()
            #expect(second.applied.isEmpty)
        }
    }

    @Test("Somebody else's dump serves as well: what is named by hidden hops stays, what nobody is by goes")
    func adopted() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            Node.wish(&node.driver.table, link: node.link)
            try node.settle()
            try Sysctl.write(["net", "ipv4", "nexthop_compat_mode"], "0")

            var viewer = try NetlinkSocket()
            func routes(_ viewer: inout NetlinkSocket) throws -> [Route] {
                try viewer.routes(protocolNumber: 97, family: .ipv4) + viewer.routes(protocolNumber: 97, family: .ipv6)
            }
            var second = RouteDriver(kernel: try NetlinkSocket(), firstNextHop: Node.first)
            second.adopt(try routes(&viewer), linksUp: [node.link])
            _ = try second.apply()
            #expect(try counts(fixture) == [1200, 1200, 1200, 1200])
            #expect(try nextHops(fixture).count == 2)

            Node.wish(&second.table, link: node.link)
            _ = try second.apply()
            #expect(try counts(fixture) == [1200, 0, 1200, 0])
            second.adopt(try routes(&viewer), linksUp: [node.link])
            let again = try second.apply()
            #expect(again.applied.isEmpty)

            Node.forget(&second.table)
            _ = try second.apply()
            second.adopt(try routes(&viewer), linksUp: [node.link])
            _ = try second.apply()
            #expect(try nextHops(fixture).isEmpty)
        }
    }

    @Test("A restart that begins with the numbers of the run before gives none of them to another hop")
    func numbers() async throws {
        try await NetNSFixture.run { fixture in
            var node = try Node(fixture)
            Node.wish(&node.driver.table, link: node.link)
            try node.settle()
            var second = RouteDriver(kernel: try NetlinkSocket(), firstNextHop: Node.first)
            Node.wish(&second.table, link: node.link)
            for number in 0..<1200 {
                let destination = "10.\(100 + number >> 8).\(number & 255).0/24"
                second.table.setDesired(route(destination, via: "192.168.1.3", link: node.link))
            }
            _ = try second.apply()
            #expect(try counts(fixture) == [2400, 2400, 1200, 1200])
            #expect(try nextHops(fixture).count == 3)
        }
    }
}
