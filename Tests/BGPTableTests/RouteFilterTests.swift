import BGPTable
import BGPWire
import NetTypes
import Testing

private typealias Rule = RouteFilter.Rule

/// A rule for routes inside, or however else compared with, a network.
private func rule(
    _ comparison: RouteFilter.NetworkMatch.Comparison, _ network: String, _ lengths: ClosedRange<UInt8>? = nil,
    _ action: RouteFilter.Action,
) -> Rule {
    var rule = Rule(action)
    rule.network = .init(comparison, prefix(network), lengths: lengths)
    return rule
}

private let accept = RouteFilter.Action.accept([])

@Suite("Filters of a peer")
struct RouteFilterTests {
    /// What is known of `10.244.1.0/26` from peer 2 when its import filter has this rule first.
    private func verdict(
        _ rule: RouteFilter.Rule, on network: String = "10.244.1.0/26",
        _ attributes: PathAttributes = PathAttributes(), peerAS: ASNumber = ownAS,
    ) -> RouteView? {
        var rib = makeRIB()
        var peer = role(2, peerAS: peerAS)
        peer.importFilter.ipv4 = [rule]
        rib.addPeer(PeerID(2), role: peer)
        _ = rib.apply(announce([network], attributes), from: PeerID(2))
        return rib.routes(to: prefix(network)).first
    }

    @Test(
        "A network is matched as its operator and lengths say",
        arguments: [
            (.equal, "10.244.1.0/26", nil, true), (.equal, "10.244.0.0/16", nil, false),
            (.notEqual, "10.244.1.0/26", nil, false), (.notEqual, "10.244.0.0/16", nil, true),
            (.inside, "10.244.0.0/16", nil, true), (.inside, "10.244.1.0/26", nil, true),
            (.inside, "10.244.1.0/27", nil, false), (.inside, "10.244.0.0/16", 26...28, true),
            (.inside, "10.244.0.0/16", 27...32, false), (.notInside, "10.244.0.0/16", nil, false),
            (.notInside, "10.245.0.0/16", nil, true), (.notInside, "10.244.0.0/16", 27...32, true),
        ] as [(RouteFilter.NetworkMatch.Comparison, String, ClosedRange<UInt8>?, Bool)])
    func network(
        _ comparison: RouteFilter.NetworkMatch.Comparison, _ network: String, _ lengths: ClosedRange<UInt8>?,
        _ isMatch: Bool,
    ) {
        let view = verdict(rule(comparison, network, lengths, .reject))
        #expect(view?.ineligibility == (isMatch ? .filtered : nil))
    }

    @Test("Each further condition must hold")
    func conditions() {
        var attributes = PathAttributes(asPath: path(65001, 65002), localPref: 2_147_483_647 - 500)
        attributes.communities = [Community(64512, 7)]
        attributes.largeCommunities = [LargeCommunity(64512, 1, 2)]
        let rows: [(String, Bool, (inout RouteFilter.Rule) -> Void)] = [
            ("a community", true, { $0.community = .standard(Community(64512, 7)) }),
            ("another community", false, { $0.community = .standard(Community(64512, 8)) }),
            ("a large community", true, { $0.community = .large(LargeCommunity(64512, 1, 2)) }),
            ("another large community", false, { $0.community = .large(LargeCommunity(64512, 1, 3)) }),
            ("the path's begin", true, { $0.asPathPrefix = [ASNumber(65001)] }),
            ("the whole path", true, { $0.asPathPrefix = [ASNumber(65001), ASNumber(65002)] }),
            ("more than the path", false, { $0.asPathPrefix = [65001, 65002, 65003].map { ASNumber($0) } }),
            ("the path's end", false, { $0.asPathPrefix = [ASNumber(65002)] }),
            ("an internal peer", true, { $0.peerKind = .iBGP }),
            ("an external peer", false, { $0.peerKind = .eBGP }),
            ("the priority", true, { $0.priority = 500 }),
            ("another priority", false, { $0.priority = 501 }),
            ("learned from a peer", true, { $0.isRemoteOnly = true }),
            ("a link, and none is known", false, { $0.link = "*" }),
        ]
        for (name, isMatch, change) in rows {
            var rule = Rule(.reject)
            change(&rule)
            let view = verdict(rule, attributes)
            #expect(view?.ineligibility == (isMatch ? .filtered : nil), "\(name)")
        }
    }

