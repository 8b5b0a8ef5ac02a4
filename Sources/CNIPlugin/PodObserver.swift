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
            for setting in settings {
                observed.settings[setting] = try Self.value(setting, link: link.hostName)
            }
        }
        if let found = try pod.link(named: link.podName) {
            observed.pod = try Self.end(found, on: &pod, routesOver: nil)
        }
        return observed
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
