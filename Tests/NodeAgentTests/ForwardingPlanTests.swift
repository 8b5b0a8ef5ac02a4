import BGPTable
import BGPWire
import ModePlugins
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("From learned prefixes to routes")
struct ForwardingPlanTests {
    private let block = prefix("10.244.1.0/26")
    private let pool = IPPool(name: "default-pool", cidr: prefix("10.244.0.0/16"))

    @Test("a learned block behind a neighbour becomes a plain route")
    func plainRoute() {
        var plan = configured()
        #expect(plan.observe(context()) == [])
        #expect(plan.learn([learned(block, via: "192.168.1.2")]) == [block])
        let route = Route(
            to: block, hops: [Route.Hop(linkIndex: 2, gateway: IPAddress("192.168.1.2"))], protocolNumber: 97)
        #expect(plan.outcome(for: block) == .ready(Forwarding(route: route), mode: .bgp))
    }

    @Test("a withdrawn block is withdrawn, and a block that became local is not reached through others")
    func withdrawn() {
        var plan = configured()
        _ = plan.observe(context())
        for best in [SelectedRoute.local, nil] {
            _ = plan.learn([learned(block, via: "192.168.1.2")])
            #expect(plan.learn([ForwardingChange(prefix: block, best: best)]) == [block])
            #expect(plan.outcome(for: block) == .withdrawn)
        }
    }

    @Test("without the node's picture, a pool or a device the answer is not yet, with the reason")
    func notYet() {
        var plan = ForwardingPlan()
        _ = plan.learn([learned(block, via: "192.168.1.2")])
        #expect(plan.outcome(for: block) == .notYet(.pending, reason: "the node is not known yet", mode: nil))
        _ = plan.observe(context())
        #expect(plan.configure(KernelConfiguration(nodeAddresses: [], ownBlocks: [], pools: [])) == [block])
        guard case .ready(_, .bgp) = plan.outcome(for: block) else {
            Issue.record("what lies in no pool is not reached without a tunnel")
            return
        }
        var tunnelled = pool
        tunnelled.vxlanMode = .always
        _ = plan.configure(KernelConfiguration(nodeAddresses: [], ownBlocks: [], pools: [tunnelled]))
        guard case .notYet(.tunnelDown, let reason, .vxlan) = plan.outcome(for: block) else {
            Issue.record("a tunnel without a device gave a route")
            return
        }
        #expect(reason == "vxlan.calico is not up")
    }

    @Test("a changed picture of the node asks for every prefix again, the same picture for none")
    func changedContext() {
        var plan = configured()
        _ = plan.learn([learned(block, via: "192.168.1.2")])
        #expect(plan.observe(context()) == [block])
        #expect(plan.observe(context()) == [])
        #expect(plan.observe(context(isUp: false)) == [block])
        guard case .notYet = plan.outcome(for: block) else { Issue.record("a link that is down gave a route"); return }
    }

    @Test("a route of the main table concerns those whose next hop it covers, and next hops that come later")
    func foreignRoutes() {
        var plan = configured()
        _ = plan.observe(context())
        _ = plan.learn([learned(block, via: "172.16.0.2")])
        guard case .notYet = plan.outcome(for: block) else { Issue.record("no route covers the next hop"); return }
        #expect(plan.isConcerned(byRouteTo: prefix("172.16.0.0/16")) == true)
        #expect(plan.observe(context(routes: ["172.16.0.0/16"])) == [block])
        guard case .ready = plan.outcome(for: block) else { Issue.record("a covered next hop gave no route"); return }

        let other = prefix("10.244.2.0/26")
        #expect(plan.isConcerned(byRouteTo: prefix("172.17.0.0/16")) == false)
        _ = plan.learn([learned(other, via: "172.16.0.2")])
        #expect(!plan.needsContext)
        _ = plan.learn([learned(other, via: "172.17.0.2")])
        #expect(plan.needsContext)
        plan.catchUp(with: context(routes: ["172.16.0.0/16", "172.17.0.0/16"]))
        guard case .ready = plan.outcome(for: other) else { Issue.record("the new context is not used"); return }
        #expect(!plan.needsContext)
        // A next hop that has gone and may come again.
        _ = plan.learn([ForwardingChange(prefix: other, best: nil)])
        #expect(plan.isConcerned(byRouteTo: prefix("172.17.0.0/16")) == true)
        #expect(plan.observe(context()) == [block])
        #expect(plan.isConcerned(byRouteTo: prefix("172.17.0.0/16")) == false)
    }