    @Test("An external peer's route is matched as one, whatever LOCAL_PREF it sends")
    func external() {
        var rule = Rule(.reject)
        rule.peerKind = .eBGP
        let attributes = PathAttributes(asPath: path(65001))
        #expect(verdict(rule, attributes, peerAS: ASNumber(65001))?.ineligibility == .filtered)
    }

    @Test("What lies in no pool is taken on a filter's word; a default route only if the rule names it")
    func outside() {
        #expect(verdict(Rule(accept), on: "172.16.0.0/16")?.ineligibility == nil)
        #expect(
            verdict(rule(.inside, "10.244.0.0/16", nil, accept), on: "172.16.0.0/16")?.ineligibility == .outsidePools)
        #expect(verdict(Rule(accept), on: "0.0.0.0/0")?.ineligibility == .defaultRoute)
        #expect(verdict(rule(.equal, "0.0.0.0/0", nil, accept), on: "0.0.0.0/0")?.ineligibility == nil)
        #expect(verdict(Rule(accept), on: "192.168.0.0/16")?.ineligibility == .coversNodeAddress)
        #expect(verdict(rule(.equal, "192.168.0.0/16", nil, accept), on: "192.168.0.0/16")?.ineligibility == nil)
    }

    @Test("Operations change what is used, in their order")
    func operations() throws {
        let changes: [RouteFilter.Operation] = [
            .addCommunity(.standard(Community(1, 2))), .addCommunity(.large(LargeCommunity(1, 2, 3))),
            .addCommunity(.standard(Community(1, 2))), .prependASPath([ASNumber(65010), ASNumber(65011)]),
            .setPriority(512),
        ]
        let view = try #require(verdict(Rule(.accept(changes)), PathAttributes(asPath: path(65001))))
        #expect(view.attributes.communities == [Community(1, 2)])
        #expect(view.attributes.largeCommunities == [LargeCommunity(1, 2, 3)])
        #expect(view.attributes.asPath == path(65010, 65011, 65001))
        #expect(view.attributes.localPref == UInt32(2_147_483_135))
    }

    @Test(
        "A link's name is matched with stars",
        arguments: [
            ("*.calico", "vxlan.calico", true), ("*.calico", "eth0", false), ("tunl0", "tunl0", true), ("*", "x", true),
            ("v*n.*o", "vxlan.calico", true), ("v*n.*o", "vxlan.calic", false), ("", "x", false), ("x*", "x", true),
        ])
    func link(_ pattern: String, _ name: String, _ isMatch: Bool) {
        #expect(RouteFilter.Rule.matches(name[...], pattern: pattern[...]) == isMatch)
    }
}

@Suite("Changes of filters while sessions stay")
struct RouteFilterChangeTests {
    private let block = "10.244.1.0/26"

    @Test("An import filter judges what is there, and what it changed is as it came when it is gone")
    func importFilter() throws {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        let attributes = PathAttributes(asPath: path(65001), localPref: 100)
        _ = rib.apply(announce([block, "10.244.2.0/26"], attributes), from: PeerID(2))
        for (operations, localPref) in [([RouteFilter.Operation.setPriority(7)], UInt32(2_147_483_640)), ([], 100)] {
            rib.changeRole(of: PeerID(2)) {
                $0.importFilter.ipv4 = [rule(.equal, block, nil, .accept(operations))]
            }
            rib.reviewSmallTables()
            let view = try #require(rib.routes(to: prefix(block)).first)
            #expect(view.attributes.localPref == localPref)
            #expect(view.isBest)
        }
        rib.changeRole(of: PeerID(2)) { $0.importFilter.ipv4 = [rule(.equal, block, nil, .reject)] }
        rib.reviewSmallTables()
        #expect(rib.bestRoute(to: prefix(block)) == nil)
        #expect(rib.bestRoute(to: prefix("10.244.2.0/26")) != nil)
        rib.changeRole(of: PeerID(2)) { $0.importFilter = RouteFilter() }
        rib.reviewSmallTables()
        #expect(rib.bestRoute(to: prefix(block)) != nil)
        _ = rib.apply(withdraw([block, "10.244.2.0/26"]), from: PeerID(2))
        _ = rib.drainForwardingChanges()
        #expect(rib.attributeSetCount == 0, "no set is kept by mistake")
    }

