import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// What peers are told when something changes that no route tells of.
@Suite struct RoleChangeTests {
    @Test("A peer that becomes a client is heard of by the others, and no more when it is none again")
    func client() {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).announced.isEmpty)
        rib.changeRole(of: PeerID(2)) { $0.isReflectorClient = true }
        #expect(rib.drainUpdates(for: PeerID(3)).announced == ["10.244.1.0/26"])
        rib.changeRole(of: PeerID(2)) { $0.isReflectorClient = false }
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == ["10.244.1.0/26"])
    }

    @Test("Reflected routes are told again with a new own cluster")
    func cluster() throws {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, isReflectorClient: true))
        rib.addPeers(3)
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        let reflected = rib.drainUpdates(for: PeerID(3)).announcements
        let first = try #require(reflected.first)
        #expect(first.attributes.clusterList == [ClusterID(routerID("192.168.1.1"))])
        var other = identity()
        other.clusterID = ClusterID(routerID("1.1.1.1"))
        rib.setIdentity(other)
        let again = rib.drainUpdates(for: PeerID(3)).announcements
        let second = try #require(again.first)
        #expect(second.attributes.clusterList == [other.clusterID])
        #expect(second.prefixes == [prefix("10.244.1.0/26")])
    }
}
