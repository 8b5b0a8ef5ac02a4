import ModePlugins
import NetTypes
import Testing

private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

/// A node 192.168.1.1/24 on eth0 (2) with a second link eth1 (3) and a pod link (9).
private func context(_ routes: [Route] = [], eth0Up: Bool = true) throws -> ForwardingContext {
    let own = try #require(CIDRAddress("192.168.1.1/24"))
    let own6 = try #require(CIDRAddress("fd00::1/64"))
    let other = try #require(CIDRAddress("10.9.0.1/30"))
    return ForwardingContext(
        nodeAddresses: [own, own6],
        links: [
            .init(index: 3, name: "eth1", isUp: true, addresses: [other]),
            .init(index: 2, name: "eth0", isUp: eth0Up, addresses: [own, own6]),
            .init(index: 9, name: "cali0", isUp: true, addresses: []),
        ],
        routes: routes,
    )
}

private func route(
    _ prefix: String, via gateway: String?, dev link: UInt32 = 2, metric: UInt32 = 0, proto: UInt8 = 3,
    kind: Route.Kind = .unicast,
) throws -> Route {
    let hop = Route.Hop(linkIndex: link, gateway: try gateway.map { try address($0) })
    return Route(
        to: try #require(IPPrefix(prefix)), kind: kind, hops: kind == .unicast ? [hop] : [], metric: metric,
        protocolNumber: proto)
}

