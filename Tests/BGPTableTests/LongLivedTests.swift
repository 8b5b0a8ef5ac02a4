import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// Routes kept beyond the restart time (RFC 9494).
@Suite struct LongLivedTests {
    private static let block = "10.244.1.0/26"

    private static func stale(_ attributes: PathAttributes = PathAttributes()) -> RIB {
        var rib = makeRIB()
        rib.addPeers(2)
        rib.addPeer(PeerID(3), role: role(3, isReflectorClient: true))
        var aware = role(4, isReflectorClient: true)
        aware.takesLongLivedRoutes = true
        rib.addPeer(PeerID(4), role: aware)
        _ = rib.apply(announce([block], attributes), from: PeerID(2))
        for host in [3, 4] { _ = rib.drainUpdates(for: PeerID(UInt32(host))) }
        _ = rib.drainForwardingChanges()
        rib.peerDown(PeerID(2), keepStale: true)
        return rib
    }

    @Test("They stay in use, are marked, and are told to those alone who know the mark")
    func kept() {
        var rib = Self.stale()
        #expect(rib.keepStaleLong(of: PeerID(2), family: .ipv4) == 0)
        #expect(rib.drainForwardingChanges().isEmpty)
        #expect(rib.routes(to: prefix(Self.block)).map(\.attributes.communities) == [[.llgrStale]])
        #expect(rib.drainUpdates(for: PeerID(4)).announcements.map(\.attributes.communities) == [[.llgrStale]])
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == [Self.block])
        #expect(rib.sweepStale(of: PeerID(2)) == 1)
        #expect(rib.drainForwardingChanges().map(\.best) == [nil])
    }

    @Test("Any other route is better, and a route that is announced again is as good as ever")
    func lastChoice() {
        var rib = Self.stale(PathAttributes(localPref: 900))
        _ = rib.apply(announce([Self.block], via: "192.168.1.3"), from: PeerID(3))
        #expect(rib.routes(to: prefix(Self.block)).first?.peer == PeerID(2))
        rib.keepStaleLong(of: PeerID(2), family: .ipv4)
        #expect(rib.routes(to: prefix(Self.block)).first?.peer == PeerID(3))
        #expect(rib.routes(to: prefix(Self.block)).last?.lostAt == .longLivedStale)
        rib.addPeers(2)
        _ = rib.apply(announce([Self.block], PathAttributes(localPref: 900)), from: PeerID(2))
        #expect(rib.routes(to: prefix(Self.block)).first?.peer == PeerID(2))
        #expect(rib.endOfRIB(.ipv4, from: PeerID(2)) == 0)
    }

    @Test("A reflector that is new passes on what it hears, and says only later that this is all")
    func gathering() {
        var rib = RIB(
            identity: identity(), importPolicy: ImportPolicy(pools: [prefix("10.244.0.0/16")]), isEndOfRIBHeld: true)
        rib.addPeer(PeerID(2), role: role(2, isReflectorClient: true))
        rib.addPeer(PeerID(3), role: role(3, isReflectorClient: true))
        _ = rib.apply(announce([Self.block]), from: PeerID(2))
        let first = rib.drainUpdates(for: PeerID(3))
        #expect(first.announced == [Self.block] && first.endOfRIBs.isEmpty)
        rib.releaseExport()
        let second = rib.drainUpdates(for: PeerID(3))
        #expect(second.announced.isEmpty && second.endOfRIBs == [.ipv4])
    }

    @Test("A reflector that has lost its clients' routes says to who comes back only later that this is all")
    func gatheringAgain() {
        var rib = makeRIB()
        for number in [2, 3, 4] { rib.addPeer(PeerID(UInt32(number)), role: role(number, isReflectorClient: true)) }
        for number in [2, 3, 4] as [UInt32] { _ = rib.drainUpdates(for: PeerID(number)) }
        for number in [2, 3] as [UInt32] { rib.peerDown(PeerID(number), keepStale: false) }
        rib.holdEndOfRIB()
        rib.addPeer(PeerID(3), role: role(3, isReflectorClient: true))
        rib.addPeer(PeerID(2), role: role(2, isReflectorClient: true))
        _ = rib.apply(announce([Self.block]), from: PeerID(2))
        let first = rib.drainUpdates(for: PeerID(3))
        #expect(first.announced == [Self.block] && first.endOfRIBs.isEmpty)
        rib.releaseExport()
        let second = rib.drainUpdates(for: PeerID(3))
        #expect(second.announced.isEmpty && second.endOfRIBs == [.ipv4])
        let other = rib.drainUpdates(for: PeerID(4))
        #expect(other.announced == [Self.block] && other.endOfRIBs.isEmpty)
    }

    @Test("NO_LLGR lets a route go")
    func refused() {
        var rib = Self.stale(PathAttributes(communities: [.noLLGR]))
        #expect(rib.keepStaleLong(of: PeerID(2), family: .ipv4) == 1)
        #expect(rib.drainForwardingChanges().map(\.best) == [nil])
        #expect(rib.attributeSetCount == 0)
    }

    @Test("A filter that is looked at again does not take the mark away")
    func reevaluated() {
        var rib = Self.stale()
        rib.keepStaleLong(of: PeerID(2), family: .ipv4)
        rib.setImportPolicy(ImportPolicy(pools: [prefix("10.0.0.0/8")]))
        #expect(rib.routes(to: prefix(Self.block)).map(\.attributes.communities) == [[.llgrStale]])
    }
}