    @Test("several ways make one route; one that cannot be had, or goes, leaves the others")
    func severalWays() {
        var plan = configured()
        _ = plan.observe(context())
        func way(_ nextHop: String, _ others: [String] = []) -> LearnedRoute {
            LearnedRoute(
                nextHop: NextHop(address(nextHop)), peer: PeerID(1), attributes: PathAttributes(),
                others: others.map { way($0) })
        }
        func hops(_ route: LearnedRoute) -> [String]? {
            _ = plan.learn([ForwardingChange(prefix: block, best: .learned(route))])
            guard case .ready(let forwarding, .bgp) = plan.outcome(for: block) else { return nil }
            return forwarding.route.hops.compactMap { $0.gateway?.description }
        }
        #expect(hops(way("192.168.1.2", ["192.168.1.3"])) == ["192.168.1.2", "192.168.1.3"])
        #expect(hops(way("192.168.1.2", ["10.0.0.1"])) == ["192.168.1.2"])
        #expect(hops(way("10.0.0.1", ["192.168.1.3"])) == ["192.168.1.3"])
        #expect(hops(way("192.168.1.3")) == ["192.168.1.3"])
        #expect(hops(way("10.0.0.1")) == nil)
        #expect(plan.learn([ForwardingChange(prefix: block, best: nil)]) == [block])
        #expect(plan.outcome(for: block) == .withdrawn)
    }

    @Test("own blocks have a blackhole, one of a single address has none")
    func blackholes() {
        var plan = ForwardingPlan()
        _ = plan.configure(
            KernelConfiguration(nodeAddresses: [], ownBlocks: [block, prefix("10.244.9.1/32")], pools: [pool]))
        #expect(plan.blackholes == [Route(to: block, kind: .blackhole, protocolNumber: 97)])
    }

    private func configured() -> ForwardingPlan {
        var plan = ForwardingPlan()
        _ = plan.configure(KernelConfiguration(nodeAddresses: [], ownBlocks: [], pools: [pool]))
        return plan
    }

    private func context(isUp: Bool = true, routes: [String] = []) -> ForwardingContext {
        let address = CIDRAddress("192.168.1.1/24").map { [$0] } ?? []
        return ForwardingContext(
            nodeAddresses: address,
            links: [ForwardingContext.Link(index: 2, name: "eth0", isUp: isUp, addresses: address)],
            routes: routes.map { to in
                let hop = Route.Hop(linkIndex: 2, gateway: NodeAgentTests.address("192.168.1.254"))
                return Route(to: prefix(to), hops: [hop], protocolNumber: 12)
            })
    }
}

/// What a table says of a block that one peer announces.
private func learned(_ block: IPPrefix, via nextHop: String) -> ForwardingChange {
    let own = ASNumber(64512)
    let peer = PeerID(1)
    var rib = RIB(
        identity: RIB.Identity(localAS: own, routerID: routerID("192.168.1.1")),
        importPolicy: ImportPolicy(pools: [prefix("10.244.0.0/16")]))
    rib.addPeer(
        peer,
        role: PeerRole(
            localAS: own, peerAS: own, bgpID: routerID("192.168.1.2"), peerAddress: address("192.168.1.2"),
            localNextHops: [:]))
    let reach = UpdateMessage.Reach(family: .ipv4Unicast, nextHop: NextHop(address(nextHop)), prefixes: [block])
    _ = rib.apply(UpdateMessage(reachable: [reach], attributes: PathAttributes(localPref: 100)), from: peer)
    let changes = rib.drainForwardingChanges()
    precondition(changes.count == 1, "the table does not take \(block)")
    return changes[0]
}

private func routerID(_ text: String) -> RouterID {
    guard let id = RouterID(text) else { preconditionFailure("not a router id: \(text)") }
    return id
}

func prefix(_ text: String) -> IPPrefix {
    guard let prefix = IPPrefix(text) else { preconditionFailure("not a prefix: \(text)") }
    return prefix
}

func address(_ text: String) -> IPAddress {
    guard let address = IPAddress(text) else { preconditionFailure("not an address: \(text)") }
    return address
}
