import BGPTable
import BGPWire
import NetTypes
import Testing

@Suite struct ExportTests {
    let learnedPrefix = "10.244.1.0/26"

    /// What kind of peer stands at either end.
    enum End: CaseIterable, Sendable {
        case client, nonClient, external

        func role(_ host: Int) -> PeerRole {
            switch self {
            case .client: BGPTableTests.role(host, isReflectorClient: true)
            case .nonClient: BGPTableTests.role(host)
            case .external: BGPTableTests.role(host, peerAS: ASNumber(UInt32(65000 + host)))
            }
        }
    }

    private func exported(_ attributes: PathAttributes, from source: End, to target: End) -> OutgoingAnnouncement? {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: source.role(2))
        rib.addPeer(PeerID(3), role: target.role(3))
        _ = rib.apply(announce([learnedPrefix], attributes), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(2)).announced.isEmpty, "never back to the source")
        return rib.drainUpdates(for: PeerID(3)).announcements.first
    }

    @Test("Who hears of a route from whom (RFC 4456 §6)", arguments: End.allCases, End.allCases)
    func matrix(source: End, target: End) throws {
        let attributes = PathAttributes(asPath: path(65002), med: 7, localPref: 150)
        let sent = exported(attributes, from: source, to: target)
        if source == .nonClient, target == .nonClient {
            #expect(sent == nil)
            return
        }
        let announcement = try #require(sent)
        var expected = PathAttributes(asPath: path(65002))
        switch target {
        case .external:
            expected.asPath = path(64512, 65002)
            #expect(announcement.nextHop.address == ownAddress)
        case .client, .nonClient:
            expected.med = 7
            expected.localPref = source == .external ? 100 : 150
            #expect(announcement.nextHop.address == address("192.168.1.2"))
            if source != .external {
                expected.originatorID = routerID("192.168.1.2")
                expected.clusterList = [ClusterID(routerID("192.168.1.1"))]
            }
        }
        #expect(announcement.attributes == expected)
        #expect(announcement.prefixes == [prefix(learnedPrefix)])
    }

    @Test("A reflected route keeps its originator, gains a cluster, and is not sent to its originator")
    func reflection() throws {
        let attributes = PathAttributes(
            originatorID: routerID("192.168.1.9"), clusterList: [ClusterID(rawValue: 42)])
        let sent = try #require(exported(attributes, from: .client, to: .nonClient))
        #expect(sent.attributes.originatorID == routerID("192.168.1.9"))
        #expect(sent.attributes.clusterList == [ClusterID(routerID("192.168.1.1")), ClusterID(rawValue: 42)])
        #expect(exported(PathAttributes(originatorID: routerID("192.168.1.3")), from: .client, to: .client) == nil)
    }

    @Test(
        "Well-known communities are honoured for learned routes",
        arguments: [
            (Community.noExport, true, false), (.noExportSubconfed, true, false), (.noAdvertise, false, false),
            (Community(64512, 1), true, true),
        ])
    func communities(community: Community, toInternal: Bool, toExternal: Bool) {
        let attributes = PathAttributes(asPath: path(65002), communities: [community])
        #expect((exported(attributes, from: .external, to: .client) != nil) == toInternal)
        #expect((exported(attributes, from: .external, to: .external) != nil) == toExternal)
    }

    @Test("Tunnels and non-transitive extended communities stay inside the AS")
    func scope() throws {
        let inside = ExtendedCommunity(rawValue: 0x4004_0000_0000_0001)
        let attributes = PathAttributes(
            extendedCommunities: [inside, ExtendedCommunity(rawValue: 2)], unknown: [tunnel([1])])
        let toExternal = try #require(exported(attributes, from: .client, to: .external))
        #expect(toExternal.attributes.extendedCommunities == [ExtendedCommunity(rawValue: 2)])
        #expect(toExternal.attributes.unknown.isEmpty)
        let toClient = try #require(exported(attributes, from: .client, to: .client))
        #expect(toClient.attributes.unknown == [tunnel([1])])
        #expect(toClient.attributes.extendedCommunities.count == 2)
    }

    @Test("Own routes go to everybody, with the own address, own MED and the configured communities")
    func ownRoutes() throws {
        var rib = makeRIB()
        rib.addPeers(2)
        rib.addPeer(PeerID(3), role: role(3, peerAS: ASNumber(65001)))
        rib.setLocal([local("10.244.0.0/26", PathAttributes(med: 5, communities: [.noExport]))])
        let inside = try #require(rib.drainUpdates(for: PeerID(2)).announcements.first)
        #expect(inside.nextHop == NextHop(ownAddress))
        #expect(inside.attributes == PathAttributes(med: 5, localPref: 100, communities: [.noExport]))
        let outside = try #require(rib.drainUpdates(for: PeerID(3)).announcements.first)
        #expect(outside.attributes == PathAttributes(asPath: path(64512), med: 5, communities: [.noExport]))
        rib.setLocal([])
        #expect(rib.drainUpdates(for: PeerID(2)).withdrawn == ["10.244.0.0/26"])
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == ["10.244.0.0/26"])
    }

    @Test("The next hop follows the peer's mode, and a peer is never told to be its own next hop")
    func nextHops() {
        func nextHop(_ mode: PeerRole.NextHopMode, peerAS: ASNumber, via: String = "192.168.1.2") -> IPAddress? {
            var rib = makeRIB()
            rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65009)))
            rib.addPeer(PeerID(3), role: role(3, peerAS: peerAS, nextHopMode: mode))
            _ = rib.apply(announce([learnedPrefix], via: via, PathAttributes(asPath: path(65009))), from: PeerID(2))
            return rib.drainUpdates(for: PeerID(3)).announcements.first?.nextHop.address
        }
        let outside = ASNumber(65001)
        #expect(nextHop(.automatic, peerAS: ownAS) == address("192.168.1.2"))
        #expect(nextHop(.automatic, peerAS: outside) == ownAddress)
        #expect(nextHop(.ownAddress, peerAS: ownAS) == ownAddress)
        #expect(nextHop(.unchanged, peerAS: outside) == address("192.168.1.2"))
        #expect(nextHop(.unchanged, peerAS: outside, via: "192.168.1.3") == nil)
        #expect(nextHop(.automatic, peerAS: outside, via: "192.168.1.3") == ownAddress)
    }

    @Test("IPv6 goes with its own next hop, without the link-local one that was learned, to those who speak it")
    func ipv6() throws {
        var rib = makeRIB()
        let both: Set<AddressFamily> = [.ipv4, .ipv6]
        rib.addPeer(PeerID(2), role: role(2, isReflectorClient: true, families: both))
        rib.addPeer(PeerID(3), role: role(3, families: both))
        rib.addPeer(PeerID(4), role: role(4))
        rib.setLocal([local("fd10::/122"), local("10.244.0.0/26")])
        let nextHop = NextHop(address("fd00::2"), linkLocal: IPv6Address("fe80::2"))
        let reach = UpdateMessage.Reach(family: .ipv6Unicast, nextHop: nextHop, prefixes: [prefix("fd10:0:0:1::/122")])
        _ = rib.apply(UpdateMessage(reachable: [reach]), from: PeerID(2))
        let updates = rib.drainUpdates(for: PeerID(3))
        #expect(updates.announced == ["10.244.0.0/26", "fd10:0:0:1::/122", "fd10::/122"])
        #expect(updates.endOfRIBs == [.ipv4, .ipv6])
        #expect(
            Set(updates.announcements.map(\.nextHop))
                == [NextHop(ownAddress), NextHop(ownAddress6), NextHop(address("fd00::2"))])
        let narrow = rib.drainUpdates(for: PeerID(4))
        #expect(narrow.announced == ["10.244.0.0/26"])
        #expect(narrow.endOfRIBs == [.ipv4])
    }
}
