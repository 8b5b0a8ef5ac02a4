package import IPAMCore
import LinuxOS
package import NetTypes
package import Netlink
import PodPlan

/// What the kernel says of the pods there are: the host's ends of their links, by alias, and the routes on them.
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
        return attachments(links: links, routes: routes, bootID: bootID, now: now)
    }

    /// The attachments that these links and routes stand for.
    package static func attachments(
        links: [Link], routes: [Route], bootID: String, now: MonotonicTime,
    ) -> [Attachment] {
        var addresses: [UInt32: [IPPrefix]] = [:]
        for route in routes where route.destination.isHost && route.hops.count == 1 {
            addresses[route.hops[0].linkIndex, default: []].append(route.destination)
        }
        var attachments: [AttachmentKey: Attachment] = [:]
        for link in links {
            guard let key = alias(of: link)?.key else { continue }
            guard let own = addresses[link.index] else { continue }
            attachments[key] = Attachment(
                key: key, state: .complete, addresses: own.sorted(), hostLink: link.name, hostLinkIndex: link.index,
                bootID: bootID, createdAt: now)
        }
        return attachments.values.sorted { $0.key < $1.key }
    }

    private static func alias(of link: Link) -> LinkAlias? {
        guard link.kind == "veth" else { return nil }
        return link.alias.flatMap(LinkAlias.init(parsing:))
    }
}
