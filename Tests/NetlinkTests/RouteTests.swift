import LinuxOS
import NetTypes
import Netlink
import TestKit
import Testing

@Suite("Routes", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct RouteTests {
    /// The routes that must come back from the kernel as they were written, on link 20 (192.168.1.1/24, fd00::1/64).
    static let table: [Route] = [
        Route(to: prefix("10.1.0.0/26"), hops: [hop("192.168.1.2")], protocolNumber: 97),
        Route(to: prefix("10.1.0.64/26"), hops: [hop("172.16.0.9", onLink: true)], protocolNumber: 97),
        Route(to: prefix("10.1.0.5/32"), hops: [hop(nil)], scope: .link, protocolNumber: 97),
        Route(to: prefix("10.1.1.0/26"), kind: .blackhole, protocolNumber: 97),
        Route(to: prefix("10.1.2.0/26"), hops: [hop("192.168.1.2")], metric: 50, protocolNumber: 97),
        Route(to: prefix("10.1.3.0/26"), hops: [hop("192.168.1.2"), hop("192.168.1.3")], protocolNumber: 97),
        Route(
            to: prefix("10.1.4.0/26"), hops: [hop("192.168.1.2")], protocolNumber: 97,
            preferredSource: IPAddress("192.168.1.1")),
        Route(to: prefix("10.1.5.0/26"), hops: [hop("fd00::2")], protocolNumber: 97),
        Route(to: prefix("0.0.0.0/0"), hops: [hop("192.168.1.9")], protocolNumber: 97),
        Route(to: prefix("fd01::/64"), hops: [hop("fd00::2")], protocolNumber: 97),
        Route(to: prefix("fd02::5/128"), hops: [hop(nil)], protocolNumber: 97),
        Route(to: prefix("fd03::/64"), kind: .blackhole, protocolNumber: 97),
        Route(to: prefix("fd04::/64"), hops: [hop("fd00::2"), hop("fd00::3")], protocolNumber: 97),
        Route(to: prefix("fd05::/64"), hops: [hop("fd00::2")], metric: 77, protocolNumber: 97),
    ]

    @Test("A route comes back from a dump as it was written, and is deleted by what it is", arguments: table)
    func roundTrip(route: Route) async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            var socket = try NetlinkSocket()
            try socket.execute(.addRoute(route))
            let family = route.destination.family
            #expect(try socket.routes(protocolNumber: 97, family: family) == [route])
            #expect(route.canonical == route)
            try socket.execute(.deleteRoute(route))
            #expect(try socket.routes(protocolNumber: 97, family: family).isEmpty)
        }
    }

    @Test("A route that is there is EEXIST to an addition, whoever made it, with the object in the error")
    func exclusive() async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            try fixture.ip("route add 10.1.0.0/26 via 192.168.1.7 proto 3")
            var socket = try NetlinkSocket()
            let error = failure(of: .addRoute(Self.table[0]), &socket)
            #expect(error?.code == .EEXIST)
            #expect(error?.description == "routeAdd 10.1.0.0/26 via 192.168.1.2 dev if20 proto 97: File exists")
            let gone = failure(of: .deleteRoute(Self.table[0]), &socket)
            #expect(gone?.code == .ESRCH)
            #expect(try fixture.ip("route show 10.1.0.0/26").contains("192.168.1.7"))
            try socket.execute(.replaceRoute(Self.table[0]))
            #expect(try socket.routes(protocolNumber: 97, family: .ipv4) == [Self.table[0]])
        }
    }

    @Test("The kernel's own words are in the error")
    func kernelMessage() async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            var socket = try NetlinkSocket()
            let route = Route(to: prefix("10.1.0.0/26"), hops: [hop("172.16.0.9")], protocolNumber: 97)
            let error = failure(of: .addRoute(route), &socket)
            #expect(error?.code == .ENETUNREACH)
            #expect(error?.kernelMessage == "Nexthop has invalid gateway")
        }
    }

    @Test("A dump by protocol shows own routes alone, beside foreign ones and other tables")
    func filter() async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            try fixture.ip("route add 10.2.0.0/24 via 192.168.1.7 proto 3")
            try fixture.ip("route add 10.3.0.0/24 via 192.168.1.7 proto 97 table 100")
            try fixture.ip("route add unreachable 10.4.0.0/24 proto 3")
            var socket = try NetlinkSocket()
            try socket.execute(.addRoute(Self.table[0]))
            #expect(try socket.routes(protocolNumber: 97, family: .ipv4) == [Self.table[0]])
            let all = try socket.routes(family: .ipv4)
            #expect(
                all.map(\.destination.description).sorted() == [
                    "10.1.0.0/26", "10.2.0.0/24", "10.4.0.0/24", "192.168.1.0/24",
                ])
            #expect(all.contains { $0.kind == .other(7) })
            #expect(try socket.routes(family: .ipv4, otherThan: 97) == all.filter { $0.protocolNumber != 97 })
        }
    }

    @Test("A namespace without routes has none")
    func empty() async throws {
        try await NetNSFixture.run { _ in
            var socket = try NetlinkSocket()
            for family in AddressFamily.allCases {
                #expect(try socket.routes(protocolNumber: 97, family: family).isEmpty)
            }
        }
    }

    @Test(
        "Five thousand routes with errors among them: the failures are named by place, all else is done",
        arguments: [
            true, false,
        ])
    func bulk(acknowledgeEach: Bool) async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            var socket = try NetlinkSocket()
            var batch = NetlinkBatch()
            for number in 0..<UInt32(5000) {
                let network = IPAddress.v4(.init(rawValue: 0x0a80_0000 + number << 6))
                let gateway = number % 1000 == 7 ? "172.16.0.9" : "192.168.1.2"
                batch.append(
                    .addRoute(
                        Route(to: IPPrefix(masking: network, length: 26), hops: [hop(gateway)], protocolNumber: 97)))
            }
            let failures = try socket.execute(batch, acknowledgeEach: acknowledgeEach)
            #expect(failures.map(\.index) == [7, 1007, 2007, 3007, 4007])
            #expect(failures.allSatisfy { $0.error.code == .ENETUNREACH && $0.error.kernelMessage != nil })
            #expect(try socket.routes(protocolNumber: 97, family: .ipv4).count == 4995)
            // All fail: the answers to a whole chunk must fit.
            let again = try socket.execute(batch, acknowledgeEach: acknowledgeEach)
            #expect(again.count == 5000)
            #expect(again.map(\.index) == Array(0..<5000))
            // The socket is in order after it.
            #expect(try socket.link(named: "lo") != nil)
        }
    }

    @Test("A request that fits into no message is reported, and the others are carried out")
    func tooLarge() async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            var socket = try NetlinkSocket()
            let hops = (0..<2000).map { Route.Hop(linkIndex: 20, gateway: .v4(.init(rawValue: 0xc0a8_0102 + $0))) }
            let batch = NetlinkBatch([
                .addRoute(Route(to: prefix("10.9.0.0/26"), hops: hops, protocolNumber: 97)),
                .addRoute(Self.table[0]),
            ])
            let failures = try socket.execute(batch, acknowledgeEach: true)
            #expect(failures.map(\.index) == [0])
            #expect(failures.first?.error.code == .EMSGSIZE)
            #expect(try socket.routes(protocolNumber: 97, family: .ipv4) == [Self.table[0]])
        }
    }

    @Test("A neighbour is set twice, read and deleted")
    func neighbour() async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            var socket = try NetlinkSocket()
            for text in ["192.168.1.50", "fd00::50"] {
                let address = try #require(IPAddress(text))
                let entry = Neighbour(linkIndex: 20, address: address, macAddress: .hostEnd, protocolNumber: 97)
                try socket.execute(.setNeighbour(entry))
                try socket.execute(.setNeighbour(entry))
                #expect(try socket.neighbours().filter(\.isPermanent) == [entry])
                try socket.execute(.deleteNeighbour(entry))
                #expect(try socket.neighbours().filter(\.isPermanent).isEmpty)
                #expect(failure(of: .deleteNeighbour(entry), &socket)?.code == .ENOENT)
            }
        }
    }
}