private func answer(_ context: ForwardingContext, _ nextHop: String) throws -> ForwardingAnswer {
    BGPMode().forwarding(
        to: try #require(IPPrefix("10.244.1.0/26")), via: RemoteNode(try address(nextHop)), in: context)
}

private func hops(_ answer: ForwardingAnswer) throws -> [Route.Hop] {
    guard case .ready(let forwarding) = answer else {
        Issue.record("not ready: \(answer)")
        return []
    }
    #expect(forwarding.route.protocolNumber == 97)
    #expect(forwarding.route.kind == .unicast)
    #expect(forwarding.neighbours.isEmpty)
    return forwarding.route.hops
}

@Suite("The bgp mode")
struct BGPModeTests {
    @Test("a next hop on a link is the gateway on that link")
    func onLink() throws {
        let found = try answer(try context(), "192.168.1.2")
        #expect(try hops(found) == [.init(linkIndex: 2, gateway: try address("192.168.1.2"))])
        guard case .ready(let forwarding) = found else { return }
        #expect(forwarding.description == "10.244.1.0/26 via 192.168.1.2 dev if2 proto 97")
    }

    @Test("an address without a route to its network puts no next hop on its link: the main table says the way")
    func withoutPrefixRoute() throws {
        let own = try #require(CIDRAddress("192.168.1.1/24"))
        func context(_ routes: [Route]) -> ForwardingContext {
            ForwardingContext(
                nodeAddresses: [own],
                links: [.init(index: 2, name: "eth0", isUp: true, addresses: [own], connected: [])], routes: routes)
        }
        func isReady(_ nextHop: String, _ routes: [Route]) throws -> Bool {
            guard case .ready = try answer(context(routes), nextHop) else { return false }
            return true
        }
        #expect(try !isReady("192.168.1.2", []))
        let ways = [try route("192.168.1.0/24", via: nil, metric: 100), try route("0.0.0.0/0", via: "192.168.1.254")]
        #expect(
            try hops(try answer(context(ways), "192.168.1.2"))
                == [.init(linkIndex: 2, gateway: try address("192.168.1.2"))])
        #expect(
            try hops(try answer(context(ways.suffix(1)), "192.168.1.2"))
                == [.init(linkIndex: 2, gateway: try address("192.168.1.254"))])
        #expect(try !isReady("192.168.1.1", ways))
    }

    @Test("an IPv6 next hop for an IPv4 block is resolved in its own family")
    func otherFamily() throws {
        let found = try hops(try answer(try context(), "fd00::2"))
        #expect(found == [.init(linkIndex: 2, gateway: try address("fd00::2"))])
    }

    @Test("a link-local next hop is on the only link that can have it, or on that of the node's address")
    func linkLocal() throws {
        func found(_ names: [String], own: String) throws -> ForwardingAnswer {
            let local = try #require(CIDRAddress("fe80::9/64"))
            let own4 = try #require(CIDRAddress("192.168.1.1/24"))
            let links = names.enumerated().map { index, name in
                ForwardingContext.Link(
                    index: UInt32(index + 2), name: name, isUp: name != "down0",
                    addresses: name == own ? [own4, local] : name == "plain0" ? [own4] : [local])
            }
            return try answer(ForwardingContext(nodeAddresses: [own4], links: links, routes: []), "fe80::1")
        }
        func hop(_ link: UInt32) throws -> [Route.Hop] { [.init(linkIndex: link, gateway: try address("fe80::1"))] }
        #expect(try hops(found(["down0", "plain0", "eth1"], own: "")) == hop(4))
        #expect(try hops(found(["br0", "eth0", "eth1"], own: "eth0")) == hop(3))
        guard case .notYet(.unreachable, let reason) = try found(["eth1", "br0"], own: "") else {
            Issue.record("a link was taken at a guess")
            return
        }
        #expect(reason == "next hop fe80::1 is link-local, and it may be on any of br0, eth1")
        guard case .notYet(.unreachable, _) = try found(["plain0", "down0"], own: "") else {
            Issue.record("there is no such link")
            return
        }
    }

    @Test(
        "a next hop behind a router takes the router that the main table names",
        arguments: [
            // next hop, expected gateway, expected link
            ("172.16.0.2", "10.9.0.2", UInt32(3)),
            ("172.16.5.2", "192.168.1.250", 2),
            ("8.8.8.8", "192.168.1.254", 2),
            // On the wire by a route without a gateway.
            ("203.0.113.7", "203.0.113.7", 3),
            // A host route is narrower than the network of the link.
            ("192.168.1.77", "10.9.0.2", 3),
        ])
    func recursive(nextHop: String, gateway: String, link: UInt32) throws {
        let table = try context([
            try route("0.0.0.0/0", via: "192.168.1.254"),
            try route("172.16.0.0/16", via: "192.168.1.250", metric: 20),
            try route("172.16.0.0/24", via: "192.168.1.249", metric: 100),
            try route("172.16.0.0/24", via: "10.9.0.2", dev: 3, metric: 50),
            try route("203.0.113.0/24", via: nil, dev: 3),
            try route("192.168.1.77/32", via: "10.9.0.2", dev: 3),
        ])
        let found = try hops(try answer(table, nextHop))
        #expect(found == [.init(linkIndex: link, gateway: try address(gateway))])
    }

    @Test("an IPv6 route without a metric has the kernel's 1024", arguments: [(100, "fd00::b"), (2000, "fd00::a")])
    func metrics(metric: UInt32, gateway: String) throws {
        for prefix in ["::/0", "fd01::/64"] {
            let table = try context([
                try route(prefix, via: "fd00::a"), try route(prefix, via: "fd00::b", metric: metric),
            ])
            let found = try hops(try answer(table, "fd01::2"))
            #expect(found == [.init(linkIndex: 2, gateway: try address(gateway))])
        }
    }

    @Test("every way of an ECMP route is kept, without those whose link is down")
    func multipath() throws {
        let hops2 = try ["192.168.1.250", "192.168.1.251"].map {
            Route.Hop(linkIndex: 2, gateway: try address($0))
        }
        let hop3 = Route.Hop(linkIndex: 3, gateway: try address("10.9.0.2"))
        let ecmp = Route(
            to: try #require(IPPrefix("172.16.0.0/16")), hops: hops2 + [hop3], protocolNumber: 186)
        #expect(try hops(try answer(try context([ecmp]), "172.16.0.2")) == hops2 + [hop3])
        #expect(try hops(try answer(try context([ecmp], eth0Up: false), "172.16.0.2")) == [hop3])
    }

    @Test(
        "what cannot be programmed is not yet, with the reason",
        arguments: [
            ("172.31.0.1", .unreachable, "next hop 172.31.0.1 not adjacent: no route covers it"),
            ("192.168.1.1", .unreachable, "next hop 192.168.1.1 is an address of this node"),
            ("10.9.0.1", .unreachable, "next hop 10.9.0.1 is an address of this node"),
            (
                "172.20.0.1", .unreachable,
                "next hop 172.20.0.1 not adjacent: blackhole 172.20.0.0/16 proto 3 discards what is sent there"
            ),
            (
                "172.21.0.1", .linkDown,
                "next hop 172.21.0.1 not adjacent: every link of 172.21.0.0/16 via 192.168.1.9 dev eth0 proto 3 is down"
            ),
            ("192.168.1.2", .unreachable, "next hop 192.168.1.2 not adjacent: no route covers it"),
        ] as [(String, RouteObstacle, String)])
    func notYet(nextHop: String, obstacle: RouteObstacle, reason: String) throws {
        let table = try context(
            [
                try route("172.20.0.0/16", via: nil, kind: .blackhole),
                try route("172.21.0.0/16", via: "192.168.1.9"),
                // A route of Apus itself must not carry a next hop of Apus.
                try route("172.31.0.0/16", via: "10.9.0.2", dev: 3, proto: 97),
            ], eth0Up: false)
        #expect(try answer(table, nextHop) == .notYet(obstacle, reason: reason))
    }

    @Test("a block is announced with the node's own address of its family")
    func announcement() throws {
        let own = [try #require(CIDRAddress("192.168.1.1/24"))]
        let block = try #require(IPPrefix("10.244.0.0/26"))
        let block6 = try #require(IPPrefix("fd00:244::/122"))
        #expect(BGPMode().announcement(of: block, from: own) == .nextHop(own[0].address))
        let reason = "block fd00:244::/122 not announced: the node has no ipv6 address"
        #expect(BGPMode().announcement(of: block6, from: own) == .withheld(reason: reason))
    }

    @Test("it needs no device and costs no bytes")
    func costs() {
        #expect(AddressFamily.allCases.allSatisfy { BGPMode().device(for: $0) == nil })
        #expect(AddressFamily.allCases.map { BGPMode().overheadBytes(over: $0) } == [0, 0])
        #expect(BGPMode().handOff() == EndpointHandOff(mode: .bgp, overheadBytes: 0))
    }
}
