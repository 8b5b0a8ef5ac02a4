import BGPWire
import NetTypes
import Testing

@testable import BGPTable

/// The table against a reference written without regard to speed: after any sequence of events, what the peers and the
/// forwarding side have been told, change by change, must add up to what the rules say of the present state.
@Suite struct ModelTests {
    @Test("Any sequence of events leaves peers and forwarding with what the rules say", arguments: 0..<40)
    func random(seed: Int) {
        var run = ModelRun(seed: UInt64(seed))
        for step in 0..<400 {
            run.randomEvent()
            run.readSome()
            if step % 20 == 19 { run.check() }
        }
        run.finish()
    }
}

/// A route of the reference.
struct ModelRoute: Hashable {
    var attributes: PathAttributes
    var nextHop: NextHop?
    /// nil for an own route.
    var peer: Int?
    var isStale = false
}

/// A peer of the reference: its role, whether it is up, what it has sent and what it has been told.
struct ModelPeer {
    var role: PeerRole
    var isUp = false
    var sent: [IPPrefix: ModelRoute] = [:]
    var told: [IPPrefix: AttributeSet] = [:]
    var hasEndOfRIB = false
}

struct ModelRun {
    var generator: SeededGenerator
    var rib: RIB
    var peers: [Int: ModelPeer] = [:]
    var own: [IPPrefix: LocalRoute] = [:]
    var pools = [prefix("10.244.0.0/16")]
    var isHeld: Bool
    var forwarding: [IPPrefix: SelectedRoute] = [:]

    let prefixes = (0..<12).map { prefix("10.244.\($0).0/26") } + [prefix("10.99.0.0/26"), prefix("0.0.0.0/0")]

    init(seed: UInt64) {
        generator = SeededGenerator(state: seed)
        isHeld = seed % 3 == 0
        rib = makeRIB(isExportHeld: isHeld)
        for host in 2...4 { peers[host] = ModelPeer(role: role(host, isReflectorClient: true)) }
        for host in 5...6 { peers[host] = ModelPeer(role: role(host)) }
        for host in 7...8 {
            peers[host] = ModelPeer(role: role(host, peerAS: ASNumber(65001 + UInt32(host % 2))))
        }
    }

    // MARK: Events

    mutating func randomEvent() {
        let host = Int.random(in: 2...8, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<50: announceSome(from: host)
        case 50..<70: withdrawSome(from: host)
        case 70..<78: peerUp(host)
        case 78..<81: peerDown(host, keepStale: Bool.random(using: &generator))
        case 81..<83: sweep(host)
        case 83..<86: endOfRIB(host)
        case 86..<92: setLocal()
        case 92..<94: setPolicy()
        case 94..<96: rib.refresh(.ipv4, for: PeerID(UInt32(host)))
        case 96: release()
        default: remove(host)
        }
    }

    private mutating func announceSome(from host: Int) {
        var attributes = PathAttributes()
        let paths = [path(), path(65001), path(65002), path(65002, 65001), path(64512, 65001)]
        attributes.asPath = paths.randomElement(using: &generator) ?? path()
        attributes.origin = [.igp, .egp].randomElement(using: &generator) ?? .igp
        attributes.med = [nil, 0, 1, 2].randomElement(using: &generator) ?? nil
        attributes.localPref = [nil, 100, 200].randomElement(using: &generator) ?? nil
        attributes.originatorID =
            [nil, nil, routerID("192.168.1.1"), routerID("192.168.1.4")].randomElement(using: &generator) ?? nil
        attributes.clusterList =
            [[], [], [ClusterID(rawValue: 7)], [ClusterID(routerID("192.168.1.1"))]].randomElement(using: &generator)
            ?? []
        attributes.communities = [[], [], [.noExport], [.noAdvertise]].randomElement(using: &generator) ?? []
        let nextHop = NextHop(address("192.168.1.\(Int.random(in: 1...8, using: &generator))"))
        let some = somePrefixes()
        let reach = UpdateMessage.Reach(family: .ipv4Unicast, nextHop: nextHop, prefixes: some)
        _ = rib.apply(UpdateMessage(reachable: [reach], attributes: attributes), from: PeerID(UInt32(host)))
        guard var peer = peers[host], peer.isUp else { return }
        if peer.role.kind == .eBGP {
            attributes.localPref = nil
            attributes.originatorID = nil
            attributes.clusterList = []
        }
        for prefix in some { peer.sent[prefix] = ModelRoute(attributes: attributes, nextHop: nextHop, peer: host) }
        peers[host] = peer
    }

    private mutating func withdrawSome(from host: Int) {
        let some = somePrefixes()
        let unreach = UpdateMessage.Unreach(family: .ipv4Unicast, prefixes: some)
        _ = rib.apply(UpdateMessage(unreachable: [unreach]), from: PeerID(UInt32(host)))
        if peers[host]?.isUp == true { for prefix in some { peers[host]?.sent[prefix] = nil } }
    }

