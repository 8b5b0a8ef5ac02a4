import NetTypes
import Netlink
import TestKit
import Testing

@testable import NodeAgent

@Suite("Routes of others")
struct ForeignRoutesTests {
    @Test("a route that takes another's place is the only one")
    func replacement() {
        var routes = ForeignRoutes([route("172.16.0.0/16", "10.0.0.1")])
        #expect(routes.observe(route("172.16.0.0/16", "10.0.0.2"), deleted: false, isReplacement: true) == .known)
        #expect(routes.all == [route("172.16.0.0/16", "10.0.0.2")])
        #expect(routes.observe(route("172.16.0.0/16", "10.0.0.2"), deleted: false, isReplacement: true) == .none)
        #expect(routes.observe(route("172.16.0.0/16", "10.0.0.2"), deleted: true) == .known)
        #expect(routes.all.isEmpty)
    }

    @Test("another metric is another route")
    func metric() {
        var routes = ForeignRoutes([route("172.16.0.0/16", "10.0.0.1")])
        #expect(routes.observe(route("172.16.0.0/16", "10.0.0.2", metric: 5), deleted: false) == .known)
        #expect(routes.all == [route("172.16.0.0/16", "10.0.0.1"), route("172.16.0.0/16", "10.0.0.2", metric: 5)])
    }

    @Test("of two IPv4 routes of one metric the first stays the first, and a dump is asked for")
    func append() {
        var routes = ForeignRoutes([route("172.16.0.0/16", "10.0.0.1")])
        #expect(routes.observe(route("172.16.0.0/16", "10.0.0.2"), deleted: false) == .doubtful)
        #expect(routes.all.first == route("172.16.0.0/16", "10.0.0.1"))
        #expect(routes.observe(route("172.16.0.0/16", "10.0.0.1"), deleted: true) == .known)
        #expect(routes.all == [route("172.16.0.0/16", "10.0.0.2")])
    }

    @Test("an IPv6 route loses the one way that is named, and gets one by being told whole")
    func ways() {
        var routes = ForeignRoutes([route("fd99::/16", "fd00::1", "fd00::2")])
        #expect(routes.observe(route("fd99::/16", "fd00::1"), deleted: true) == .known)
        #expect(routes.all == [route("fd99::/16", "fd00::2")])
        #expect(routes.observe(route("fd99::/16", "fd00::2", "fd00::3"), deleted: false) == .known)
        #expect(routes.all == [route("fd99::/16", "fd00::2", "fd00::3")])
    }

    @Test("what is deleted and not known leaves a doubt where there are others alone")
    func unknown() {
        var routes = ForeignRoutes([route("172.16.0.0/16", "10.0.0.1")])
        #expect(routes.observe(route("172.16.0.0/16", "10.0.0.9"), deleted: true) == .doubtful)
        #expect(routes.observe(route("172.17.0.0/16", "10.0.0.9"), deleted: true) == .none)
        #expect(routes.all == [route("172.16.0.0/16", "10.0.0.1")])
    }

    private func route(_ destination: String, _ gateways: String..., metric: UInt32 = 0) -> Route {
        Route(
            to: prefix(destination), hops: gateways.map { Route.Hop(linkIndex: 20, gateway: address($0)) },
            metric: metric, protocolNumber: 3)
    }
}

@Suite("Routes of others in the kernel", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct ForeignRoutesKernelTests {
    /// Commands of `ip`, each with whether a dump has to say what became of the routes.
    private static let story: [(command: String, isDoubtful: Bool)] = [
        ("route add 172.16.0.0/16 via 10.0.0.251", false),
        ("route replace 172.16.0.0/16 via 10.0.0.252", false),
        ("route replace 172.16.0.0/16 nexthop via 10.0.0.252 nexthop via 10.0.0.253", false),
        ("route replace 172.16.0.0/16 via 10.0.0.254 metric 7", false),
        ("route replace 172.16.0.0/16 via 10.0.0.254 tos 4", false),
        ("route append 172.16.0.0/16 via 10.0.0.249", true),
        ("route replace 172.16.0.0/16 via 10.0.0.248", true),
        ("route prepend 172.16.0.0/16 via 10.0.0.247", true),
        ("route del 172.16.0.0/16 via 10.0.0.248", false),
        ("route del 172.16.0.0/16 via 10.0.0.247", false),
        ("route del 172.16.0.0/16 via 10.0.0.249", false),
        ("route del 172.16.0.0/16 metric 7", false),
        ("-6 route add fd99::/16 via fd00::251", false),
        ("-6 route append fd99::/16 via fd00::252", false),
        ("-6 route append fd99::/16 via fd00::253", false),
        ("-6 route del fd99::/16 via fd00::251", false),
        ("-6 route del fd99::/16 via fd00::253", false),
        ("-6 route append fd99::/16 via fd00::254", false),
        ("-6 route replace fd99::/16 via fd00::250", false),
        ("-6 route replace fd99::/16 nexthop via fd00::250 nexthop via fd00::249", false),
        ("-6 route replace fd99::/16 via fd00::248 metric 1", false),
        ("-6 route del fd99::/16 metric 1024", false),
        ("-6 route del fd99::/16", false),
    ]

    @Test("Events say what a dump would, but for the order of IPv4 routes of one metric")
    func story() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add d0 index 20 type veth peer name d1")
            try fixture.ip("addr add 10.0.0.1/24 dev d0")
            try fixture.ip("addr add fd00::1/64 dev d0 nodad")
            try fixture.ip("link set d1 up")
            try fixture.ip("link set d0 up")
            var socket = try NetlinkSocket()
            func dump() throws -> ForeignRoutes {
                ForeignRoutes(try socket.routes(family: .ipv4) + socket.routes(family: .ipv6))
            }
            // What the kernel does by itself when a link comes up is over when the link-local address is there.
            _ = try eventually { try fixture.ip("-6 route show dev d1").contains("fe80::/64") }
            var monitor = try NetlinkMonitor()
            var routes = try dump()
            for (command, isDoubtful) in Self.story {
                try fixture.ip(command)
                var isKnown = true
                for case .route(let route, let deleted, let isReplacement) in try monitor.drain() {
                    if routes.observe(route, deleted: deleted, isReplacement: isReplacement) == .doubtful {
                        isKnown = false
                    }
                }
                let truth = try dump()
                #expect(isKnown == !isDoubtful, "\(command)")
                if isKnown { #expect(routes.all == truth.all, "\(command)") } else { routes = truth }
            }
        }
    }
}
