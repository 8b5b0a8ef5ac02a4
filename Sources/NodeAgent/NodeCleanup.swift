import Dataplane
import LinuxOS
import ModePlugins
import NetTypes
import Netfilter
import Netlink
import NodeStore

/// Takes back what the daemon has made on a node, when Apus is to leave it: routes, tunnel devices, the nftables tables,
/// kernel settings. Pods keep their links and addresses: those are their runtime's to remove.
package struct NodeCleanup {
    private let options: AgentOptions

    /// Makes a cleanup; nothing happens before `run`.
    package init(options: AgentOptions) {
        self.options = options
    }

    /// Takes everything back that can be.
    ///
    /// - Returns: what was done, a line each. Nothing to do is no error.
    /// - Throws: when a daemon is still at work on the run directory, and when the kernel does not answer.
    package func run() throws -> [String] {
        guard ProcessIO.isRoot else { throw NodeAgentError.notRoot }
        try RunDirectory(path: options.runDirectory, bootID: try BootID.current()).checkIsDirectory()
        // Where it is gone it is made for the lock, and for as long: a daemon may want to start meanwhile.
        let isRunDirectoryMissing = try FileStatus.of(options.runDirectory) == nil
        if isRunDirectoryMissing { try Files.createDirectory(options.runDirectory) }
        defer { if isRunDirectoryMissing { InstanceLock.remove(runDirectory: options.runDirectory) } }
        let instance = try InstanceLock(runDirectory: options.runDirectory)
        defer { withExtendedLifetime(instance) {} }
        var done: [String] = []
        done += try removeRoutes()
        var tunnels = TunnelDriver(socket: try NetlinkSocket(), protocolNumber: RouteProtocol.number)
        for device in TunnelDevice.allCases {
            if try tunnels.remove(device.name) { done.append("tunnel device \(device) removed") }
        }
        if try FilterTable.current() != nil {
            try FilterTable.remove()
            done.append("nftables tables apus removed")
        }
        let settings = ChangedSettings(stateDirectory: options.stateDirectory, node: options.nodeName)
        let isSettingsRecorded = try settings.isThere()
        done += try settings.restore().map { "restored \($0)" }
        if !isSettingsRecorded { done.append(try unrestored(settings)) }
        let pods = try podLinks()
        if pods > 0 { done.append("left alone: the links of \(pods) pods; their runtime removes them with the pods") }
        return done
    }

    /// That no settings were restored: there was nothing to restore, or the node has another name.
    private func unrestored(_ settings: ChangedSettings) throws -> String {
        let others = try ChangedSettings.nodes(in: options.stateDirectory)
        let names = others.map { "--node \($0)" }.joined(separator: " or ")
        return "no kernel settings restored: there is no \(settings.path)"
            + (others.isEmpty ? "" : "; try \(names), whose settings are recorded")
    }

    private func removeRoutes() throws -> [String] {
        var socket = try NetlinkSocket()
        var done: [String] = []
        for family in AddressFamily.allCases {
            let routes = try socket.routes(protocolNumber: RouteProtocol.number, family: family)
            let own = routes.filter { !$0.isEndpoint }
            guard !own.isEmpty else { continue }
            let failures = try socket.execute(NetlinkBatch(own.map { .deleteRoute($0) }), acknowledgeEach: false)
            if let failure = failures.first(where: { $0.error.code != .ESRCH }) { throw failure.error }
            done.append("\(own.count) \(family.rawValue) routes removed")
        }
        // Nobody names them any more.
        try socket.deleteNextHops(try socket.nextHops(protocolNumber: RouteProtocol.number))
        return done
    }

    private func podLinks() throws -> Int {
        var socket = try NetlinkSocket()
        return try socket.links().count(where: NodePicture.isOwnPodLink)
    }
}
