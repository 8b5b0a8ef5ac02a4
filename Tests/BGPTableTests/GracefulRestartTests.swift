import BGPTable
import BGPWire
import NetTypes
import Testing

/// The helper's side of RFC 4724: two peers, the first of which restarts; the second watches.
@Suite struct GracefulRestartTests {
    let restarting = PeerID(2)
    let watcher = PeerID(3)

    private func start() -> RIB {
        var rib = makeRIB()
        rib.addPeer(restarting, role: role(2, peerAS: ASNumber(65001)))
        rib.addPeer(watcher, role: role(3))
        _ = rib.apply(
            announce(["10.244.1.0/26", "10.244.2.0/26"], PathAttributes(asPath: path(65001))), from: restarting)
        _ = rib.apply(.endOfRIB(.ipv4Unicast), from: restarting)
        _ = rib.drainUpdates(for: watcher)
        _ = rib.drainForwardingChanges()
        return rib
    }

    @Test("A peer that comes back with the same routes changes nothing for anybody")
    func invisible() {
        var rib = start()
        rib.peerDown(restarting, keepStale: true)
        #expect(rib.peerStatus(restarting)?.stale == 2)
        #expect(rib.routes(of: .ipv4).allSatisfy { $0.isStale && $0.isBest })
        rib.addPeer(restarting, role: role(2, peerAS: ASNumber(65001)))
        #expect(rib.peersAwaitingEndOfRIB == [restarting, watcher])
        let summary = rib.apply(
            announce(["10.244.2.0/26", "10.244.1.0/26"], PathAttributes(asPath: path(65001))), from: restarting)
        #expect(summary.unchanged == 2)
        #expect(rib.apply(.endOfRIB(.ipv4Unicast), from: restarting).swept == 0)
        #expect(rib.peerStatus(restarting)?.stale == 0)
        #expect(rib.peersAwaitingEndOfRIB == [watcher])
        #expect(rib.drainForwardingChanges().isEmpty)
        #expect(!rib.hasPendingUpdates(for: watcher))
        #expect(rib.nextUpdates(for: watcher).isEmpty)
    }

    @Test("The End-of-RIB removes what did not come again, for everybody")
    func sweep() {
        var rib = start()
        rib.peerDown(restarting, keepStale: true)
        rib.addPeer(restarting, role: role(2, peerAS: ASNumber(65001)))
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(asPath: path(65001))), from: restarting)
        let summary = rib.apply(.endOfRIB(.ipv4Unicast), from: restarting)
        #expect(summary.swept == 1)
        #expect(summary.endOfRIB == .ipv4)
        #expect(rib.drainForwardingChanges() == [ForwardingChange(prefix: prefix("10.244.2.0/26"), best: nil)])
        #expect(rib.drainUpdates(for: watcher).withdrawn == ["10.244.2.0/26"])
    }

    @Test("The restart timer removes everything stale; without restart routes go at once")
    func timer() {
        var rib = start()
        rib.peerDown(restarting, keepStale: true)
        #expect(rib.drainForwardingChanges().isEmpty)
        rib.peerDown(restarting, keepStale: true)
        #expect(rib.peerStatus(restarting)?.stale == 2, "a second loss without a session between changes nothing")
        #expect(rib.sweepStale(of: restarting, family: .ipv6) == 0)
        #expect(rib.sweepStale(of: restarting) == 2)
        #expect(rib.drainForwardingChanges().count == 2)

        var other = start()
        other.peerDown(restarting, keepStale: false)
        #expect(other.drainForwardingChanges().count == 2)
        #expect(other.drainUpdates(for: watcher).withdrawn == ["10.244.1.0/26", "10.244.2.0/26"])
    }

    @Test("A route not confirmed between two losses does not outlive the second")
    func consecutive() {
        var rib = start()
        rib.peerDown(restarting, keepStale: true)
        rib.addPeer(restarting, role: role(2, peerAS: ASNumber(65001)))
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(asPath: path(65001))), from: restarting)
        rib.peerDown(restarting, keepStale: true)
        #expect(rib.routes(of: .ipv4).map(\.prefix) == [prefix("10.244.1.0/26")])
        #expect(rib.peerStatus(restarting)?.stale == 1)
    }

    @Test("A new session over a live one keeps the routes until its End-of-RIB")
    func replacement() {
        var rib = start()
        rib.addPeer(restarting, role: role(2, peerAS: ASNumber(65001)))
        #expect(rib.peerStatus(restarting)?.stale == 2)
        #expect(rib.drainForwardingChanges().isEmpty)
        #expect(rib.drainUpdates(for: restarting).endOfRIBs == [.ipv4])
    }

    @Test("Another router under the same name, or a family no longer negotiated, keeps nothing")
    func anotherRouter() {
        var rib = start()
        rib.peerDown(restarting, keepStale: true)
        rib.addPeer(restarting, role: role(8, peerAS: ASNumber(65001)))
        #expect(rib.routes(of: .ipv4).isEmpty)

        var narrowed = start()
        narrowed.peerDown(restarting, keepStale: true)
        narrowed.addPeer(restarting, role: role(2, peerAS: ASNumber(65001), families: [.ipv6]))
        #expect(narrowed.routes(of: .ipv4).isEmpty)
    }
}
