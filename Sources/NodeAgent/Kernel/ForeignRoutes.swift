import Dataplane
import NetTypes

/// The routes of the main table that are not Apus', as dumps and events tell of them.
///
/// The kernel may hold several of one destination and metric, of which the first one carries packets: they are kept in
/// its order. An event does not always say where a route stands among such, so what it leaves open is told: then only a
/// dump can say.
struct ForeignRoutes: Sendable {
    /// What an event has made of them.
    enum Effect: Sendable {
        /// They are as they were.
        case none
        /// They differ, and are known to be what the kernel has.
        case known
        /// They are taken to differ, and may do so in another way.
        case doubtful
    }

    private var routes: [RouteKey: [Route]] = [:]

    /// There are none.
    init() {}

    /// Those of a dump, in the kernel's order.
    init(_ dump: [Route]) {
        for route in dump { routes[route.key, default: []].append(route) }
    }

    /// All of them; those of one destination and metric in the kernel's order.
    var all: [Route] { routes.sorted { $0.key < $1.key }.flatMap(\.value) }

    /// Whether one of them leads to the address.
    ///
    /// - Complexity: O(routes)
    func hasRoute(to address: IPAddress) -> Bool {
        routes.contains { key, routes in
            key.destination.contains(address) && routes.contains { $0.kind == .unicast }
        }
    }

    /// The links by which packets to the addresses leave: each by the route of the longest prefix, of several by that of
    /// the lowest metric.
    ///
    /// - Complexity: O(routes + addresses)
    func links(to addresses: [IPAddress]) -> Set<UInt32> {
        struct Form: Hashable {
            var family: AddressFamily
            var length: UInt8
            var metric: UInt32
            var effectiveMetric: UInt32
        }
        guard !addresses.isEmpty else { return [] }
        let forms = Set(
            routes.lazy.map { key, routes in
                Form(
                    family: key.destination.family, length: key.destination.length, metric: key.metric,
                    effectiveMetric: routes.first?.effectiveMetric ?? key.metric)
            }
        ).sorted { ($1.length, $0.effectiveMetric) < ($0.length, $1.effectiveMetric) }
        var links: Set<UInt32> = []
        for address in addresses {
            let route = forms.lazy.filter { $0.family == address.family }.compactMap { form in
                routes[RouteKey(IPPrefix(masking: address, length: form.length), metric: form.metric)]?.first
            }.first
            if let route, route.kind == .unicast { links.formUnion(route.hops.map(\.linkIndex)) }
        }
        return links
    }

    /// Takes an event.
    ///
    /// - Parameter isReplacement: whether the kernel says that the route has taken another's place (NLM_F_REPLACE).
    mutating func observe(_ route: Route, deleted: Bool, isReplacement: Bool = false) -> Effect {
        let former = routes[route.key] ?? []
        let (new, isKnown) = deleted ? Self.without(route, former) : Self.with(route, former, isReplacement)
        routes[route.key] = new.isEmpty ? nil : new
        if !isKnown { return .doubtful }
        return new == former ? .none : .known
    }

    private static func with(_ route: Route, _ former: [Route], _ isReplacement: Bool) -> ([Route], isKnown: Bool) {
        guard let first = former.first else { return ([route], true) }
        if isReplacement {
            // IPv4 replaces the first, IPv6 the first that is of its form, with all its ways.
            return ([route] + former.dropFirst().filter { $0 != route }, former.count == 1)
        }
        if former.contains(route) { return (former, true) }
        guard route.destination.family == .ipv6 else { return ([first, route] + former.dropFirst(), false) }
        // IPv6 joins what goes through gateways to one route, and shows all of it; what goes through none stands alone.
        guard route.isByGateways, let place = former.firstIndex(where: \.isByGateways) else {
            return (former + [route], true)
        }
        var new = former
        new[place] = route
        return (new, true)
    }

    private static func without(_ route: Route, _ former: [Route]) -> ([Route], isKnown: Bool) {
        var new = former
        if let place = former.firstIndex(of: route) {
            new.remove(at: place)
            return (new, true)
        }
        // IPv6 names the way that is gone, and nothing of those that stay.
        let place = former.firstIndex { whole in
            whole.protocolNumber == route.protocolNumber && whole.hops.count > route.hops.count
                && route.hops.allSatisfy { whole.hops.contains($0) }
        }
        guard route.destination.family == .ipv6, !route.hops.isEmpty, let place else { return (former, former.isEmpty) }
        new[place].hops.removeAll { route.hops.contains($0) }
        return (new, true)
    }
}

extension Route {
    fileprivate var key: RouteKey { RouteKey(destination, metric: metric) }

    /// Whether every way has a gateway: IPv6 takes such routes of one destination and metric for one.
    fileprivate var isByGateways: Bool { !hops.isEmpty && hops.allSatisfy { $0.gateway != nil } }
}
