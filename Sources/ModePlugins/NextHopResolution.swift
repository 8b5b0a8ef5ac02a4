import NetTypes

/// How the kernel would reach a BGP next hop: the hops to write into a route, or why there are none.
enum NextHopResolution: Sendable, Hashable {
    case hops([Route.Hop])
    case unresolved(RouteObstacle, reason: String)
}

extension ForwardingContext {
    /// Resolves a next hop as BIRD does with `gateway recursive`: the longest prefix that covers it, among the networks
    /// on the links and the routes of the main table, the default route included.
    ///
    /// A prefix on a link makes the next hop itself the gateway; a route through a gateway passes that gateway on, and
    /// ECMP keeps all its ways. One step is enough, the kernel holds no route whose own gateway is not on a link.
    func resolve(_ nextHop: IPAddress) -> NextHopResolution {
        if links.contains(where: { $0.addresses.contains { $0.address == nextHop } }) {
            return .unresolved(.unreachable, reason: "next hop \(nextHop) is an address of this node")
        }
        if case .v6(let address) = nextHop, address.isLinkLocal { return resolve(linkLocal: address) }
        let connected = connectedHops(to: nextHop)
        let route = bestRoute(to: nextHop)
        if let connected, connected.length >= route?.destination.length ?? 0 {
            return .hops([connected.hop])
        }
        guard let route else {
            return .unresolved(.unreachable, reason: "next hop \(nextHop) not adjacent: no route covers it")
        }
        let words = route.text { index in links.first { $0.index == index }?.name }
        guard route.kind == .unicast else {
            return .unresolved(
                .unreachable, reason: "next hop \(nextHop) not adjacent: \(words) discards what is sent there")
        }
        let usable = route.hops.filter { hop in links.first { $0.index == hop.linkIndex }?.isUp ?? true }
        guard !usable.isEmpty else {
            return .unresolved(.linkDown, reason: "next hop \(nextHop) not adjacent: every link of \(words) is down")
        }
        return .hops(
            usable.map { hop in
                Route.Hop(linkIndex: hop.linkIndex, gateway: hop.gateway ?? nextHop, isOnLink: hop.isOnLink)
            })
    }

    /// A link-local next hop, of a router without a global address (RFC 2545 §3), does not say on which link it is. That
    /// is clear where one link can have it, or where one of several bears the node's address.
    private func resolve(linkLocal nextHop: IPv6Address) -> NextHopResolution {
        let possible = links.filter { link in
            link.isUp && link.connected.contains { $0.network.contains(.v6(nextHop)) }
        }
        let own = possible.filter { link in
            link.addresses.contains { address in nodeAddresses.contains { $0.address == address.address } }
        }
        let meant = possible.count == 1 ? possible : own
        guard meant.count == 1, let link = meant.first else {
            let reason =
                possible.isEmpty
                ? "no link has link-local addresses"
                : "it may be on any of \(possible.map(\.name).sorted().joined(separator: ", "))"
            return .unresolved(.unreachable, reason: "next hop \(nextHop) is link-local, and \(reason)")
        }
        return .hops([Route.Hop(linkIndex: link.index, gateway: .v6(nextHop))])
    }

    /// The network on a link that covers the next hop most narrowly; of two alike that of the lower link index.
    private func connectedHops(to nextHop: IPAddress) -> (length: UInt8, hop: Route.Hop)? {
        var best: (length: UInt8, hop: Route.Hop)?
        for link in links where link.isUp {
            for address in link.connected where address.network.contains(nextHop) {
                if let best, (best.length, link.index) >= (address.length, best.hop.linkIndex) { continue }
                best = (address.length, Route.Hop(linkIndex: link.index, gateway: nextHop))
            }
        }
        return best
    }

    /// The kernel's choice for the next hop: the longest prefix, then the lowest metric.
    private func bestRoute(to nextHop: IPAddress) -> Route? {
        var best: Int?
        for place in routes.indices where routes[place].destination.contains(nextHop) {
            if let found = best, !routes[place].isPreferred(to: routes[found]) { continue }
            best = place
        }
        return best.map { routes[$0] }
    }
}

extension Route {
    /// Whether the kernel takes this route rather than the other where both lead to a destination.
    fileprivate func isPreferred(to other: Route) -> Bool {
        (other.destination.length, effectiveMetric) < (destination.length, other.effectiveMetric)
    }
}
