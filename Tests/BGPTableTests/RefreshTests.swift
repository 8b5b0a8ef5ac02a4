import BGPTable
import BGPWire
import NetTypes
import Testing

/// Enhanced route refresh (RFC 7313).
@Suite struct RefreshTests {
    private let sender = PeerID(2)
    private let watcher = PeerID(3)

    private func start() -> RIB {
        var rib = makeRIB()
        rib.addPeer(sender, role: role(2, peerAS: ASNumber(65001)))
        rib.addPeer(watcher, role: role(3))
        _ = rib.apply(
            announce(["10.244.1.0/26", "10.244.2.0/26"], PathAttributes(asPath: path(65001))), from: sender)
        _ = rib.apply(.endOfRIB(.ipv4Unicast), from: sender)
        _ = rib.drainUpdates(for: watcher)
        _ = rib.drainForwardingChanges()
        return rib
    }

    @Test("What does not come again between the markers goes, and what does was never gone")
    func receiver() {
        var rib = start()
        let hasBegun = rib.beginRefresh(.ipv4, from: sender)
        #expect(hasBegun)
        #expect(rib.drainForwardingChanges().isEmpty)
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(asPath: path(65001))), from: sender)
        let swept = rib.sweepStale(of: sender, family: .ipv4)
        #expect(swept == 1)
        #expect(rib.drainForwardingChanges() == [ForwardingChange(prefix: prefix("10.244.2.0/26"), best: nil)])
        #expect(rib.drainUpdates(for: watcher).withdrawn == ["10.244.2.0/26"])
    }

    @Test("A second marker for the beginning removes nothing, nor does the loss of the session between the markers")
    func interrupted() {
        var rib = start()
        let first = rib.beginRefresh(.ipv4, from: sender)
        let second = rib.beginRefresh(.ipv4, from: sender)
        #expect(first && second && rib.drainForwardingChanges().isEmpty)
        #expect(rib.peerStatus(sender)?.stale == 2)
        rib.abandonRefresh(.ipv4, from: sender)
        #expect(rib.peerStatus(sender)?.stale == 0)
        rib.peerDown(sender, keepStale: true)
        #expect(rib.drainForwardingChanges().isEmpty)
        let swept = rib.sweepStale(of: sender, family: .ipv4)
        #expect(swept == 2)
    }

    @Test(
        "What a sweep in slices has not come to is gone for good, whether or not the peer begins again before that",
        arguments: [false, true])
    func abandonedSweep(beginsAgain: Bool) {
        var rib = makeRIB()
        rib.addPeer(sender, role: role(2, peerAS: ASNumber(65001)))
        let many = (0..<RIB.sliceLimit + 2).map { "10.244.\($0 >> 8).\($0 & 255)/32" }
        _ = rib.apply(announce(many, PathAttributes(asPath: path(65001))), from: sender)
        let first = rib.beginRefresh(.ipv4, from: sender)
        _ = rib.apply(announce([many[7]], PathAttributes(asPath: path(65001))), from: sender)
        rib.sweepStale(of: sender, family: .ipv4)
        rib.goOn(limit: 10)
        #expect(first && rib.hasSlicesLeft)
        if beginsAgain {
            let second = rib.beginRefresh(.ipv4, from: sender)
            #expect(second && rib.peerStatus(sender)?.stale == 1)
        }
        rib.abandonRefreshes(from: sender)
        #expect(rib.peerStatus(sender)?.received == 1 && rib.peerStatus(sender)?.stale == 0)
        #expect(rib.bestRoute(to: prefix(many[7])) != nil)
    }

    @Test("A family that was not agreed on, and a peer without a session, begin nothing")
    func refused() {
        var rib = start()
        let other = rib.beginRefresh(.ipv6, from: sender)
        let nobody = rib.beginRefresh(.ipv4, from: PeerID(9))
        rib.peerDown(sender, keepStale: false)
        let gone = rib.beginRefresh(.ipv4, from: sender)
        #expect(!other && !nobody && !gone)
    }

    @Test("A peer is being told until it has been handed the last of what it asked for")
    func telling() {
        var rib = start()
        #expect(rib.hasSentEndOfRIB(.ipv4, to: watcher) && !rib.isTelling(.ipv4, to: watcher))
        rib.refresh(.ipv4, for: watcher)
        var rounds = 0
        while rib.isTelling(.ipv4, to: watcher), rounds < 10 {
            _ = rib.nextUpdates(for: watcher, limit: 1)
            rounds += 1
        }
        #expect(rounds >= 2 && rounds < 10)
        #expect(rib.nextUpdates(for: watcher).isEmpty)
        #expect(!rib.isTelling(.ipv6, to: watcher) && !rib.isTelling(.ipv4, to: PeerID(9)))
    }
}
