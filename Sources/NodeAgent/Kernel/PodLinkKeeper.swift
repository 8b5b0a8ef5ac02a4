import IPAMCore
import LinuxOS
import Logging
import NetTypes
import Netlink
import NodeStore
import PodPlan

/// Keeps the host's side of the pods that live as their ADDs have left it: routes, permanent neighbours, the IPv6
/// gateway's address and the settings of their links.
///
/// The kernel takes the first three away when a link goes down and does not bring them back when it comes up; of IPv4
/// routes it does not even tell. What is looked at are the links that an event speaks against, and all of them at the
/// start, after lost events and with every resync. The record of a pod says what it is to have: one that an ADD or a DEL
/// is at work on is left to it. A link that is deleted after that look takes along whatever is put on it.
struct PodLinkKeeper: ~Copyable {
    private let store: RunDirectory?
    private var filter: PodLinkFilter
    private let names: LinkNames?
    private let logger: Logger
    /// The pods' links that were down when last heard of.
    private var downLinks: Set<UInt32> = []
    /// Links with a setting that somebody has written, whatever it was.
    private var written: Set<UInt32> = []
    /// What went wrong, by link: it is logged once.
    private var problems: [UInt32: String] = [:]
    private var pace = MendPace<UInt32>()

    init(runDirectory: String, logger: Logger) {
        store = (try? BootID.current()).map { RunDirectory(path: runDirectory, bootID: $0) }
        filter = PodLinkFilter(logger: logger)
        names = try? LinkNames()
        self.logger = logger
    }

    /// Takes the kernel's events; those of links that are in the picture of the node are not the pods'.
    ///
    /// What they come to in the end counts: an ADD sets what a new link has otherwise, and a DEL takes all with the link.
    mutating func observe(_ events: [KernelEvent], _ picture: NodePicture, _ sockets: KernelSockets?) {
        var suspects: Set<UInt32> = []
        var robbed: Set<UInt32> = []
        var deleted: Set<UInt32> = []
        var filters: [UInt32: UInt32] = [:]
        for event in events {
            switch event {
            case .link(let link, let isDeleted):
                if observe(link, deleted: isDeleted) { suspects.insert(link.index) }
                if isDeleted { deleted.insert(link.index) } else { deleted.remove(link.index) }
            case .route(let route, true, _)
            where route.protocolNumber == RouteProtocol.number && route.destination.isHost && route.hops.count == 1:
                robbed.insert(route.hops[0].linkIndex)
            case .neighbour(let neighbour, true): robbed.insert(neighbour.linkIndex)
            case .neighbourLost(let index, _): robbed.insert(index)
            case .address(let address, true): robbed.insert(address.linkIndex)
            case .settings(let index?, let value) where picture.name(of: index) == nil:
                if let value { filters[index] = value } else { written.insert(index) }
            default: break
            }
        }
        for (index, value) in filters where PodLinkFilter.isAltered(value) && !deleted.contains(index) {
            if let name = try? names?.name(of: index) { filter.observe(name, index, sockets) }
        }
        written.subtract(deleted)
        for index in suspects.union(robbed).subtracting(deleted).sorted() where picture.name(of: index) == nil {
            look(at: index, sockets, isRobbed: robbed.contains(index))
        }
    }

    /// Looks at the settings that were written in the last second: an ADD of IPv6 writes some as well, and must not be
    /// looked at while it works.
    mutating func upkeep(_ linkNames: [String], at now: MonotonicTime, _ sockets: KernelSockets?) {
        mendDue(linkNames, at: now, sockets)
        guard !written.isEmpty else { return }
        for index in written.sorted() {
            guard let name = try? names?.name(of: index), NodePicture.isPodLink(name), !Self.altered(name).isEmpty
            else { continue }
            look(at: index, sockets)
        }
        written = []
    }

    /// When `mendDue` has something to do; nil while nothing was left to anybody.
    var due: MonotonicTime? { [filter.due, pace.due].compactMap(\.self).min() }

    /// Looks at all of them when one that was left to somebody else may be mended.
    mutating func mendDue(_ linkNames: [String], at now: MonotonicTime, _ sockets: KernelSockets?) {
        if filter.takeDue(at: now) { filter.keep(linkNames) }
        if pace.takeDue(at: now) { keep(linkNames, sockets) }
    }

    /// Looks at all of them.
    mutating func keep(_ linkNames: [String], _ sockets: KernelSockets?) {
        filter.keep(linkNames)
        guard let sockets, !linkNames.isEmpty, let links = try? sockets.links() else { return }
        let own = links.filter(NodePicture.isOwnPodLink)
        downLinks = Set(own.filter { !$0.isUp }.map(\.index))
        let indices = Set(own.map(\.index))
        problems = problems.filter { indices.contains($0.key) }
        for link in own { keep(link, sockets) }
    }

