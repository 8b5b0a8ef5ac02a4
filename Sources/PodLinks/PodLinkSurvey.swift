package import IPAMCore
import LinuxOS
package import NetTypes
package import Netlink
import PodPlan

/// What the kernel says of the pods there are: the host's ends of their links, by alias, with the routes and the
/// permanent neighbours on them.
package enum PodLinkSurvey {
    /// The attachments that the links in the calling thread's network namespace stand for, in the order of their keys.
    ///
    /// A link without a route to a pod is an ADD's that was killed, and stands for none: its next ADD or DEL finds it by
    /// its name.
    ///
    /// - Parameter now: CLOCK_BOOTTIME, for the records.
    package static func attachments(bootID: String, now: MonotonicTime) throws(NetlinkError) -> [Attachment] {
        var socket = try NetlinkSocket()
        let links = try socket.links()
        guard links.contains(where: { alias(of: $0) != nil }) else { return [] }
        var routes: [Route] = []
        for family in AddressFamily.allCases {
            routes += try socket.routes(protocolNumber: PodPlan.routeProtocol, family: family)
        }
        return attachments(
            links: links, routes: routes, neighbours: try socket.neighbours(), bootID: bootID, now: now)
    }

    /// The attachments that these links, routes and neighbours stand for.
    package static func attachments(
        links: [Link], routes: [Route], neighbours: [Neighbour], bootID: String, now: MonotonicTime,
    ) -> [Attachment] {
        var addresses: [UInt32: [IPPrefix]] = [:]
        for route in routes where route.destination.isHost && route.hops.count == 1 {
            addresses[route.hops[0].linkIndex, default: []].append(route.destination)
        }
        let known = Dictionary(grouping: neighbours.filter(\.isPermanent), by: \.linkIndex)
        var attachments: [AttachmentKey: Attachment] = [:]
        for link in links {
            guard let key = alias(of: link)?.key else { continue }
            guard let own = addresses[link.index] else { continue }
            attachments[key] = Attachment(
                key: key, state: .complete, addresses: own.sorted(), hostLink: link.name, hostLinkIndex: link.index,
                mtuBytes: link.mtuBytes, requestedMAC: requestedMAC(of: key, with: own, known[link.index, default: []]),
                bootID: bootID, createdAt: now)
        }
        return attachments.values.sorted { $0.key < $1.key }
    }

    /// The link-layer address by which the host knows a pod that does not go by its key's. The pod's own end does not
    /// tell: a later plugin may have altered it.
    private static func requestedMAC(
        of key: AttachmentKey, with addresses: [IPPrefix], _ neighbours: [Neighbour],
    ) -> MACAddress? {
        let known = neighbours.filter { addresses.contains($0.address.hostPrefix) }.map(\.macAddress)
        return known.contains(PodLink.derivedMAC(of: key)) ? nil : known.first
    }

    private static func alias(of link: Link) -> LinkAlias? {
        guard link.kind == "veth" else { return nil }
        return link.alias.flatMap(LinkAlias.init(parsing:))
    }
}
