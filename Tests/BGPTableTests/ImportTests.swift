import BGPTable
import BGPWire
import NetTypes
import Testing

@Suite struct ImportTests {
    struct Refusal: Sendable {
        let prefix: String
        var nextHop = "192.168.1.2"
        var attributes = PathAttributes()
        let reason: Ineligibility?
    }

    static let refusals = [
        Refusal(prefix: "10.244.1.0/26", reason: nil),
        Refusal(prefix: "10.244.1.0/26", attributes: PathAttributes(asPath: path(65001, 64512)), reason: .asLoop),
        Refusal(
            prefix: "10.244.1.0/26", attributes: PathAttributes(originatorID: routerID("192.168.1.1")),
            reason: .ownOriginatorID),
        Refusal(
            prefix: "10.244.1.0/26",
            attributes: PathAttributes(clusterList: [ClusterID(rawValue: 5), ClusterID(routerID("192.168.1.1"))]),
            reason: .ownClusterID),
        Refusal(prefix: "10.244.1.0/26", nextHop: "192.168.1.1", reason: .nextHopIsLocal),
        Refusal(prefix: "10.244.1.0/26", nextHop: "fd00::2", reason: .nextHopFamily),
        Refusal(prefix: "0.0.0.0/0", reason: .defaultRoute),
        Refusal(prefix: "10.245.0.0/26", reason: .outsidePools),
        Refusal(prefix: "10.0.0.0/8", reason: .outsidePools),
    ]

    @Test("A route that may not be used is kept with its reason and forwards nothing", arguments: refusals)
    func refusal(_ example: Refusal) throws {
        var rib = makeRIB()
        rib.addPeers(2)
        let summary = rib.apply(
            announce([example.prefix], via: example.nextHop, example.attributes), from: PeerID(2))
        let route = try #require(rib.routes(to: prefix(example.prefix)).first)
        #expect(route.ineligibility == example.reason)
        #expect(route.isBest == (example.reason == nil))
        #expect(summary.accepted == (example.reason == nil ? 1 : 0))
        #expect(summary.refused == (example.reason == nil ? 0 : 1))
        #expect(rib.drainForwardingChanges().count == summary.accepted)
        #expect(rib.peerStatus(PeerID(2))?.refused == summary.refused)
    }

    @Test("A prefix that covers a node's address is refused even inside a pool")
    func coversNode() {
        var rib = makeRIB(pools: ["0.0.0.0/0"])
        rib.addPeers(2)
        _ = rib.apply(announce(["192.168.0.0/16", "192.168.2.0/24"]), from: PeerID(2))
        #expect(rib.routes(of: .ipv4).map(\.ineligibility) == [.coversNodeAddress, nil])
    }

    @Test("Routes are shown of what lies within a prefix, and of one peer")
    func shown() {
        var rib = makeRIB(pools: ["10.0.0.0/8", "fd00:244::/48"])
        rib.addPeers(2, 3)
        _ = rib.apply(announce(["10.244.1.0/26", "10.244.0.0/16", "10.99.0.0/26"]), from: PeerID(2))
        _ = rib.apply(announce(["10.244.1.0/26", "10.244.2.0/26"]), from: PeerID(3))
        func shown(_ range: String?, _ peer: UInt32? = nil) -> [String] {
            AddressFamily.allCases.flatMap {
                rib.routes(of: $0, within: range.map { prefix($0) }, from: peer.map { PeerID($0) })
            }.map(\.prefix.description)
        }
        #expect(shown(nil) == ["10.99.0.0/26", "10.244.0.0/16", "10.244.1.0/26", "10.244.1.0/26", "10.244.2.0/26"])
        #expect(shown("10.244.0.0/16", 2) == ["10.244.0.0/16", "10.244.1.0/26"])
        #expect(shown("10.244.0.0/17") == ["10.244.1.0/26", "10.244.1.0/26", "10.244.2.0/26"])
        #expect(shown("10.244.1.0/26", 3) == ["10.244.1.0/26"])
        #expect(shown("10.244.1.0/27").isEmpty && shown("fd00:244::/48").isEmpty)
    }

