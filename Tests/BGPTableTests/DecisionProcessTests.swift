import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// Two routes that differ in what one step looks at, and in every later step the other way round.
struct StepCase: Sendable, CustomTestStringConvertible {
    let step: DecisionStep
    let better: RouteRank
    let worse: RouteRank

    var testDescription: String { step.description }
}

private func rank(
    localPref: UInt32 = 100, length: UInt32 = 1, origin: UInt8 = 0, med: UInt32 = 0, neighbour: UInt32 = 65001,
    isExternal: Bool = false, cost: UInt32 = 0, id: UInt32 = 1, originator: UInt32 = 0, clusters: UInt32 = 0,
    peer: String = "192.168.1.2", isLocal: Bool = false, isLongLivedStale: Bool = false,
    pathID: UInt32 = 0,
) -> RouteRank {
    RouteRank(
        fields: DecisionFields(
            localPref: localPref, asPathLength: length, med: med, neighbourAS: neighbour, interiorCost: cost,
            originatorID: originator, clusterListLength: clusters, origin: origin,
            isLongLivedStale: isLongLivedStale),
        isLocal: isLocal, isExternal: isExternal, bgpID: isLocal ? 0 : id, peerAddress: isLocal ? nil : address(peer),
        pathID: pathID)
}

private let high = "192.168.1.9"

@Suite struct DecisionProcessTests {
    static let cases = [
        StepCase(
            step: .locallyOriginated, better: rank(localPref: 1, isLocal: true),
            worse: rank(localPref: 900, length: 0)),
        StepCase(
            step: .longLivedStale, better: rank(localPref: 1, length: 9, peer: high),
            worse: rank(localPref: 900, isLongLivedStale: true)),
        StepCase(
            step: .localPref, better: rank(localPref: 200, length: 9, peer: high), worse: rank(localPref: 100)),
        StepCase(
            step: .asPathLength, better: rank(length: 1, origin: 2, peer: high), worse: rank(length: 2, origin: 0)),
        StepCase(step: .origin, better: rank(origin: 0, med: 9, peer: high), worse: rank(origin: 1, med: 0)),
        StepCase(
            step: .med, better: rank(med: 5, isExternal: false, peer: high), worse: rank(med: 6, isExternal: true)),
        StepCase(
            step: .external, better: rank(med: 9, neighbour: 65002, isExternal: true, cost: 7, peer: high),
            worse: rank(med: 0, isExternal: false, cost: 1)),
        StepCase(step: .interiorCost, better: rank(cost: 1, id: 9, peer: high), worse: rank(cost: 2, id: 1)),
        StepCase(step: .bgpIdentifier, better: rank(id: 1, clusters: 3, peer: high), worse: rank(id: 2)),
        StepCase(
            step: .bgpIdentifier, better: rank(id: 9, originator: 1, clusters: 3, peer: high), worse: rank(id: 2)),
        StepCase(step: .clusterListLength, better: rank(clusters: 1, peer: high), worse: rank(clusters: 2)),
        StepCase(step: .peerAddress, better: rank(peer: "192.168.1.2"), worse: rank(peer: high)),
        StepCase(step: .pathIdentifier, better: rank(pathID: 1), worse: rank(pathID: 2)),
    ]

    @Test("Each step decides, whatever the later ones say, and whichever route comes first", arguments: cases)
    func step(_ example: StepCase) {
        #expect(DecisionProcess.best(of: [example.better, example.worse]) == 0)
        #expect(DecisionProcess.best(of: [example.worse, example.better]) == 1)
        #expect(DecisionProcess.losingStep(of: example.worse, to: example.better) == example.step)
    }

    @Test("Every step has a case")
    func stepsCovered() {
        #expect(Set(Self.cases.map(\.step)) == Set(DecisionStep.allCases))
    }

