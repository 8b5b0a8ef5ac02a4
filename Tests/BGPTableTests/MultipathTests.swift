import BGPWire
import NetTypes
import Testing

@testable import BGPTable

@Suite struct MultipathTests {
    /// What a second route has that the first has not, and whether packets may take both.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let areEqual: Bool
        var first = PathAttributes()
        var second = PathAttributes()
        var secondPeerAS = ownAS
    }

    static let cases = [
        Case(testDescription: "alike", areEqual: true),
        Case(
            testDescription: "paths of one length", areEqual: true, first: PathAttributes(asPath: path(65001, 65002)),
            second: PathAttributes(asPath: path(65003, 65004))),
        Case(
            testDescription: "a longer path", areEqual: false, first: PathAttributes(asPath: path(65001)),
            second: PathAttributes(asPath: path(65003, 65004))),
        Case(testDescription: "another LOCAL_PREF", areEqual: false, second: PathAttributes(localPref: 99)),
        Case(testDescription: "another ORIGIN", areEqual: false, second: PathAttributes(origin: .egp)),
        Case(testDescription: "another MED", areEqual: false, second: PathAttributes(med: 1)),
        Case(
            testDescription: "another MED from another AS", areEqual: true,
            first: PathAttributes(asPath: path(65001)), second: PathAttributes(asPath: path(65003), med: 1)),
        Case(
            testDescription: "another originator", areEqual: true,
            second: PathAttributes(originatorID: routerID("192.168.1.77"))),
        Case(
            testDescription: "an external one beside an internal one", areEqual: false,
            first: PathAttributes(asPath: path(65001)), second: PathAttributes(asPath: path(65003)),
            secondPeerAS: ASNumber(65003)),
        Case(
            testDescription: "one kept long beyond its session", areEqual: false,
            second: PathAttributes(communities: [.llgrStale])),
    ]

    @Test("Packets take every route that no step up to the interior cost tells apart", arguments: cases)
    func equality(_ example: Case) {
        var rib = makeRIB()
        rib.addPeers(2)
        rib.addPeer(PeerID(3), role: role(3, peerAS: example.secondPeerAS))
        _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.2", example.first), from: PeerID(2))
        _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.3", example.second), from: PeerID(3))
        let ways = rib.drainForwardingChanges().first?.best?.nextHops
        #expect(ways?.count == (example.areEqual ? 2 : 1))
        #expect(rib.routes(to: prefix("10.244.1.0/26")).count { $0.isWay } == (example.areEqual ? 2 : 1))
    }

    @Test("A way that comes or goes is a change, whichever of them is the best; another order is none")
    func comeAndGo() {
        var rib = makeRIB()
        rib.addPeers(2, 3, 4)
        let block = ["10.244.1.0/26"]
        func hops(_ changes: [ForwardingChange]) -> [Set<IPAddress>?] { changes.map { $0.best?.nextHops } }
        _ = rib.apply(announce(block, via: "192.168.1.3"), from: PeerID(3))
        #expect(hops(rib.drainForwardingChanges()) == [[address("192.168.1.3")]])
        _ = rib.apply(announce(block, via: "192.168.1.4"), from: PeerID(4))
        #expect(hops(rib.drainForwardingChanges()) == [[address("192.168.1.3"), address("192.168.1.4")]])
        // A reflector says the same once more.
        _ = rib.apply(announce(block, via: "192.168.1.4"), from: PeerID(2))
        #expect(rib.drainForwardingChanges().isEmpty)
        _ = rib.apply(withdraw(block), from: PeerID(2))
        #expect(rib.drainForwardingChanges().isEmpty)
        rib.peerDown(PeerID(3), keepStale: false)
        #expect(hops(rib.drainForwardingChanges()) == [[address("192.168.1.4")]])
        _ = rib.apply(withdraw(block), from: PeerID(4))
        #expect(hops(rib.drainForwardingChanges()) == [nil])
        #expect(rib.attributeSetCount == 0)
    }

    @Test("Of one neighbouring AS a higher MED is no way, though the best route is another AS's")
    func medAmongOthers() {
        var rib = makeRIB()
        for (host, number) in [(2, UInt32(65002)), (3, 65003), (4, 65003)] {
            rib.addPeer(PeerID(UInt32(host)), role: role(host, peerAS: ASNumber(number)))
            _ = rib.apply(
                announce(
                    ["10.244.1.0/26"], via: "192.168.1.\(host)",
                    PathAttributes(asPath: path(number), med: host == 4 ? 9 : 0)), from: PeerID(UInt32(host)))
        }
        #expect(
            rib.drainForwardingChanges().map { $0.best?.nextHops }
                == [[address("192.168.1.2"), address("192.168.1.3")]])
    }

    @Test("There are no more ways than sixteen")
    func limit() {
        var rib = makeRIB()
        for host in 2...40 {
            rib.addPeers(host)
            _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.\(host)"), from: PeerID(UInt32(host)))
        }
        #expect(rib.drainForwardingChanges().first?.best?.nextHops.count == 16)
    }
}