    @Test("A change of the policy takes effect in place, both ways")
    func policyChange() {
        var rib = makeRIB()
        rib.addPeers(2)
        _ = rib.apply(announce(["10.244.1.0/26", "10.99.0.0/26"]), from: PeerID(2))
        #expect(rib.drainForwardingChanges().map(\.prefix) == [prefix("10.244.1.0/26")])
        rib.setImportPolicy(ImportPolicy(pools: [prefix("10.99.0.0/16")]))
        let changes = rib.drainForwardingChanges()
        #expect(Set(changes.map(\.prefix)) == [prefix("10.244.1.0/26"), prefix("10.99.0.0/26")])
        #expect(changes.first { $0.prefix == prefix("10.244.1.0/26") }?.best == nil)
        #expect(rib.peerStatus(PeerID(2))?.refused == 1)
    }

    @Test("What is internal to an AS is not taken from an external peer, nor is a tunnel")
    func normalised() throws {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65001)))
        let attributes = PathAttributes(
            asPath: path(65001), localPref: 900, originatorID: routerID("192.168.1.1"),
            clusterList: [ClusterID(routerID("192.168.1.1"))], unknown: [tunnel([1, 2])])
        _ = rib.apply(announce(["10.244.1.0/26"], attributes), from: PeerID(2))
        let route = try #require(rib.routes(to: prefix("10.244.1.0/26")).first)
        #expect(route.isBest)
        #expect(route.attributes == PathAttributes(asPath: path(65001)))
    }

    @Test("Withdrawals come before announcements, unknown peers and families are ignored")
    func updates() {
        var rib = makeRIB()
        rib.addPeers(2)
        let both = UpdateMessage(
            unreachable: withdraw(["10.244.1.0/26"]).unreachable, reachable: announce(["10.244.1.0/26"]).reachable)
        #expect(rib.apply(both, from: PeerID(2)).accepted == 1)
        #expect(rib.apply(both, from: PeerID(2)).withdrawn == 1)
        #expect(rib.bestRoute(to: prefix("10.244.1.0/26")) != nil)
        #expect(rib.apply(both, from: PeerID(9)) == ImportSummary())
        #expect(rib.apply(announce(["fd10::/64"], via: "fd00::2"), from: PeerID(2)) == ImportSummary())
        #expect(rib.apply(withdraw(["10.244.7.0/26"]), from: PeerID(2)).withdrawn == 0)
        #expect(rib.prefixCount(of: .ipv4) == 1)
    }

    @Test("A route that has passed an AS which this node shows to any peer has been here, whichever peer it comes from")
    func shownASes() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65001)))
        let attributes = PathAttributes(asPath: path(65001, 65200))
        _ = rib.apply(announce(["10.244.1.0/26"], attributes), from: PeerID(2))
        #expect(rib.routes(to: prefix("10.244.1.0/26")).first?.ineligibility == nil)
        let shown = RIB.Identity(
            localAS: ownAS, shownASes: [ASNumber(65200), ownAS], routerID: routerID("192.168.1.1"),
            localAddresses: [ownAddress])
        #expect(shown.ownASes == [ownAS, ASNumber(65200)])
        rib.setIdentity(shown)
        #expect(rib.routes(to: prefix("10.244.1.0/26")).first?.ineligibility == .asLoop)
        rib.changeRole(of: PeerID(2)) { $0.allowedOwnAS = 1 }
        rib.reviewSmallTables()
        #expect(rib.routes(to: prefix("10.244.1.0/26")).first?.ineligibility == nil)
        let twice = PathAttributes(asPath: path(65001, 65200, 65200))
        #expect(rib.apply(announce(["10.244.2.0/26"], twice), from: PeerID(2)).refused == 1)
        rib.setIdentity(identity())
        #expect(rib.routes(to: prefix("10.244.2.0/26")).first?.ineligibility == nil)
    }

    @Test("An own block from another originator is a conflict; an echo of the own announcement is none")
    func conflicts() {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        rib.setLocal([local("10.244.0.0/26"), local("10.244.9.9/32", isExclusive: false)])
        let echo = PathAttributes(originatorID: routerID("192.168.1.1"))
        #expect(rib.apply(announce(["10.244.0.0/26"], echo), from: PeerID(2)).conflicts.isEmpty)
        #expect(rib.apply(announce(["10.244.9.9/32"]), from: PeerID(3)).conflicts.isEmpty)
        #expect(rib.ownBlockConflicts.isEmpty)
        let reflected = PathAttributes(originatorID: routerID("192.168.1.7"))
        let summary = rib.apply(announce(["10.244.0.0/26"], reflected), from: PeerID(3))
        #expect(summary.conflicts == [prefix("10.244.0.0/26")])
        #expect(
            rib.ownBlockConflicts == [
                OwnBlockConflict(prefix: prefix("10.244.0.0/26"), peer: PeerID(3), originator: routerID("192.168.1.7"))
            ])
        #expect(rib.bestRoute(to: prefix("10.244.0.0/26")) == .local)
        _ = rib.apply(withdraw(["10.244.0.0/26"]), from: PeerID(3))
        #expect(rib.ownBlockConflicts.isEmpty)
    }

    @Test("An own block that comes back by a router is no conflict, allowed or not, by whichever session it went out")
    func echoes() {
        for (allowed, numbers) in [(0, path(65001, 64512)), (1, path(65001, 64512)), (1, path(65001, 65200))] {
            var rib = makeRIB()
            rib.setIdentity(
                RIB.Identity(localAS: ownAS, shownASes: [ASNumber(65200)], routerID: routerID("192.168.1.1")))
            rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65001)))
            rib.changeRole(of: PeerID(2)) { $0.allowedOwnAS = allowed }
            rib.setLocal([local("10.244.0.0/26")])
            let summary = rib.apply(announce(["10.244.0.0/26"], PathAttributes(asPath: numbers)), from: PeerID(2))
            #expect(summary.conflicts.isEmpty)
            #expect(rib.ownBlockClaims.isEmpty)
        }
    }

    @Test("From a router that loses the own AS an own block is no conflict without a sign of another node")
    func overriddenEchoes() throws {
        let (block, other) = ("10.244.0.0/26", "192.168.1.7")
        let endpoint = TunnelEncapsulation.Tunnel(TunnelEndpoint(.vxlan, egress: address(other)))
        let told = TunnelEncapsulation(tunnels: [try #require(endpoint)]).attribute
        let cases: [(peer: Int, ASPath, nextHop: String, [RawAttribute], isProven: Bool)] = [
            (2, path(65001, 65001), "192.168.1.2", [], false),
            (2, path(65001, 65001), other, [], true),
            (2, path(65001, 65009, 65001), other, [], false),
            (2, path(65001, 65007), "192.168.1.2", [], true),
            (2, path(65001, 65001), "192.168.1.2", [told], true),
            (7, path(65007), other, [], true),
        ]
        for (peer, path, nextHop, unknown, isProven) in cases {
            var rib = makeRIB()
            rib.setImportPolicy(
                ImportPolicy(
                    pools: [prefix("10.244.0.0/16")], nodeAddresses: [ownAddress, address(other)],
                    nodeASes: [ownAS, ASNumber(65007)]))
            let id = PeerID(UInt32(peer))
            var role = role(peer, peerAS: ASNumber(peer == 2 ? 65001 : 65007))
            role.carriesTunnelEncapsulation = true
            rib.addPeer(id, role: role)
            rib.setLocal([local(block)])
            let attributes = PathAttributes(asPath: path, unknown: unknown)
            _ = rib.apply(announce([block], via: nextHop, attributes), from: id)
            #expect(rib.ownBlockClaims.map(\.isProven) == [isProven], "\(path) via \(nextHop)")
            #expect(rib.ownBlockConflicts.isEmpty != isProven)
        }
    }

    @Test("What a node has heard of a router and passes on inside the AS is no conflict; a part of a block is one")
    func passedOnEchoes() {
        var rib = makeRIB()
        rib.setImportPolicy(
            ImportPolicy(pools: [prefix("10.244.0.0/16")], nodeAddresses: [ownAddress, address("192.168.1.3")]))
        rib.addPeers(3)
        rib.setLocal([local("10.244.0.0/26")])
        let attributes = PathAttributes(asPath: path(65001, 65001))
        _ = rib.apply(announce(["10.244.0.0/26"], via: "192.168.1.3", attributes), from: PeerID(3))
        #expect(rib.ownBlockClaims.map(\.isProven) == [false])
        _ = rib.apply(announce(["10.244.0.7/32"], via: "192.168.1.3", attributes), from: PeerID(3))
        #expect(rib.ownBlockConflicts.map(\.announced) == [prefix("10.244.0.7/32")])
    }

    @Test("A block that is only planned is in conflict with who announces it, not with an aggregate of the new pools")
    func planned() {
        var rib = makeRIB(pools: [])
        rib.addPeers(3)
        _ = rib.apply(announce(["10.244.5.0/26", "0.0.0.0/0", "10.0.0.0/8"]), from: PeerID(3))
        let echo = PathAttributes(originatorID: routerID("192.168.1.1"))
        _ = rib.apply(announce(["10.244.6.0/26"], echo), from: PeerID(3))
        let blocks = [prefix("10.244.5.0/26"), prefix("10.244.6.0/26")]
        rib.setPlanned(blocks, pools: [prefix("10.244.0.0/16")])
        let expected = OwnBlockConflict(
            prefix: blocks[0], announced: blocks[0], peer: PeerID(3), originator: routerID("192.168.1.3"))
        #expect(rib.ownBlockConflicts == [expected])
        rib.setLocal([local("10.244.5.0/26")])
        #expect(rib.ownBlockConflicts == [expected])
        rib.setLocal([])
        _ = rib.apply(withdraw(["10.244.5.0/26"]), from: PeerID(3))
        #expect(rib.ownBlockConflicts.isEmpty)
        #expect(rib.apply(announce(["10.244.5.64/26"]), from: PeerID(3)).conflicts.isEmpty)
        #expect(rib.apply(announce(["10.244.5.7/32"]), from: PeerID(3)).conflicts == [prefix("10.244.5.7/32")])
        rib.setPlanned([], pools: [])
        #expect(rib.ownBlockConflicts.isEmpty)
    }

    @Test(
        "An own block is in conflict with a part of it and with what holds it, but not with an aggregate of the pool",
        arguments: [
            ("10.244.0.5/32", true), ("10.244.0.0/27", true), ("10.244.0.32/27", true), ("10.244.0.0/25", true),
            ("10.244.0.0/18", true), ("10.244.0.0/16", false), ("10.0.0.0/8", false), ("10.244.0.64/26", false),
            ("10.243.255.192/26", false), ("0.0.0.0/0", false),
        ])
    func overlap(announced: String, isConflict: Bool) {
        for comesFirst in [true, false] {
            var rib = makeRIB()
            rib.addPeers(3)
            let blocks = [local("10.244.0.0/26"), local("10.244.9.0/26"), local("10.244.10.7/32")]
            if comesFirst { rib.setLocal(blocks) }
            let summary = rib.apply(announce([announced]), from: PeerID(3))
            if comesFirst { #expect(summary.conflicts == (isConflict ? [prefix(announced)] : [])) }
            rib.setLocal(blocks)
            let expected = OwnBlockConflict(
                prefix: prefix("10.244.0.0/26"), announced: prefix(announced), peer: PeerID(3),
                originator: routerID("192.168.1.3"))
            #expect(rib.ownBlockConflicts.filter { $0.prefix == expected.prefix } == (isConflict ? [expected] : []))
            _ = rib.apply(withdraw([announced]), from: PeerID(3))
            #expect(rib.ownBlockConflicts.isEmpty)
        }
    }

    @Test("Everything taken in and withdrawn again leaves no prefix and no attribute set behind")
    func nothingLeft() {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        rib.setLocal([local("10.244.0.0/26")])
        _ = rib.apply(announce(["10.244.1.0/26", "10.244.2.0/26"], PathAttributes(med: 1)), from: PeerID(2))
        _ = rib.apply(announce(["10.244.1.0/26", "10.99.0.0/26"], via: "192.168.1.3"), from: PeerID(3))
        for id in [PeerID(2), PeerID(3)] { _ = rib.drainUpdates(for: id) }
        _ = rib.drainForwardingChanges()
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(med: 2)), from: PeerID(2))
        rib.setLocal([])
        rib.removePeer(PeerID(2))
        rib.peerDown(PeerID(3), keepStale: false)
        #expect(rib.drainForwardingChanges().allSatisfy { $0.best == nil })
        #expect(rib.prefixCount(of: .ipv4) == 0)
        #expect(rib.attributeSetCount == 0)
        #expect(rib.peerStatuses.map(\.id) == [PeerID(3)])
        #expect(!rib.hasForwardingChanges)
    }
}