@Suite("Events", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct MonitorTests {
    @Test("A link going down is seen, with routes that come and go by others' hands")
    func events() async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            var monitor = try NetlinkMonitor()
            #expect(try monitor.drain().isEmpty)
            #expect(try !monitor.wait(until: BootClock.now()))
            try fixture.ip("route add 10.1.0.0/26 via 192.168.1.2 proto 97")
            try fixture.ip("route del 10.1.0.0/26")
            try fixture.ip("addr del 192.168.1.1/24 dev d0")
            try fixture.ip("link set d0 down")
            #expect(try monitor.wait(until: BootClock.now() + .seconds(5)))
            var events = try monitor.drain()
            let isDown = try eventually {
                events += try monitor.drain()
                return events.contains { event in
                    if case .link(let link, deleted: false) = event { link.name == "d0" && !link.isUp } else { false }
                }
            }
            #expect(isDown)
            let route = RouteTests.table[0]
            #expect(events.contains(.route(route, deleted: false)))
            #expect(events.contains(.route(route, deleted: true)))
            #expect(
                events.contains { event in
                    guard case .address(let address, deleted: true) = event else { return false }
                    return address.address.description == "192.168.1.1/24"
                })
        }
    }

    @Test("Another thread's call ends a wait")
    func wakeUp() async throws {
        try await NetNSFixture.run { _ in
            let monitor = try NetlinkMonitor()
            let wakeUp = try WakeUp()
            wakeUp.raise()
            let first = try monitor.wait(until: BootClock.now() + .seconds(5), or: wakeUp)
            #expect(first == (events: false, wokenUp: true))
            let second = try monitor.wait(until: BootClock.now(), or: wakeUp)
            #expect(second == (events: false, wokenUp: false))
        }
    }

    @Test("Events that were lost are told by an overrun, and the later ones are heard again")
    func overrun() async throws {
        try await NetNSFixture.run { fixture in
            try prepare(fixture)
            var monitor = try NetlinkMonitor()
            var socket = try NetlinkSocket()
            var batch = NetlinkBatch()
            for number in 0..<UInt32(30_000) {
                let network = IPAddress.v4(.init(rawValue: 0x0a00_0000 + number << 6))
                batch.append(
                    .addRoute(
                        Route(
                            to: IPPrefix(masking: network, length: 26), hops: [hop("192.168.1.2")],
                            protocolNumber: 97)))
            }
            let failures = try socket.execute(batch, acknowledgeEach: false)
            #expect(failures.isEmpty)
            var events: [KernelEvent] = []
            while try monitor.wait(until: BootClock.now()) { events += try monitor.drain() }
            #expect(events.contains(.overrun))
            #expect(events.count < 30_000)
            try fixture.ip("link set d0 down")
            #expect(try monitor.wait(until: BootClock.now() + .seconds(5)))
        }
    }
}

/// A link d0 of index 20, up, with an address of either family.
private func prepare(_ fixture: borrowing NetNSFixture) throws {
    try fixture.ip("link add d0 index 20 type veth peer name d1")
    try fixture.ip("addr add 192.168.1.1/24 dev d0")
    try fixture.ip("addr add fd00::1/64 dev d0 nodad")
    try fixture.ip("link set d1 up")
    try fixture.ip("link set d0 up")
}

private func prefix(_ text: String) -> IPPrefix {
    guard let prefix = IPPrefix(text) else { preconditionFailure("not a prefix: \(text)") }
    return prefix
}

private func hop(_ gateway: String?, onLink: Bool = false) -> Route.Hop {
    Route.Hop(linkIndex: 20, gateway: gateway.flatMap { IPAddress($0) }, isOnLink: onLink)
}

private func failure(of request: NetlinkRequest, _ socket: inout NetlinkSocket) -> NetlinkError? {
    do throws(NetlinkError) {
        try socket.execute(request)
        return nil
    } catch {
        return error
    }
}
