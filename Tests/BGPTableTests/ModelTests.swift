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
    var pathID: UInt32 = 0
    var isStale = false

    /// Whether it stays when a session is lost that keeps its routes.
    var outlivesLoss: Bool { !isStale || attributes.communities.contains(.llgrStale) }
}

/// A prefix with the identifier of a path to it; 0 where there is one path.
struct ModelPath: Hashable {
    let prefix: IPPrefix
    let id: UInt32
}

/// A peer of the reference: its role, whether it is up, what it has sent and what it has been told.
struct ModelPeer {
    var role: PeerRole
    var isUp = false
    var sent: [ModelPath: ModelRoute] = [:]
    var told: [ModelPath: AttributeSet] = [:]
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
        peers[9] = ModelPeer(role: role(9, isReflectorClient: true).withPathIDs)
        peers[10] = ModelPeer(role: role(10, peerAS: ASNumber(65003)).withPathIDs)
        for host in Self.hosts where host % 2 == 0 { peers[host]?.role.takesLongLivedRoutes = true }
    }

    private static let hosts = 2...10

    // MARK: Events

    mutating func randomEvent() {
        let host = Int.random(in: Self.hosts, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<50: announceSome(from: host)
        case 50..<70: withdrawSome(from: host)
        case 70..<78: peerUp(host)
        case 78..<80: peerDown(host, keepStale: Bool.random(using: &generator))
        case 80: keepLong(host)
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
        let communities: [[Community]] = [[], [], [.noExport], [.noAdvertise], [.noLLGR]]
        attributes.communities = communities.randomElement(using: &generator) ?? []
        let nextHop = NextHop(address("192.168.1.\(Int.random(in: 1...8, using: &generator))"))
        let some = somePaths(from: host)
        let reach = UpdateMessage.Reach(
            family: .ipv4Unicast, nextHop: nextHop, prefixes: some.map(\.prefix), pathIDs: pathIDs(some, from: host))
        _ = rib.apply(UpdateMessage(reachable: [reach], attributes: attributes), from: PeerID(UInt32(host)))
        guard var peer = peers[host], peer.isUp else { return }
        if peer.role.kind == .eBGP {
            attributes.localPref = nil
            attributes.originatorID = nil
            attributes.clusterList = []
        }
        for path in some {
            peer.sent[path] = ModelRoute(attributes: attributes, nextHop: nextHop, peer: host, pathID: path.id)
        }
        peers[host] = peer
    }

    private mutating func withdrawSome(from host: Int) {
        let some = somePaths(from: host)
        let unreach = UpdateMessage.Unreach(
            family: .ipv4Unicast, prefixes: some.map(\.prefix), pathIDs: pathIDs(some, from: host))
        _ = rib.apply(UpdateMessage(unreachable: [unreach]), from: PeerID(UInt32(host)))
        if peers[host]?.isUp == true { for path in some { peers[host]?.sent[path] = nil } }
    }

    private mutating func peerUp(_ host: Int) {
        guard var peer = peers[host] else { return }
        rib.addPeer(PeerID(UInt32(host)), role: peer.role)
        if peer.isUp { peer.sent = peer.sent.filter(\.value.outlivesLoss).mapValues(Self.stale) }
        peer.isUp = true
        peer.told = [:]
        peer.hasEndOfRIB = false
        peers[host] = peer
    }

    private mutating func peerDown(_ host: Int, keepStale: Bool) {
        rib.peerDown(PeerID(UInt32(host)), keepStale: keepStale)
        guard var peer = peers[host], peer.isUp || !keepStale else { return }
        peer.sent = keepStale ? peer.sent.filter(\.value.outlivesLoss).mapValues(Self.stale) : [:]
        peer.isUp = false
        peer.told = [:]
        peers[host] = peer
    }

    /// What is stale becomes the last choice, and says so.
    private mutating func keepLong(_ host: Int) {
        rib.keepStaleLong(of: PeerID(UInt32(host)), family: .ipv4)
        for (path, route) in peers[host]?.sent ?? [:] where route.isStale {
            var marked = route
            if !route.attributes.communities.contains(.llgrStale) { marked.attributes.communities.append(.llgrStale) }
            peers[host]?.sent[path] = route.attributes.communities.contains(.noLLGR) ? nil : marked
        }
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

    /// The paths of a peer that tells several have the identifiers 1 to 3.
    private mutating func somePaths(from host: Int) -> [ModelPath] {
        somePrefixes().map { ModelPath(prefix: $0, id: host < 9 ? 0 : UInt32.random(in: 1...3, using: &generator)) }
    }

    private func pathIDs(_ paths: [ModelPath], from host: Int) -> [UInt32] { host < 9 ? [] : paths.map(\.id) }

    private static func stale(_ route: ModelRoute) -> ModelRoute {
        var route = route
        route.isStale = true
        return route
    }

    // MARK: Reading

    /// Some peers read a little, and sometimes the forwarding side does.
    mutating func readSome() {
        for host in Self.hosts where Int.random(in: 0..<4, using: &generator) == 0 {
            read(host, limit: 5)
        }
        if Int.random(in: 0..<3, using: &generator) == 0 {
            drainForwarding(limit: Int.random(in: 1...5, using: &generator))
        }
    }

    @discardableResult
    private mutating func read(_ host: Int, limit: Int) -> Bool {
        let updates = rib.nextUpdates(for: PeerID(UInt32(host)), limit: limit)
        var seen: Set<ModelPath> = []
        for update in updates {
            switch update {
            case .withdraw(_, let prefixes): forget(prefixes, 0, at: host, &seen)
            case .withdrawPaths(_, let prefixes, let id): forget(prefixes, id, at: host, &seen)
            case .announce(let announcement):
                for prefix in announcement.prefixes {
                    let path = ModelPath(prefix: prefix, id: announcement.pathID)
                    #expect(seen.insert(path).inserted)
                    peers[host]?.told[path] = AttributeSet(
                        attributes: announcement.attributes, nextHop: announcement.nextHop)
                }
            case .endOfRIB:
                #expect(peers[host]?.hasEndOfRIB == false && !isHeld)
                peers[host]?.hasEndOfRIB = true
            }
        }
        #expect(host > 8 || seen.count <= limit)
        return !updates.isEmpty
    }

    private mutating func forget(_ prefixes: [IPPrefix], _ id: UInt32, at host: Int, _ seen: inout Set<ModelPath>) {
        for prefix in prefixes {
            let path = ModelPath(prefix: prefix, id: id)
            #expect(peers[host]?.told[path] != nil, "withdrawn from a peer that had it not")
            #expect(seen.insert(path).inserted)
            peers[host]?.told[path] = nil
        }
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
        case (.learned?, .learned?): left?.nextHops == right?.nextHops
        default: false
        }
    }

    // MARK: Checks

    mutating func check() {
        for host in Self.hosts { while read(host, limit: 5) {} }
        while drainForwarding(limit: 1000) {}
        for prefix in prefixes {
            let (best, ways) = choice(of: prefix)
            let expected: SelectedRoute? = best.flatMap { best in
                guard let peer = best.peer, let nextHop = best.nextHop else { return .local }
                return .learned(
                    LearnedRoute(nextHop: nextHop, peer: PeerID(UInt32(peer)), attributes: best.attributes))
            }
            #expect(rib.bestRoute(to: prefix).map(\.withoutOthers) == expected)
            #expect(forwarding[prefix]?.nextHops == (best?.peer == nil ? best.map { _ in [] } : ways))
            for (host, peer) in peers { checkTold(prefix, best, host, peer) }
        }
        for (host, peer) in peers {
            let status = rib.peerStatus(PeerID(UInt32(host)))
            #expect(status?.received ?? 0 == peer.sent.count)
            #expect(status?.stale ?? 0 == peer.sent.values.count { $0.isStale })
            #expect(status?.advertised ?? 0 == peer.told.count)
            #expect(status?.refused ?? 0 == peer.sent.count { !isEligible($0.value, $0.key.prefix) })
            #expect(peer.hasEndOfRIB == (peer.isUp && !isHeld) || !peer.isUp)
        }
    }

    private func checkTold(_ prefix: IPPrefix, _ best: ModelRoute?, _ host: Int, _ peer: ModelPeer) {
        let told = peer.told.filter { $0.key.prefix == prefix }.map(\.value)
        let routes = host < 9 ? best.map { [$0] } ?? [] : eligible(prefix)
        let expected = peer.isUp ? routes.compactMap { outgoing($0, to: host, peer.role) } : []
        #expect(told.count == expected.count && Set(told) == Set(expected), "\(prefix) to \(host)")
    }

    /// Everything goes; nothing may be left in the table.
    mutating func finish() {
        for host in Self.hosts { remove(host) }
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

    private func eligible(_ prefix: IPPrefix) -> [ModelRoute] {
        let learned = peers.values.flatMap { peer in peer.sent.filter { $0.key.prefix == prefix }.map(\.value) }
        let local = own[prefix].map { ModelRoute(attributes: $0.attributes, nextHop: $0.nextHop) }
        return (local.map { [$0] } ?? []) + learned.filter { isEligible($0, prefix) }
    }

    /// The best route, and the next hops of all that are as good.
    private func choice(of prefix: IPPrefix) -> (best: ModelRoute?, ways: Set<IPAddress>?) {
        if let route = own[prefix] { return (ModelRoute(attributes: route.attributes, nextHop: route.nextHop), nil) }
        var left = eligible(prefix)
        func keepLowest<Value: Comparable>(_ value: (ModelRoute) -> Value) {
            let lowest = left.map(value).min()
            left = left.filter { value($0) == lowest }
        }
        keepLowest { $0.attributes.communities.contains(.llgrStale) ? 1 : 0 }
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
        let ways = Set(left.compactMap { $0.nextHop?.address })
        keepLowest { ($0.attributes.originatorID ?? role($0)?.bgpID)?.rawValue ?? 0 }
        keepLowest(\.attributes.clusterList.count)
        keepLowest { role($0)?.peerAddress ?? address("255.255.255.255") }
        keepLowest(\.pathID)
        return (left.first, left.isEmpty ? nil : ways)
    }

    private func outgoing(_ route: ModelRoute, to host: Int, _ target: PeerRole) -> AttributeSet? {
        var attributes = route.attributes
        let source = route.peer.flatMap { peers[$0]?.role }
        if source != nil, isHeld || route.peer == host || attributes.communities.contains(.noAdvertise) { return nil }
        if source != nil, attributes.communities.contains(.llgrStale), !target.takesLongLivedRoutes { return nil }
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

extension PeerRole {
    /// The role with path identifiers both ways.
    var withPathIDs: PeerRole {
        var role = self
        role.wireContext.pathIDsIn = [.ipv4, .ipv6]
        role.wireContext.pathIDsOut = [.ipv4, .ipv6]
        return role
    }
}

extension SelectedRoute {
    /// The next hops of a learned route and of those that are used with it; none for one of this node.
    var nextHops: Set<IPAddress> {
        guard case .learned(let route) = self else { return [] }
        return Set([route.nextHop.address] + route.others.map(\.nextHop.address))
    }

    /// The best route alone.
    var withoutOthers: SelectedRoute {
        guard case .learned(let route) = self else { return self }
        return .learned(LearnedRoute(nextHop: route.nextHop, peer: route.peer, attributes: route.attributes))
    }
}