    private mutating func peerUp(_ host: Int) {
        guard var peer = peers[host] else { return }
        rib.addPeer(PeerID(UInt32(host)), role: peer.role)
        if peer.isUp { peer.sent = peer.sent.filter { !$0.value.isStale }.mapValues(Self.stale) }
        peer.isUp = true
        peer.told = [:]
        peer.hasEndOfRIB = false
        peers[host] = peer
    }

    private mutating func peerDown(_ host: Int, keepStale: Bool) {
        rib.peerDown(PeerID(UInt32(host)), keepStale: keepStale)
        guard var peer = peers[host], peer.isUp || !keepStale else { return }
        peer.sent = keepStale ? peer.sent.filter { !$0.value.isStale }.mapValues(Self.stale) : [:]
        peer.isUp = false
        peer.told = [:]
        peers[host] = peer
    }

    private mutating func remove(_ host: Int) {
        rib.removePeer(PeerID(UInt32(host)))
        guard let role = peers[host]?.role else { return }
        peers[host] = ModelPeer(role: role)
    }

    private mutating func sweep(_ host: Int) {
        rib.sweepStale(of: PeerID(UInt32(host)))
        dropStale(of: host)
    }

    private mutating func endOfRIB(_ host: Int) {
        guard peers[host]?.isUp == true else { return }
        _ = rib.apply(.endOfRIB(.ipv4Unicast), from: PeerID(UInt32(host)))
        dropStale(of: host)
    }

    private mutating func dropStale(of host: Int) {
        let fresh = peers[host]?.sent.filter { !$0.value.isStale } ?? [:]
        peers[host]?.sent = fresh
    }

    private mutating func setLocal() {
        let routes = somePrefixes().map { prefix in
            LocalRoute(
                prefix: prefix,
                attributes: PathAttributes(med: [nil, 4].randomElement(using: &generator) ?? nil))
        }
        rib.setLocal(routes)
        own = Dictionary(routes.map { ($0.prefix, $0) }) { $1 }
    }

    private mutating func setPolicy() {
        let choices = ["10.244.0.0/16", "10.0.0.0/8", "10.244.0.0/21"]
        pools = [prefix(choices.randomElement(using: &generator) ?? choices[0])]
        rib.setImportPolicy(ImportPolicy(pools: pools))
    }

    private mutating func release() {
        rib.releaseExport()
        isHeld = false
    }

    private mutating func somePrefixes() -> [IPPrefix] {
        Array(prefixes.shuffled(using: &generator).prefix(Int.random(in: 1...4, using: &generator)))
    }

    private static func stale(_ route: ModelRoute) -> ModelRoute {
        var route = route
        route.isStale = true
        return route
    }

    // MARK: Reading

    /// Some peers read a little, and sometimes the forwarding side does.
    mutating func readSome() {
        for host in 2...8 where Int.random(in: 0..<4, using: &generator) == 0 {
            read(host, limit: 5)
        }
        if Int.random(in: 0..<3, using: &generator) == 0 {
            drainForwarding(limit: Int.random(in: 1...5, using: &generator))
        }
    }

    @discardableResult
    private mutating func read(_ host: Int, limit: Int) -> Bool {
        let updates = rib.nextUpdates(for: PeerID(UInt32(host)), limit: limit)
        var seen: Set<IPPrefix> = []
        for update in updates {
            switch update {
            case .withdraw(_, let prefixes):
                for prefix in prefixes {
                    #expect(peers[host]?.told[prefix] != nil, "withdrawn from a peer that had it not")
                    #expect(seen.insert(prefix).inserted)
                    peers[host]?.told[prefix] = nil
                }
            case .announce(let announcement):
                for prefix in announcement.prefixes {
                    #expect(seen.insert(prefix).inserted)
                    peers[host]?.told[prefix] = AttributeSet(
                        attributes: announcement.attributes, nextHop: announcement.nextHop)
                }
            case .endOfRIB:
                #expect(peers[host]?.hasEndOfRIB == false && !isHeld)
                peers[host]?.hasEndOfRIB = true
            }
        }
        #expect(seen.count <= limit)
        return !updates.isEmpty
    }

