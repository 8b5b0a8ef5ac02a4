import BGPTable
import BGPWire
import ModePlugins
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("What stays in the kernel while the chosen next hop cannot be had")
struct ReplacedRoutesTests {
    private let block = prefix("10.244.7.0/26")
    private let near = address("192.168.1.11")
    private let nearPeer = PeerID(1)
    private let farPeer = PeerID(2)

    /// A table, the plan, and what is kept, put together as the kernel agent does.
    private struct Node {
        var rib: RIB
        var plan: ForwardingPlan
        var kept = ReplacedRoutes()
        var programmed: [IPPrefix: Route] = [:]

        mutating func turn() {
            var unready: [IPPrefix] = []
            for prefix in plan.learn(rib.drainForwardingChanges()) {
                switch plan.outcome(for: prefix) {
                case .ready(let forwarding, _):
                    programmed[prefix] = forwarding.route
                    kept.forget(prefix)
                case .notYet: unready.append(prefix)
                case .withdrawn:
                    programmed[prefix] = nil
                    kept.forget(prefix)
                }
            }
            kept.keep(unready, replaced: plan.replaced)
            plan.forgetReplaced()
            let asked = kept.nextHops
            let gone = asked.map { ($0.key, rib.withdrawn(of: $0.value, to: $0.key)) }.filter { !$0.1.isEmpty }
            for (prefix, left) in kept.release(Dictionary(uniqueKeysWithValues: gone), asked: asked) {
                if case .ready(let forwarding, _) = plan.outcome(for: prefix, by: left) {
                    programmed[prefix] = forwarding.route
                } else {
                    kept.forget(prefix)
                    programmed[prefix] = nil
                }
            }
        }
    }

    @Test("a route goes with its announcement although the one that is chosen cannot be had")
    func withdrawn() {
        var node = node()
        announce(&node, from: nearPeer, via: "192.168.1.11")
        #expect(node.programmed[block]?.hops.map(\.gateway) == [near])
        announce(&node, from: farPeer, via: "172.31.9.9", localPref: 200)
        #expect(node.programmed[block]?.hops.map(\.gateway) == [near])
        #expect(node.kept.nextHops == [block: [near]])
        withdraw(&node, from: nearPeer)
        #expect(node.programmed[block] == nil)
        #expect(node.kept.isEmpty)
    }

    @Test("it stays where another peer announces the same next hop")
    func anotherPeer() {
        var node = node()
        announce(&node, from: nearPeer, via: "192.168.1.11")
        announce(&node, from: PeerID(3), via: "192.168.1.11")
        announce(&node, from: farPeer, via: "172.31.9.9", localPref: 200)
        withdraw(&node, from: nearPeer)
        #expect(node.programmed[block]?.hops.map(\.gateway) == [near])
        withdraw(&node, from: PeerID(3))
        #expect(node.programmed[block] == nil)
    }

    @Test("it stays when the other is withdrawn, and is kept by nothing but itself then")
    func otherWithdrawn() {
        var node = node()
        announce(&node, from: nearPeer, via: "192.168.1.11")
        announce(&node, from: farPeer, via: "172.31.9.9", localPref: 200)
        withdraw(&node, from: farPeer)
        #expect(node.programmed[block]?.hops.map(\.gateway) == [near])
        #expect(node.kept.isEmpty)
        withdraw(&node, from: nearPeer)
        #expect(node.programmed[block] == nil)
    }

    @Test("of several ways those stay that are still announced")
    func oneOfSeveral() {
        var node = node()
        announce(&node, from: nearPeer, via: "192.168.1.11")
        announce(&node, from: PeerID(3), via: "192.168.1.13")
        #expect(node.programmed[block]?.hops.map(\.gateway) == [near, address("192.168.1.13")])
        announce(&node, from: farPeer, via: "172.31.9.9", localPref: 200)
        #expect(node.programmed[block]?.hops.count == 2)
        withdraw(&node, from: nearPeer)
        #expect(node.programmed[block]?.hops.map(\.gateway) == [address("192.168.1.13")])
        #expect(node.kept.nextHops == [block: [address("192.168.1.13")]])
        withdraw(&node, from: PeerID(3))
        #expect(node.programmed[block] == nil && node.kept.isEmpty)
    }

