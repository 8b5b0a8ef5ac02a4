import BGPTable
import BGPWire
import NetTypes
import Testing

/// What a peer is told over time.
@Suite struct FeedTests {
    private func reflector(clients hosts: Int..., isExportHeld: Bool = false) -> RIB {
        var rib = makeRIB(isExportHeld: isExportHeld)
        for host in hosts { rib.addPeer(PeerID(UInt32(host)), role: role(host, isReflectorClient: true)) }
        return rib
    }

    @Test("Prefixes with equal attributes go together, and the initial feed ends with one End-of-RIB")
    func packing() {
        var rib = reflector(clients: 2, 3)
        _ = rib.apply(announce(["10.244.1.0/26", "10.244.2.0/26"], PathAttributes(med: 1)), from: PeerID(2))
        _ = rib.apply(announce(["10.244.3.0/26"], PathAttributes(med: 2)), from: PeerID(2))
        _ = rib.apply(announce(["10.244.4.0/26"], PathAttributes(med: 1)), from: PeerID(2))
        let updates = rib.nextUpdates(for: PeerID(3))
        #expect(updates.announcements.map(\.prefixes.count).sorted() == [1, 3])
        #expect(updates.last == .endOfRIB(.ipv4))
        #expect(rib.nextUpdates(for: PeerID(3)).isEmpty)
        #expect(!rib.hasPendingUpdates(for: PeerID(3)))
        #expect(rib.peerStatus(PeerID(3))?.advertised == 4)
        #expect(rib.peerStatus(PeerID(3))?.endOfRIBSent == [.ipv4])
    }

    @Test("Towards eBGP the routes of many nodes share one attribute set, and one announcement")
    func packingAcrossSources() {
        var rib = reflector(clients: 2, 3, 4)
        rib.addPeer(PeerID(9), role: role(9, peerAS: ASNumber(65001)))
        for host in 2...4 {
            _ = rib.apply(
                announce(["10.244.\(host).0/26"], via: "192.168.1.\(host)"), from: PeerID(UInt32(host)))
        }
        #expect(rib.drainUpdates(for: PeerID(9)).announcements.map(\.prefixes.count) == [3])
    }