    @discardableResult
    private mutating func drainForwarding(limit: Int) -> Bool {
        let changes = rib.drainForwardingChanges(limit: limit)
        for change in changes {
            #expect(
                !Self.forwardsAlike(forwarding[change.prefix], change.best), "a change that changes nothing")
            forwarding[change.prefix] = change.best
        }
        return !changes.isEmpty
    }

    private static func forwardsAlike(_ left: SelectedRoute?, _ right: SelectedRoute?) -> Bool {
        switch (left, right) {
        case (nil, nil), (.local, .local): true
        case (.learned(let left), .learned(let right)): left.nextHop == right.nextHop
        default: false
        }
    }

    // MARK: Checks

    mutating func check() {
        for host in 2...8 { while read(host, limit: 5) {} }
        while drainForwarding(limit: 1000) {}
        for prefix in prefixes {
            let best = best(of: prefix)
            let expected: SelectedRoute? = best.flatMap { best in
                guard let peer = best.peer, let nextHop = best.nextHop else { return .local }
                return .learned(
                    LearnedRoute(nextHop: nextHop, peer: PeerID(UInt32(peer)), attributes: best.attributes))
            }
            #expect(rib.bestRoute(to: prefix) == expected)
            #expect(Self.forwardsAlike(forwarding[prefix], expected))
            for (host, peer) in peers {
                let told = peer.isUp ? best.flatMap { outgoing($0, to: host, peer.role) } : nil
                #expect(peer.told[prefix] == told, "\(prefix) to \(host)")
            }
        }
        for (host, peer) in peers {
            let status = rib.peerStatus(PeerID(UInt32(host)))
            #expect(status?.received ?? 0 == peer.sent.count)
            #expect(status?.stale ?? 0 == peer.sent.values.count { $0.isStale })
            #expect(status?.advertised ?? 0 == peer.told.count)
            #expect(status?.refused ?? 0 == peer.sent.count { !isEligible($0.value, $0.key) })
            #expect(peer.hasEndOfRIB == (peer.isUp && !isHeld) || !peer.isUp)
        }
    }

    /// Everything goes; nothing may be left in the table.
    mutating func finish() {
        for host in 2...8 { remove(host) }
        rib.setLocal([])
        _ = rib.drainForwardingChanges()
        #expect(rib.prefixCount(of: .ipv4) == 0)
        #expect(rib.attributeSetCount == 0)
        #expect(rib.changeLogCount(of: .ipv4) == 0)
    }

    // MARK: The rules, a second time

    private func isEligible(_ route: ModelRoute, _ prefix: IPPrefix) -> Bool {
        let attributes = route.attributes
        return !attributes.asPath.contains(ownAS) && attributes.originatorID != routerID("192.168.1.1")
            && !attributes.clusterList.contains(ClusterID(routerID("192.168.1.1")))
            && route.nextHop?.address != ownAddress && prefix.length > 0
            && pools.contains { $0.contains(prefix) }
    }

    private func best(of prefix: IPPrefix) -> ModelRoute? {
        if let route = own[prefix] { return ModelRoute(attributes: route.attributes, nextHop: route.nextHop) }
        var left = peers.values.compactMap { $0.sent[prefix] }.filter { isEligible($0, prefix) }
        func keepLowest<Value: Comparable>(_ value: (ModelRoute) -> Value) {
            let lowest = left.map(value).min()
            left = left.filter { value($0) == lowest }
        }
        keepLowest { -Int($0.attributes.localPref ?? 100) }
        keepLowest(\.attributes.asPath.length)
        keepLowest(\.attributes.origin)
        let tied = left
        left = tied.filter { route in
            !tied.contains {
                $0.attributes.asPath.firstAS == route.attributes.asPath.firstAS
                    && $0.attributes.med ?? 0 < route.attributes.med ?? 0
            }
        }
        func role(_ route: ModelRoute) -> PeerRole? { route.peer.flatMap { peers[$0]?.role } }
        keepLowest { role($0)?.kind == .eBGP ? 0 : 1 }
        keepLowest { ($0.attributes.originatorID ?? role($0)?.bgpID)?.rawValue ?? 0 }
        keepLowest(\.attributes.clusterList.count)
        keepLowest { role($0)?.peerAddress ?? address("255.255.255.255") }
        return left.first
    }

    private func outgoing(_ route: ModelRoute, to host: Int, _ target: PeerRole) -> AttributeSet? {
        var attributes = route.attributes
        let source = route.peer.flatMap { peers[$0]?.role }
        if source != nil, isHeld || route.peer == host || attributes.communities.contains(.noAdvertise) { return nil }
        if target.kind == .eBGP {
            if attributes.communities.contains(.noExport) { return nil }
            attributes.asPath = ASPath(
                sequence: [ownAS] + attributes.asPath.segments.flatMap(\.asNumbers))
            if source != nil { attributes.med = nil }
            attributes.localPref = nil
            attributes.originatorID = nil
            attributes.clusterList = []
            return AttributeSet(attributes: attributes, nextHop: NextHop(ownAddress))
        }
        if let source, source.kind == .iBGP {
            if !source.isReflectorClient, !target.isReflectorClient { return nil }
            if attributes.originatorID == target.bgpID { return nil }
            attributes.originatorID = attributes.originatorID ?? source.bgpID
            attributes.clusterList = [ClusterID(routerID("192.168.1.1"))] + attributes.clusterList
        }
        attributes.localPref = attributes.localPref ?? 100
        let nextHop = route.nextHop ?? NextHop(ownAddress)
        return nextHop.address == target.peerAddress ? nil : AttributeSet(attributes: attributes, nextHop: nextHop)
    }
}
