import BGPTable
import BGPWire
import NetTypes

/// What BGP has learned, as the forwarding plan needs it: the next hop and the tunnel of each prefix.
struct LearnedRoutes: Sendable {
    /// The way to each prefix, by its number: thousands of prefixes share one.
    private var routes = DenseMap<IPPrefix, LearnedWays.Number>()
    private var ways = LearnedWays()
    /// The other ways that packets may take as well, where there are any.
    private var others: [IPPrefix: [TunnelCheck.Route]] = [:]
    /// Their next hops, each with the number of those routes.
    private var otherNextHops: [IPAddress: Int] = [:]
    private var newOtherNextHops: [IPAddress] = []
    /// The prefixes of each next hop. Only tunnels are judged by them: nil until the first is told of.
    private var prefixes: [IPAddress: DenseMap<IPPrefix, Void>]?
    /// The next hops that tell of a link-layer address, each with the number of its routes, the first to tell first.
    private var users: [MACAddress: [(nextHop: IPAddress, count: Int)]] = [:]
    /// The prefixes of the last changes that had next hops which they have no more, each with all the ways it had.
    private(set) var replaced: [(prefix: IPPrefix, ways: [TunnelCheck.Route])] = []
    private var announcements: [TunnelEndpoint.Encapsulation: [AddressFamily: Int]] = [:]

    /// Takes what the table chose.
    ///
    /// - Returns: the prefixes whose forwarding may be another one now, each once: those that changed, and those of the
    ///   same next hops, whose inner address may lie in what changed.
    mutating func learn(_ changes: [ForwardingChange]) -> [IPPrefix] {
        var nextHops: Set<IPAddress> = []
        replaced.removeAll(keepingCapacity: true)
        // One learned route stands for many prefixes.
        var last: (learned: LearnedRoute, way: LearnedWays.Number)?
        for change in changes {
            var new: LearnedWays.Number = 0
            var newOthers: [TunnelCheck.Route] = []
            if case .learned(let route) = change.best {
                if let last, last.learned === route { new = last.way } else { new = ways.number(of: .init(route)) }
                last = (route, new)
                if !route.others.isEmpty { newOthers = route.others.map { TunnelCheck.Route($0) } }
            }
            let oldOthers = others(of: change.prefix)
            let old = put(new, at: change.prefix)
            guard new != old || newOthers != oldOthers else { continue }
            let (former, latter) = (ways[old], ways[new])
            ways.replace(old, with: new)
            if let former, let latter { note(former, oldOthers, became: latter, newOthers, at: change.prefix) }
            // The number is nobody's any more, and may be another's soon.
            if let way = last?.way, !ways.isUsed(way) { last = nil }
            if let former { forget(former, change.prefix) }
            for route in oldOthers {
                forget(route, change.prefix)
                count(-1, route.nextHop)
            }
            if newOthers != oldOthers { others[change.prefix] = newOthers.isEmpty ? nil : newOthers }
            if let latter { remember(latter, change.prefix) }
            for route in newOthers {
                remember(route, change.prefix)
                count(1, route.nextHop)
            }
            // Most routes have one way and no tunnel.
            if former?.told == nil, latter?.told == nil, oldOthers.isEmpty, newOthers.isEmpty { continue }
            for route in [former, latter] + oldOthers + newOthers {
                guard let route, let told = route.told else { continue }
                nextHops.insert(route.nextHop)
                for user in told.macAddress.flatMap({ users[$0] }) ?? [] { nextHops.insert(user.nextHop) }
            }
        }
        if nextHops.isEmpty { return changes.map(\.prefix) }
        var concerned = Set(changes.map(\.prefix))
        for nextHop in nextHops { concerned.formUnion(prefixes?[nextHop]?.keys ?? []) }
        return Array(concerned)
    }

    /// Forgets what next hops were replaced.
    mutating func forgetReplaced() { replaced.removeAll(keepingCapacity: true) }

    private mutating func note(
        _ former: TunnelCheck.Route, _ oldOthers: [TunnelCheck.Route], became latter: TunnelCheck.Route,
        _ newOthers: [TunnelCheck.Route], at prefix: IPPrefix,
    ) {
        if oldOthers.isEmpty, former.nextHop == latter.nextHop { return }
        let old = [former] + oldOthers
        let new = Set([latter.nextHop] + newOthers.map(\.nextHop))
        if !old.allSatisfy({ new.contains($0.nextHop) }) { replaced.append((prefix, old)) }
    }