    @Test("An export filter withdraws what it rejects, and announces it again when it is gone")
    func exportFilter() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65002)))
        rib.addPeer(PeerID(3), role: role(3, peerAS: ASNumber(65003)))
        rib.setLocal([local("10.244.0.0/26")])
        _ = rib.apply(announce([block], PathAttributes(asPath: path(65002))), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).announced == ["10.244.0.0/26", block])
        var remote = Rule(.reject)
        remote.isRemoteOnly = true
        rib.changeRole(of: PeerID(3)) { $0.exportFilter.ipv4 = [remote] }
        let updates = rib.drainUpdates(for: PeerID(3))
        #expect(updates.withdrawn == [block])
        #expect(updates.announced == ["10.244.0.0/26"])
        rib.changeRole(of: PeerID(3)) { $0.exportFilter = RouteFilter() }
        #expect(rib.drainUpdates(for: PeerID(3)).announced.contains(block))
    }

    @Test("Operations of an export filter reach that peer alone")
    func exportOperations() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2))
        rib.addPeer(PeerID(3), role: role(3))
        rib.setLocal([local("10.244.0.0/26")])
        rib.changeRole(of: PeerID(3)) {
            $0.exportFilter.ipv4 = [Rule(.accept([.addCommunity(.standard(Community(9, 9)))]))]
        }
        #expect(rib.drainUpdates(for: PeerID(2)).announcements.map(\.attributes.communities) == [[]])
        #expect(rib.drainUpdates(for: PeerID(3)).announcements.map(\.attributes.communities) == [[Community(9, 9)]])
    }

    @Test(
        "A community that an export filter adds goes to the peer with the route, whatever it asks of the peer",
        arguments: [Community.noExport, .noAdvertise, .noExportSubconfed])
    func exportedCommunity(community: Community) {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65002)))
        var target = role(3, peerAS: ASNumber(65003))
        target.exportFilter.ipv4 = [Rule(.accept([.addCommunity(.standard(community))]))]
        rib.addPeer(PeerID(3), role: target)
        _ = rib.apply(announce([block], PathAttributes(asPath: path(65002))), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).announcements.map(\.attributes.communities) == [[community]])
        // One that came with the route forbids, added by the peer's filter or not; so does that of an import filter.
        var attributes = PathAttributes(asPath: path(65002))
        attributes.communities = [community]
        _ = rib.apply(announce([block], attributes), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == [block])
        _ = rib.apply(announce([block], PathAttributes(asPath: path(65002))), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).announced == [block])
        rib.changeRole(of: PeerID(2)) {
            $0.importFilter.ipv4 = [Rule(.accept([.addCommunity(.standard(community))]))]
        }
        rib.reviewSmallTables()
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == [block])
    }

    @Test("Filters of many peers that change together are a reason to judge the routes once")
    func reviewedOnce() {
        var rib = makeRIB()
        let hosts = 2...9
        for host in hosts {
            rib.addPeer(PeerID(UInt32(host)), role: role(host))
            _ = rib.apply(announce(["10.244.\(host).0/26"], via: "192.168.1.\(host)"), from: PeerID(UInt32(host)))
        }
        var refused: Int { rib.peerStatuses.reduce(0) { $0 + $1.refused } }
        for host in hosts {
            rib.changeRole(of: PeerID(UInt32(host))) { $0.importFilter.ipv4 = [Rule(.reject)] }
            #expect(refused == 0 && rib.hasSlicesLeft)
        }
        rib.reviewSmallTables()
        #expect(refused == hosts.count && !rib.hasSlicesLeft)
    }

    @Test(
        "A route that only a filter let in, and one of a pool that is not exported, are told on a filter's word alone")
    func usualExport() {
        var rib = makeRIB()
        var source = role(2, peerAS: ASNumber(65002))
        source.importFilter.ipv4 = [Rule(accept)]
        rib.addPeer(PeerID(2), role: source)
        rib.addPeer(PeerID(3), role: role(3, peerAS: ASNumber(65003)))
        _ = rib.apply(announce([block, "172.16.0.0/16"], PathAttributes(asPath: path(65002))), from: PeerID(2))
        #expect(rib.drainUpdates(for: PeerID(3)).announced == [block])
        rib.changeRole(of: PeerID(3)) { $0.exportFilter.ipv4 = [rule(.equal, "172.16.0.0/16", nil, accept)] }
        #expect(rib.drainUpdates(for: PeerID(3)).announced.contains("172.16.0.0/16"))
        var policy = rib.importPolicy
        policy.unexportedPools = [prefix("10.244.0.0/16")]
        rib.setImportPolicy(policy)
        #expect(rib.drainUpdates(for: PeerID(3)).withdrawn == [block])
    }

    @Test("The own AS may stand in a path as often as is allowed")
    func allowedOwnAS() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65002)))
        _ = rib.apply(announce([block], PathAttributes(asPath: path(65002, 64512))), from: PeerID(2))
        #expect(rib.routes(to: prefix(block)).first?.ineligibility == .asLoop)
        rib.changeRole(of: PeerID(2)) { $0.allowedOwnAS = 1 }
        rib.reviewSmallTables()
        #expect(rib.bestRoute(to: prefix(block)) != nil)
    }

    @Test("A route that is about to go is the last choice (RFC 8326)")
    func gracefulShutdown() {
        var rib = makeRIB()
        rib.addPeer(PeerID(2), role: role(2, peerAS: ASNumber(65002)))
        rib.addPeer(PeerID(3), role: role(3, peerAS: ASNumber(65003)))
        var leaving = PathAttributes(asPath: path(65002))
        leaving.communities = [.gracefulShutdown]
        _ = rib.apply(announce([block], leaving), from: PeerID(2))
        _ = rib.apply(
            announce([block], via: "192.168.1.3", PathAttributes(asPath: path(65003, 65009))), from: PeerID(3))
        #expect(rib.routes(to: prefix(block)).first?.nextHop?.address == address("192.168.1.3"))
    }

    @Test("How many prefixes a peer with a maximum has sent is told")
    func maximumPrefixes() {
        var rib = makeRIB()
        var peer = role(2)
        peer.maximumPrefixes = 2
        rib.addPeer(PeerID(2), role: peer)
        let two = rib.apply(announce(["10.244.1.0/26", "10.244.2.0/26"]), from: PeerID(2))
        #expect(two.receivedOfMaximum == 2)
        let three = rib.apply(announce(["10.244.3.0/26"]), from: PeerID(2))
        #expect(three.receivedOfMaximum == 3)
    }

    @Test("Routes that come again as they were in a session before count in the one that has a maximum")
    func maximumAfterRestart() {
        var rib = makeRIB()
        rib.addPeers(2)
        let blocks = ["10.244.1.0/26", "10.244.2.0/26", "10.244.3.0/26"]
        let free = rib.apply(announce(blocks), from: PeerID(2))
        #expect(free.receivedOfMaximum == nil)
        rib.peerDown(PeerID(2), keepStale: true)
        var peer = role(2)
        peer.maximumPrefixes = 2
        rib.addPeer(PeerID(2), role: peer)
        for (number, block) in blocks.enumerated() {
            let summary = rib.apply(announce([block]), from: PeerID(2))
            #expect(summary.unchanged == 1 && summary.receivedOfMaximum == number + 1)
        }
    }
}
