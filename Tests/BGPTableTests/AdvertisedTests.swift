import BGPTable
import BGPWire
import NetTypes
import Testing

@Suite("What a peer has been told, for display")
struct AdvertisedTests {
    private typealias Rule = RouteFilter.Rule

    /// A node that announces a block as a drained one does, and passes on what peer 2 has said.
    private static func rib(to target: PeerRole) -> RIB {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65002)))
        rib.addPeer(PeerID(3), role: target)
        var own = PathAttributes()
        own.communities = [.gracefulShutdown]
        own.localPref = 0
        rib.setLocal([local("10.244.0.0/26", own)])
        var learned = PathAttributes(asPath: path(65002))
        learned.communities = [Community(65002, 7)]
        learned.med = 30
        _ = rib.apply(announce(["10.244.1.0/26", "10.244.1.64/26"], learned), from: PeerID(2))
        return rib
    }

    private static func target(peerAS: ASNumber) -> PeerRole {
        var target = role(3, peerAS: peerAS)
        target.exportFilter.ipv4 = [
            Rule(.accept([.addCommunity(.standard(Community(9, 9))), .prependASPath([ownAS])]))
        ]
        return target
    }

    @Test("each route has the attributes that went out", arguments: [ownAS, ASNumber(65003)])
    func attributes(peerAS: ASNumber) {
        var rib = Self.rib(to: Self.target(peerAS: peerAS))
        let sent = rib.drainUpdates(for: PeerID(3)).announcements
        let shown = rib.advertised(to: PeerID(3))
        #expect(shown.count == 3)
        for route in shown {
            let announcement = sent.first { $0.prefixes.contains(route.prefix) }
            #expect(route.attributes == announcement?.attributes)
            #expect(route.attributes?.communities.contains(Community(9, 9)) == true)
        }
    }

    @Test("an external peer reads the own AS and no LOCAL_PREF, an internal one LOCAL_PREF 0 of a drained node")
    func values() {
        var rib = Self.rib(to: role(3, peerAS: ASNumber(65003)))
        _ = rib.drainUpdates(for: PeerID(3))
        let external = rib.advertised(to: PeerID(3)).map(\.attributes)
        #expect(external.map { $0?.asPath } == [path(64512), path(64512, 65002), path(64512, 65002)])
        #expect(external.map { $0?.localPref } == [nil, nil, nil] && external.map { $0?.med } == [nil, nil, nil])
        rib = Self.rib(to: role(3))
        _ = rib.drainUpdates(for: PeerID(3))
        let inside = rib.advertised(to: PeerID(3)).map(\.attributes)
        #expect(inside.map { $0?.localPref } == [0, 100, 100])
        #expect(inside.first??.communities == [.gracefulShutdown])
    }

    @Test("of what the peer is yet to be told to forget there are none")
    func rejected() {
        var rib = Self.rib(to: role(3))
        _ = rib.drainUpdates(for: PeerID(3))
        rib.changeRole(of: PeerID(3)) { $0.exportFilter.ipv4 = [Rule(.reject)] }
        let shown = rib.advertised(to: PeerID(3))
        #expect(shown.count == 3 && shown.allSatisfy { $0.attributes == nil && $0.best == nil })
    }
}
