import LinuxOS
import NetTypes
import Netlink
import PodPlan

/// Looks at a pod's link from both sides; changes nothing.
struct PodObserver: ~Copyable {
    private var host: NetlinkSocket
    private var pod: NetlinkSocket

    /// Opens a socket here and one in the pod; this thread stays in the host's namespace.
    init(sandbox: borrowing NetNS) throws {
        let host = try NetlinkSocket()
        let pod = try sandbox.within(orThrow: { $0 as any Error }) { () throws(any Error) in try NetlinkSocket() }
        self.host = host
        self.pod = pod
    }

    /// What there is of the link.
    mutating func observe(_ link: PodLink, settings: [HostSetting]) throws -> ObservedPod {
        var observed = ObservedPod(host: nil, settings: [:], pod: nil)
        if let found = try host.link(named: link.hostName) {
            observed.host = try Self.end(found, on: &host, routesOver: found.index)
            for address in link.addresses { observed.ways[address] = try way(to: address, of: found) }
            for setting in settings {
                observed.settings[setting] = try Self.value(setting, link: link.hostName)
            }
        }
        if let found = try pod.link(named: link.podName) {
            var end = try Self.end(found, on: &pod, routesOver: nil)
            if end.routes.contains(where: { $0.hops.contains { $0.linkIndex != found.index } }) {
                end.otherLinks = try Dictionary(
                    pod.links().map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
            }
            observed.pod = end
        }
        return observed
    }

    /// By which way the host sends packets to an address of the pod's, which has the link.
    private mutating func way(to address: IPAddress, of link: Link) throws -> ObservedPod.Way {
        switch try host.route(for: address) {
        case .refused(let reason): return ObservedPod.Way(destination: nil, linkIndex: nil, words: reason)
        case .route(let route, let table):
            let index = route.hops.first?.linkIndex
            // The table's number says what its route is to the packets: that of the node's own addresses has 255.
            let place = table == RouteMatch.mainTable ? "" : " table \(table)"
            guard index != link.index else {
                return ObservedPod.Way(destination: route.destination, linkIndex: index, words: "\(route)\(place)")
            }
            let names = try Dictionary(
                route.hops.map { ($0.linkIndex, try host.link(index: $0.linkIndex)?.name) },
                uniquingKeysWith: { first, _ in first })
            return ObservedPod.Way(
                destination: route.destination, linkIndex: index,
                words: route.text { names[$0].flatMap { $0 } } + place)
        }
    }

    private static func end(
        _ link: Link, on socket: inout NetlinkSocket, routesOver index: UInt32?,
    ) throws -> ObservedPod.End {
        var routes: [Route] = []
        for family in AddressFamily.allCases {
            routes +=
                try index.map { try socket.routes(family: family, linkIndex: $0) } ?? socket.routes(family: family)
        }
        return ObservedPod.End(
            index: link.index, peerIndex: link.lowerIndex, masterIndex: link.masterIndex, mtuBytes: link.mtuBytes,
            macAddress: link.macAddress, isUp: link.isUp, alias: link.alias,
            addresses: try socket.addresses(linkIndex: link.index).filter { $0.linkIndex == link.index }.map(\.address),
            routes: routes,
            neighbours: try socket.neighbours(linkIndex: link.index).filter { $0.linkIndex == link.index })
    }

    /// Nil where the kernel has no such setting, IPv6 being off for the link.
    private static func value(_ setting: HostSetting, link: String) throws -> UInt32? {
        do throws(SystemError) {
            return UInt32(try Sysctl.read(setting.path(link: link)))
        } catch {
            guard error.code == .ENOENT else { throw error }
            return nil
        }
    }
}