    @Test("a way that is left but cannot be had keeps no route")
    func leftButNotHad() {
        var node = node()
        announce(&node, from: nearPeer, via: "192.168.1.11")
        announce(&node, from: PeerID(3), via: "172.31.9.8")
        announce(&node, from: farPeer, via: "172.31.9.9", localPref: 200)
        withdraw(&node, from: nearPeer)
        #expect(node.programmed[block] == nil && node.kept.isEmpty)
    }

    @Test("one peer that names another next hop has withdrawn the former")
    func implicit() {
        var node = node()
        announce(&node, from: nearPeer, via: "192.168.1.11")
        announce(&node, from: nearPeer, via: "172.31.9.9")
        #expect(node.programmed[block] == nil)
    }

    @Test("the same next hop that cannot be had for a while keeps its route")
    func sameNextHop() {
        var node = node()
        announce(&node, from: nearPeer, via: "192.168.1.11")
        _ = node.plan.observe(context(isUp: false))
        announce(&node, from: nearPeer, via: "192.168.1.11", localPref: 300)
        #expect(node.programmed[block]?.hops.map(\.gateway) == [near])
        #expect(node.kept.isEmpty)
    }

    @Test("an answer to a question that is old takes nothing away")
    func stale() {
        var kept = ReplacedRoutes()
        let ways = [near, address("192.168.1.12")].map { TunnelCheck.Route(nextHop: $0, told: nil) }
        kept.keep([block], replaced: [(block, [ways[0]])])
        let asked = kept.nextHops
        kept.forget(block)
        #expect(kept.release(asked, asked: asked).isEmpty)
        kept.keep([block], replaced: [(block, ways)])
        #expect(kept.release(asked, asked: asked).isEmpty)
        #expect(kept.release(kept.nextHops, asked: kept.nextHops).map(\.prefix) == [block])
        #expect(kept.isEmpty)
    }

    private func node() -> Node {
        let own = ASNumber(64512)
        var rib = RIB(
            identity: RIB.Identity(localAS: own, routerID: id(1)),
            importPolicy: ImportPolicy(pools: [prefix("10.244.0.0/16")]))
        for peer in 1...3 {
            rib.addPeer(
                PeerID(UInt32(peer)),
                role: PeerRole(
                    localAS: own, peerAS: own, bgpID: id(10 + peer), peerAddress: address("192.168.1.\(10 + peer)"),
                    localNextHops: [:]))
        }
        var plan = ForwardingPlan()
        let pool = IPPool(name: "default-pool", cidr: prefix("10.244.0.0/16"))
        _ = plan.configure(KernelConfiguration(nodeAddresses: [], ownBlocks: [], pools: [pool]))
        _ = plan.observe(context())
        return Node(rib: rib, plan: plan)
    }

    private func context(isUp: Bool = true) -> ForwardingContext {
        let address = CIDRAddress("192.168.1.1/24").map { [$0] } ?? []
        return ForwardingContext(
            nodeAddresses: address,
            links: [ForwardingContext.Link(index: 2, name: "eth0", isUp: isUp, addresses: address)], routes: [])
    }

    private func announce(_ node: inout Node, from peer: PeerID, via nextHop: String, localPref: UInt32 = 100) {
        let reach = UpdateMessage.Reach(family: .ipv4Unicast, nextHop: NextHop(address(nextHop)), prefixes: [block])
        let attributes = PathAttributes(localPref: localPref)
        _ = node.rib.apply(UpdateMessage(reachable: [reach], attributes: attributes), from: peer)
        node.turn()
    }

    private func withdraw(_ node: inout Node, from peer: PeerID) {
        let unreach = UpdateMessage.Unreach(family: .ipv4Unicast, prefixes: [block])
        _ = node.rib.apply(UpdateMessage(unreachable: [unreach]), from: peer)
        node.turn()
    }

    private func id(_ last: Int) -> RouterID {
        guard let id = RouterID("192.168.1.\(last)") else { preconditionFailure("no router id: \(last)") }
        return id
    }
}