    /// - Returns: whether the link is up again.
    private mutating func observe(_ link: Link, deleted: Bool) -> Bool {
        guard !deleted, !link.isUp else { return downLinks.remove(link.index) != nil && !deleted }
        if NodePicture.isOwnPodLink(link) { downLinks.insert(link.index) }
        return false
    }

    private mutating func look(at index: UInt32, _ sockets: KernelSockets?, isRobbed: Bool = false) {
        guard let sockets, let link = try? sockets.link(index: index), NodePicture.isOwnPodLink(link) else { return }
        keep(link, sockets, isRobbed: isRobbed)
    }

    /// Puts back what is missing on a link of a pod that lives, unless somebody takes it away so often that it has to
    /// wait.
    ///
    /// - Parameter isRobbed: whether something has gone for certain.
    private mutating func keep(_ link: Link, _ sockets: KernelSockets, isRobbed: Bool = false) {
        let now = BootClock.now()
        guard link.isUp, let attachment = attachment(of: link), !pace.mustWait(link.index, at: now) else { return }
        mendSettings(link.name)
        let requests = Self.requests(for: attachment, on: link.index)
        do {
            var added = Set(requests.indices.filter { requests[$0].operation == .routeAdd })
            for failure in try sockets.execute(NetlinkBatch(requests)) {
                added.remove(failure.index)
                switch failure.error.code {
                // It is there; or the link has gone meanwhile, or down.
                case .EEXIST, .ENODEV, .ENETDOWN: break
                default: throw failure.error
                }
            }
            problems[link.index] = nil
            if isRobbed || !added.isEmpty { note(link, at: now) }
            guard !added.isEmpty else { return }
            logger.warning(
                "the way to a pod was gone; it is put back",
                metadata: ["link": "\(link.name)", "routes": "\(added.sorted().map { requests[$0].object })"])
        } catch {
            guard problems[link.index] != "\(error)" else { return }
            problems[link.index] = "\(error)"
            logger.error(
                "the way to a pod is not as it should be",
                metadata: ["link": "\(link.name)", "reason": "\(error)"])
        }
    }

    private mutating func note(_ link: Link, at now: MonotonicTime) {
        guard case .nowInConflict = pace.answer(on: link.index, at: now) else { return }
        logger.warning(
            "conflict: another program takes away the way to a pod again and again; answered ever more rarely",
            metadata: [
                "link": "\(link.name)",
                "remedy": "let systemd-networkd (ManageForeignRoutes=) or the script leave routes to cali* alone",
            ])
    }

    /// The record of the pod at the other end, if no ADD or DEL is at work on it.
    private func attachment(of link: Link) -> Attachment? {
        guard let key = link.alias.flatMap(LinkAlias.init(parsing:))?.key,
            let attachment = try? store?.attachment(key), attachment.state == .complete,
            attachment.hostLinkIndex == link.index
        else { return nil }
        return attachment
    }

    /// Neighbours first: a packet that finds a route alone asks for the address.
    private static func requests(for attachment: Attachment, on linkIndex: UInt32) -> [NetlinkRequest] {
        guard let alias = LinkAlias(attachment.key) else { return [] }
        let way = RouteToPod(
            PodLink(
                alias: alias, hostName: attachment.hostLink, addresses: attachment.addresses.map(\.address),
                mtuBytes: attachment.mtuBytes ?? 0, podMAC: attachment.requestedMAC))
        var requests = way.neighbours(linkIndex: linkIndex).map(NetlinkRequest.setNeighbour)
        if attachment.addresses.contains(where: { $0.family == .ipv6 }) {
            let gateway = CIDRAddress(PodPlan.gateway(.ipv6), length: 64)
            requests.append(.addAddress(LinkAddress(linkIndex: linkIndex, address: gateway)))
        }
        // Never in place of another: whoever has made a route to the address meanwhile may have had a reason.
        return requests + way.routes(linkIndex: linkIndex).map(NetlinkRequest.addRoute)
    }

    private func mendSettings(_ name: String) {
        for setting in Self.altered(name) {
            do {
                try Sysctl.write(setting.path(link: name), "\(setting.required)")
                logger.warning(
                    "a setting of a pod's link was altered; it is as before",
                    metadata: ["link": "\(name)", "setting": "\(setting.rawValue)"])
            } catch {
                logger.error(
                    "a setting of a pod's link is not to be had",
                    metadata: ["link": "\(name)", "setting": "\(setting.rawValue)", "reason": "\(error)"])
            }
        }
    }

    /// The settings that are not as ADD has made them; the reverse path filter has its own keeper, and IPv6 forwarding
    /// is the node's.
    private static func altered(_ name: String) -> [HostSetting] {
        HostSetting.allCases.filter { setting in
            guard setting != .reversePathFilter, setting != .ipv6Forwarding,
                let text = try? Sysctl.read(setting.path(link: name))
            else { return false }
            return UInt32(text) != setting.required
        }
    }
}