    /// Puts a way in the place of another, 0 for none, and returns that.
    private mutating func put(_ way: LearnedWays.Number, at prefix: IPPrefix) -> LearnedWays.Number {
        if way == 0 { return routes.removeValue(forKey: prefix) ?? 0 }
        var way = way
        swap(&routes[prefix, default: 0], &way)
        return way
    }

    /// Every prefix to which there is a way.
    var learnedPrefixes: [IPPrefix] { routes.keys }

    /// Every next hop that packets may take.
    ///
    /// - Complexity: O(ways), not O(prefixes).
    var nextHops: Set<IPAddress> { ways.nextHops.union(otherNextHops.keys) }

    /// The next hops that may be new since the last call.
    mutating func takeNewNextHops() -> [IPAddress] {
        defer { newOtherNextHops = [] }
        return ways.takeNewNextHops() + newOtherNextHops
    }

    private mutating func count(_ more: Int, _ nextHop: IPAddress) {
        let count = otherNextHops[nextHop, default: 0] + more
        otherNextHops[nextHop] = count == 0 ? nil : count
        if count == more { newOtherNextHops.append(nextHop) }
    }

    /// The way to a prefix; nil when there is none.
    func route(to prefix: IPPrefix) -> TunnelCheck.Route? { routes[prefix].flatMap { ways[$0] } }

    /// The ways to a prefix beside the first.
    func others(of prefix: IPPrefix) -> [TunnelCheck.Route] { others.isEmpty ? [] : others[prefix] ?? [] }

    /// Whether the address lies in something that the next hop announces.
    func announces(_ nextHop: IPAddress, _ address: IPAddress) -> Bool {
        prefixes?[nextHop]?.keys.contains { $0.contains(address) } ?? false
    }

    /// The next hop that told of a link-layer address first.
    func holder(of mac: MACAddress) -> IPAddress? { users[mac]?.first?.nextHop }

    /// Whether any route of the family still asks for packets in this tunnel.
    func isAnnounced(_ encapsulation: TunnelEndpoint.Encapsulation, _ family: AddressFamily) -> Bool {
        announcements[encapsulation]?[family] ?? 0 > 0
    }

    private mutating func remember(_ route: TunnelCheck.Route, _ prefix: IPPrefix) {
        prefixes?[route.nextHop, default: DenseMap()][prefix] = ()
        guard let told = route.told else { return }
        if prefixes == nil { indexPrefixes() }
        announcements[told.encapsulation, default: [:]][prefix.family, default: 0] += 1
        guard let mac = told.macAddress else { return }
        if let index = users[mac]?.firstIndex(where: { $0.nextHop == route.nextHop }) {
            users[mac]?[index].count += 1
        } else {
            users[mac, default: []].append((route.nextHop, 1))
        }
    }

    /// Called with the first tunnel, whose own route is in the table.
    private mutating func indexPrefixes() {
        var index: [IPAddress: DenseMap<IPPrefix, Void>] = [:]
        for (prefix, way) in zip(routes.keys, routes.values) {
            guard let route = ways[way] else { continue }
            index[route.nextHop, default: DenseMap()][prefix] = ()
            for other in others(of: prefix) { index[other.nextHop, default: DenseMap()][prefix] = () }
        }
        prefixes = index
    }

    private mutating func forget(_ route: TunnelCheck.Route, _ prefix: IPPrefix) {
        prefixes?[route.nextHop]?.removeValue(forKey: prefix)
        if prefixes?[route.nextHop]?.isEmpty ?? false { prefixes?[route.nextHop] = nil }
        guard let told = route.told else { return }
        announcements[told.encapsulation]?[prefix.family, default: 0] -= 1
        guard let mac = told.macAddress, let index = users[mac]?.firstIndex(where: { $0.nextHop == route.nextHop })
        else { return }
        users[mac]?[index].count -= 1
        if users[mac]?[index].count == 0 { users[mac]?.remove(at: index) }
        if users[mac]?.isEmpty ?? false { users[mac] = nil }
    }
}

extension TunnelCheck.Route {
    fileprivate init(_ route: LearnedRoute) {
        self.init(nextHop: route.nextHop.address, told: route.attributes.tunnelEndpoint)
    }
}