    @Test("MEDs of different neighbouring ASes are not compared, and the order of arrival does not matter")
    func medIsNotAnOrder() {
        // Of AS 65001, the second is ruled out by the first; were it not, it would beat the third by its identifier.
        let routes = [
            rank(med: 1, neighbour: 65001, id: 5), rank(med: 2, neighbour: 65001, id: 1),
            rank(med: 9, neighbour: 65002, id: 3),
        ]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let best = DecisionProcess.best(of: order.map { routes[$0] })
            #expect(best.map { order[$0] } == 2)
        }
        #expect(DecisionProcess.losingStep(of: routes[1], to: routes[2]) == .med)
    }

    @Test("No route, no best")
    func none() {
        #expect(DecisionProcess.best(of: []) == nil)
    }

    @Test("The fields come from the attributes: an AS_SET counts as one, LOCAL_PREF is 100 and MED 0 by default")
    func fields() throws {
        var table = AttributeTable()
        let attributes = PathAttributes(
            origin: .egp,
            asPath: ASPath([.sequence([ASNumber(7), ASNumber(8)]), .set([ASNumber(1), ASNumber(2), ASNumber(3)])]),
            originatorID: routerID("0.0.0.9"), clusterList: [ClusterID(rawValue: 1), ClusterID(rawValue: 2)])
        let handle = table.intern(AttributeSet(attributes: attributes, nextHop: NextHop(ownAddress)))
        #expect(
            table.fields[handle.index]
                == DecisionFields(
                    localPref: 100, asPathLength: 3, med: 0, neighbourAS: 7, interiorCost: 0, originatorID: 9,
                    clusterListLength: 2, origin: 1))
    }

    @Test("In the table: the routes to a prefix stand with the step at which each lost")
    func reasons() {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        rib.addPeer(PeerID(4), role: role(4, peerAS: ASNumber(65001)))
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(localPref: 50)), from: PeerID(2))
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(asPath: path(65001))), from: PeerID(3))
        _ = rib.apply(announce(["10.244.1.0/26"], PathAttributes(asPath: path(65001))), from: PeerID(4))
        let routes = rib.routes(to: prefix("10.244.1.0/26"))
        #expect(routes.map(\.peer).first == PeerID(4))
        #expect(routes.map(\.isBest) == [true, false, false])
        #expect(Set(routes.map(\.lostAt)) == [nil, .external, .localPref])
    }

    @Test("An interior cost decides, and an unreachable next hop rules a route out, when the costs change")
    func interiorCosts() {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.2"), from: PeerID(2))
        _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.3"), from: PeerID(3))
        func best() -> PeerID? { rib.routes(to: prefix("10.244.1.0/26")).first { $0.isBest }?.peer }
        #expect(best() == PeerID(2))
        rib.setInteriorCosts([address("192.168.1.2"): .reachable(10)])
        #expect(best() == PeerID(3))
        rib.setInteriorCosts([address("192.168.1.3"): .unreachable])
        #expect(best() == PeerID(2))
        rib.setInteriorCosts([address("192.168.1.2"): .unreachable, address("192.168.1.3"): .unreachable])
        #expect(best() == nil)
        #expect(rib.routes(to: prefix("10.244.1.0/26")).allSatisfy { $0.ineligibility == .nextHopUnreachable })
    }

    @Test("The next hops of all routes are known, beaten and refused ones included, until their last route goes")
    func nextHops() {
        var rib = makeRIB()
        rib.addPeers(2, 3)
        #expect(rib.nextHops.isEmpty && !rib.takeHasOtherNextHops())
        let preferred = PathAttributes(localPref: 200)
        _ = rib.apply(announce(["10.244.1.0/26", "10.244.2.0/26"], via: "172.31.9.9", preferred), from: PeerID(2))
        _ = rib.apply(announce(["10.244.1.0/26"], via: "192.168.1.3"), from: PeerID(3))
        #expect(rib.takeHasOtherNextHops() && !rib.takeHasOtherNextHops())
        #expect(rib.nextHops == [address("172.31.9.9"), address("192.168.1.3")])
        func best() -> PeerID? { rib.routes(to: prefix("10.244.1.0/26")).first { $0.isBest }?.peer }
        #expect(best() == PeerID(2))

        rib.setInteriorCosts([address("172.31.9.9"): .unreachable])
        #expect(best() == PeerID(3))
        #expect(rib.bestRoute(to: prefix("10.244.2.0/26")) == nil)
        #expect(rib.withdrawn(of: [address("172.31.9.9")], to: prefix("10.244.2.0/26")).isEmpty)
        #expect(rib.nextHops == [address("172.31.9.9"), address("192.168.1.3")] && !rib.takeHasOtherNextHops())
        rib.setInteriorCosts([:])
        #expect(best() == PeerID(2))

        _ = rib.apply(withdraw(["10.244.1.0/26"]), from: PeerID(2))
        #expect(rib.nextHops.count == 2 && !rib.takeHasOtherNextHops())
        _ = rib.apply(withdraw(["10.244.2.0/26"]), from: PeerID(2))
        _ = rib.drainForwardingChanges()
        #expect(rib.nextHops == [address("192.168.1.3")] && rib.takeHasOtherNextHops())
    }

    @Test("Step (c) rules out what the definition rules out, from however many neighbouring ASes")
    func lowestMEDs() {
        var seed: UInt64 = 7
        func next(_ bound: UInt32) -> UInt32 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt32(seed >> 33) % bound
        }
        for count in 1...60 {
            let ranks = (0..<count).map { _ in rank(med: next(4), neighbour: 65001 + next(5), id: next(9)) }
            var lowest = LowestMEDs()
            for rank in ranks { lowest.insert(rank) }
            for rank in ranks {
                let isRuledOut = ranks.contains { DecisionProcess.compare($0, rank, at: .med) < 0 }
                #expect(lowest.rulesOut(rank) == isRuledOut)
            }
        }
    }

    @Test("The choice among very many routes that differ in their MED takes no time")
    func manyRoutes() {
        let ranks = (0..<20_000).map { rank(med: UInt32(20_000 - $0), id: UInt32($0 + 1)) }
        let start = ContinuousClock.now
        #expect(DecisionProcess.best(of: ranks) == 19_999)
        // Each against each are hundreds of millions of comparisons.
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
