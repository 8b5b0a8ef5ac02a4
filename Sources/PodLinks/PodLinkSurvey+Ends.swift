import IPAMCore
package import NetTypes
package import Netlink
package import PodPlan

extension PodLinkSurvey {
    /// The host's ends of the pairs of links in the socket's network namespace, with Apus' routes and the permanent
    /// neighbours on them: pods', and those of others, which bear no alias of Apus.
    package static func ends(over socket: inout NetlinkSocket) throws(NetlinkError) -> [ObservedEnd] {
        let links = try socket.links()
        guard links.contains(where: { $0.kind == "veth" }) else { return [] }
        var routes: [Route] = []
        for family in AddressFamily.allCases {
            routes += try socket.routes(protocolNumber: PodPlan.routeProtocol, family: family)
        }
        return ends(links: links, routes: routes, neighbours: try socket.neighbours())
    }

    /// The ends that these links, routes and neighbours make.
    package static func ends(links: [Link], routes: [Route], neighbours: [Neighbour]) -> [ObservedEnd] {
        var addresses: [UInt32: [IPPrefix]] = [:]
        for route in routes where route.destination.isHost && route.hops.count == 1 && route.hops[0].gateway == nil {
            addresses[route.hops[0].linkIndex, default: []].append(route.destination)
        }
        var known: [UInt32: Set<IPAddress>] = [:]
        for neighbour in neighbours where neighbour.isPermanent {
            known[neighbour.linkIndex, default: []].insert(neighbour.address)
        }
        return links.filter { $0.kind == "veth" }.map { link in
            ObservedEnd(
                index: link.index, name: link.name, key: link.alias.flatMap(LinkAlias.init(parsing:))?.key,
                isUp: link.isUp, addresses: addresses[link.index, default: []].sorted(),
                neighbours: known[link.index, default: []])
        }
    }
}
