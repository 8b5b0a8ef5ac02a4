import BGPTable
import BGPWire
import NetTypes
import Testing

@Suite struct ForwardingTests {
    @Test("A node that programs no routes is told of none, and of all when it does again")
    func forwardingOff() {
        var rib = makeRIB()
        rib.addPeers(2)
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        #expect(rib.drainForwardingChanges().count == 1)
        rib.setTellsForwarding(false)
        #expect(rib.drainForwardingChanges().map(\.best) == [nil])
        _ = rib.apply(announce(["10.244.2.0/26"]), from: PeerID(2))
        #expect(!rib.hasForwardingChanges)
        rib.setTellsForwarding(true)
        #expect(rib.drainForwardingChanges().map(\.prefix) == [prefix("10.244.1.0/26"), prefix("10.244.2.0/26")])
    }

    @Test("A route is reported once, its change and its end too; own routes are local")
    func stream() {
        var rib = makeRIB()
        rib.addPeers(2)
        rib.setLocal([local("10.244.0.0/26")])
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(med: 3)), from: PeerID(2))
        let learned = LearnedRouteShape(nextHop: "192.168.1.2", peer: PeerID(2))
        #expect(rib.hasForwardingChanges)
        let first = rib.drainForwardingChanges()
        #expect(first.map(\.prefix) == [prefix("10.244.0.0/26"), prefix("10.244.1.0/26")])
        #expect(first[0].best == .local)
        #expect(LearnedRouteShape(first[1].best) == learned)
        #expect(rib.drainForwardingChanges().isEmpty)
        _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.5"), from: PeerID(2))
        let second = rib.drainForwardingChanges()
        #expect(second.map { LearnedRouteShape($0.best) } == [.init(nextHop: "192.168.1.5", peer: PeerID(2))])
        _ = rib.apply(withdraw(["10.244.1.0/26"]), from: PeerID(2))
        rib.setLocal([])
        let third = rib.drainForwardingChanges()
        #expect(third.count == 2)
        #expect(third.allSatisfy { $0.best == nil })
    }

    @Test("What does not change the forwarding is silent: same again, other MED, other peer, there and back")
    func silence() {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        rib.setLocal([local("10.244.0.0/26")])
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        #expect(rib.drainForwardingChanges().count == 2)
        #expect(rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2)).unchanged == 1)
        rib.setLocal([local("10.244.0.0/26")])
        #expect(!rib.hasForwardingChanges)
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(med: 7)), from: PeerID(2))
        #expect(rib.drainForwardingChanges().isEmpty)
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(localPref: 200)), from: PeerID(3))
        #expect(rib.drainForwardingChanges().isEmpty)
        _ = rib.apply(withdraw(["10.244.1.0/26"]), from: PeerID(3))
        _ = rib.apply(withdraw(["10.244.1.0/26"]), from: PeerID(2))
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        #expect(rib.drainForwardingChanges().isEmpty)
        rib.setLocal([local("10.244.0.0/26", PathAttributes(communities: [Community(1, 2)]))])
        #expect(rib.drainForwardingChanges().isEmpty)
    }

    @Test("A change of the tunnel encapsulation alone is a change")
    func tunnelChange() {
        var rib = makeRIB()
        rib.addPeers(2)
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(unknown: [tunnel([1])])), from: PeerID(2))
        #expect(rib.drainForwardingChanges().count == 1)
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(unknown: [tunnel([2])])), from: PeerID(2))
        #expect(rib.drainForwardingChanges().count == 1)
    }

    @Test("The drain keeps to its limit and loses nothing")
    func limit() {
        var rib = makeRIB()
        rib.addPeers(2)
        let prefixes = (0..<100).map { "10.244.\($0).0/26" }
        _ = rib.apply(announce(prefixes), from: PeerID(2))
        var seen: [String] = []
        while rib.hasForwardingChanges {
            let changes = rib.drainForwardingChanges(limit: 7)
            #expect((1...7).contains(changes.count))
            seen += changes.map(\.prefix.description)
        }
        #expect(seen == prefixes)
    }

    @Test("Own routes win over learned ones and give way when they end")
    func localFirst() {
        var rib = makeRIB()
        rib.addPeers(2)
        rib.setLocal([local("10.244.0.0/26", isExclusive: false)])
        _ = rib.apply(announce(["10.244.0.0/26"], PathAttributes(localPref: 999)), from: PeerID(2))
        #expect(rib.drainForwardingChanges().map(\.best) == [.local])
        rib.setLocal([])
        #expect(
            rib.drainForwardingChanges().map { LearnedRouteShape($0.best) }
                == [.init(nextHop: "192.168.1.2", peer: PeerID(2))])
    }
}

/// Next hop and peer of a learned route, for comparing.
struct LearnedRouteShape: Equatable {
    let nextHop: String
    let peer: PeerID

    init(nextHop: String, peer: PeerID) {
        self.nextHop = nextHop
        self.peer = peer
    }

    init?(_ route: SelectedRoute?) {
        guard case .learned(let learned)? = route else { return nil }
        self.init(nextHop: learned.nextHop.description, peer: learned.peer)
    }
}