    @Test("Changes between two calls collapse to the latest; a route that came and went is never heard of")
    func collapse() {
        var rib = reflector(clients: 2, 3)
        _ = rib.drainUpdates(for: PeerID(3))
        for med in 1...50 {
            _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(med: UInt32(med))), from: PeerID(2))
        }
        _ = rib.apply(announce(["10.244.2.0/26"]), from: PeerID(2))
        _ = rib.apply(withdraw(["10.244.2.0/26"]), from: PeerID(2))
        let updates = rib.drainUpdates(for: PeerID(3))
        #expect(updates.announcements.map(\.attributes.med) == [50])
        #expect(updates.withdrawn.isEmpty)
    }

    @Test("Only who was told of a route is told of its end")
    func withdrawals() {
        var rib = reflector(clients: 2, 3)
        rib.addPeer(PeerID(4), role: role(4, peerAS: ASNumber(65001)))
        let attributes = PathAttributes(communities: [.noExport])
        _ = rib.apply(announce(["10.244.1.0/26"], attributes), from: PeerID(2))
        for id in 2...4 { _ = rib.drainUpdates(for: PeerID(UInt32(id))) }
        _ = rib.apply(withdraw(["10.244.1.0/26"]), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == ["10.244.1.0/26"])
        #expect(rib.drainUpdates(for: PeerID(4)).isEmpty)
        #expect(rib.drainUpdates(for: PeerID(2)).isEmpty)
    }

    @Test("A peer whose own route becomes the best is told that the former one is gone")
    func bestMovesToPeer() {
        var rib = reflector(clients: 2, 3)
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        _ = rib.drainUpdates(for: PeerID(3))
        _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.3", PathAttributes(localPref: 200)), from: PeerID(3))
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == ["10.244.1.0/26"])
        #expect(rib.drainUpdates(for: PeerID(2)).announced == ["10.244.1.0/26"])
    }

    @Test("A limit splits the feed without loss or repetition, whatever changes meanwhile")
    func limit() {
        var rib = reflector(clients: 2, 3)
        let prefixes = (0..<200).map { "10.244.\($0).0/26" }
        _ = rib.apply(announce(prefixes), from: PeerID(2))
        let first = rib.nextUpdates(for: PeerID(3), limit: 50)
        #expect(first.announced.count == 50)
        #expect(first.endOfRIBs.isEmpty)
        _ = rib.apply(withdraw(["10.244.3.0/26", "10.244.150.0/26"]), from: PeerID(2))
        _ = rib.apply(announce(["10.244.199.0/26", "10.244.200.0/26"], PathAttributes(med: 1)), from: PeerID(2))
        let rest = rib.drainUpdates(for: PeerID(3), limit: 7)
        #expect(rest.withdrawn == ["10.244.3.0/26"])
        let gone = ["10.244.3.0/26", "10.244.150.0/26"]
        let expected = (prefixes + ["10.244.200.0/26"]).filter { !gone.contains($0) }
        #expect((first.announced + rest.announced).filter { !gone.contains($0) }.sorted() == expected.sorted())
        #expect(rest.endOfRIBs == [.ipv4])
        #expect(rib.peerStatus(PeerID(3))?.advertised == 199)
    }

    @Test("A route refresh brings everything again, and no second End-of-RIB")
    func refresh() {
        var rib = reflector(clients: 2, 3)
        _ = rib.apply(announce(["10.244.1.0/26", "10.244.2.0/26"]), from: PeerID(2))
        _ = rib.drainUpdates(for: PeerID(3))
        _ = rib.apply(withdraw(["10.244.2.0/26"]), from: PeerID(2))
        _ = rib.apply(announce(["10.244.3.0/26"]), from: PeerID(2))
        rib.refresh(.ipv4, for: PeerID(3))
        let updates = rib.drainUpdates(for: PeerID(3))
        #expect(updates.announced == ["10.244.1.0/26", "10.244.3.0/26"])
        #expect(updates.withdrawn == ["10.244.2.0/26"])
        #expect(updates.endOfRIBs.isEmpty)
    }

    @Test("While export is held peers get own routes only; then the rest and the End-of-RIB")
    func hold() {
        var rib = reflector(clients: 2, 3, isExportHeld: true)
        rib.setLocal([local("10.244.0.0/26")])
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        let early = rib.drainUpdates(for: PeerID(3))
        #expect(early.announced == ["10.244.0.0/26"])
        #expect(early.endOfRIBs.isEmpty)
        rib.setLocal([local("10.244.0.0/26"), local("10.244.5.0/26")])
        #expect(rib.drainUpdates(for: PeerID(3)).announced == ["10.244.5.0/26"])
        #expect(rib.peersAwaitingEndOfRIB == [PeerID(2), PeerID(3)])
        _ = rib.apply(.endOfRIB(.ipv4Unicast), from: PeerID(2))
        _ = rib.apply(.endOfRIB(.ipv4Unicast), from: PeerID(3))
        #expect(rib.peersAwaitingEndOfRIB.isEmpty)
        #expect(rib.isExportHeld)
        rib.releaseExport()
        #expect(!rib.isExportHeld)
        let late = rib.drainUpdates(for: PeerID(3))
        #expect(late.announced == ["10.244.1.0/26"])
        #expect(late.last == .endOfRIB(.ipv4))
        rib.releaseExport()
        #expect(rib.drainUpdates(for: PeerID(3)).isEmpty)
    }

    @Test("A peer that never reads costs no more log than there are prefixes, and gets the latest state")
    func slowPeer() {
        var rib = reflector(clients: 2, 3, 4)
        for id in 2...4 { _ = rib.drainUpdates(for: PeerID(UInt32(id))) }
        for round in 0..<5000 {
            let attributes = PathAttributes(med: UInt32(round))
            _ = rib.apply(announce(["10.244.\(round % 10).0/26"], attributes), from: PeerID(2))
            _ = rib.drainUpdates(for: PeerID(4))
        }
        #expect(rib.changeLogCount(of: .ipv4) <= 2 * 10 + 1025)
        let updates = rib.drainUpdates(for: PeerID(3))
        #expect(updates.announced.count == 10)
        #expect(updates.announcements.compactMap(\.attributes.med).min() == 4990)
        #expect(rib.changeLogCount(of: .ipv4) >= 10, "the peer that sent the routes has not read yet")
        #expect(rib.drainUpdates(for: PeerID(2)).isEmpty)
        #expect(rib.changeLogCount(of: .ipv4) == 0)
    }

    @Test("A lost session forgets what was sent: the next one starts over")
    func newSession() {
        var rib = reflector(clients: 2, 3)
        _ = rib.apply(announce(["10.244.1.0/26"]), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).announced == ["10.244.1.0/26"])
        rib.peerDown(PeerID(3), keepStale: true)
        #expect(rib.nextUpdates(for: PeerID(3)).isEmpty)
        #expect(rib.peerStatus(PeerID(3))?.advertised == 0)
        rib.addPeer(PeerID(3), role: role(3, isReflectorClient: true))
        let updates = rib.drainUpdates(for: PeerID(3))
        #expect(updates.announced == ["10.244.1.0/26"])
        #expect(updates.endOfRIBs == [.ipv4])
    }
}
