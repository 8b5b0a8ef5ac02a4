import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// IPv4 routes with IPv6 next hops (RFC 8950).
@Suite struct ExtendedNextHopTests {
    private static func speaking(_ role: PeerRole) -> PeerRole {
        var role = role
        role.wireContext.ipv6NextHopsForIPv4 = true
        return role
    }

    @Test("Such a route is used where the session has agreed on it, and refused elsewhere")
    func received() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: Self.speaking(role(2)))
        rib.addPeers(3)
        for host in [2, 3] {
            _ = rib.apply(announce(["10.244.\(host).0/26"], via: "fd00::2"), from: PeerID(UInt32(host)))
        }
        #expect(rib.routes(to: prefix("10.244.2.0/26")).map(\.ineligibility) == [nil])
        #expect(rib.routes(to: prefix("10.244.3.0/26")).map(\.ineligibility) == [.nextHopFamily])
        #expect(rib.drainForwardingChanges().map { $0.best?.nextHops } == [[address("fd00::2")]])
    }

    @Test("An IPv4 address in the form of an IPv6 one is no next hop of an IPv6 route, nor of an IPv4 one")
    func mapped() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: Self.speaking(role(2, families: [.ipv4, .ipv6])))
        for text in ["10.244.2.0/26", "fd10::/122"] {
            _ = rib.apply(announce([text], via: "::ffff:192.168.1.2"), from: PeerID(2))
            #expect(rib.routes(to: prefix(text)).map(\.ineligibility) == [.nextHopFamily])
        }
        #expect(rib.drainForwardingChanges().isEmpty)
    }

    @Test("It is passed on to those who take it, and a node without an IPv4 address sends its own routes so")
    func sent() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: Self.speaking(role(2, isReflectorClient: true)))
        for host in [3, 4] {
            var other = role(host, isReflectorClient: true)
            other.localNextHops = [.ipv6: NextHop(ownAddress6)]
            rib.addPeer(PeerID(UInt32(host)), role: host == 3 ? Self.speaking(other) : other)
        }
        rib.setLocal([local("10.244.0.0/26")])
        _ = rib.apply(announce(["10.244.2.0/26"], via: "fd00::2"), from: PeerID(2))
        let told = rib.drainUpdates(for: PeerID(3)).announcements
        #expect(Set(told.map(\.nextHop)) == [NextHop(ownAddress6), NextHop(address("fd00::2"))])
        #expect(rib.drainUpdates(for: PeerID(4)).announced.isEmpty)
    }
}
