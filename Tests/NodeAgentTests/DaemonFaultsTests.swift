import Dataplane
import LinuxOS
import Logging
import NIOCore
import NIOPosix
import Netlink
import NodeLink
import TestKit
import Testing

@testable import NodeAgent

@Suite("What the daemon knows to be wrong")
struct DaemonFaultsTests {
    @Test("a port for Prometheus that is taken is a fault until it is free")
    func metrics() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let holder = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(holder.localAddress)
        let faults = DaemonFaults()
        let server = MetricsServer(
            address: address, eventLoop: group.next(), faults: faults,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: { MetricsText() })
        let running = Task { await server.run() }
        #expect(try await Self.becomes(faults) { !$0.isEmpty })
        let port = address.port ?? 0
        let fault = try #require(faults.current.first)
        #expect(fault.problem.hasPrefix("Prometheus is not answered at 127.0.0.1 port \(port): "))
        #expect(fault.remedy.contains("ss -ltnp 'sport = :\(port)'"))
        try await holder.close()
        #expect(try await Self.becomes(faults) { $0.isEmpty })
        running.cancel()
        await running.value
    }

    /// Gives up the thread in between, which the server may need.
    private static func becomes(_ faults: DaemonFaults, _ condition: ([DaemonFault]) -> Bool) async throws -> Bool {
        try await eventually {
            await Task.yield()
            return condition(faults.current)
        }
    }

    @Test("a tunnel device that cannot be had has a reason and a remedy")
    func tunnels() {
        let absent = TunnelDeviceProblem.refused(NetlinkError(.linkCreate, "tunl0", .EOPNOTSUPP))
        #expect(absent.description == "the kernel module ipip is missing" && absent.remedy.hasPrefix("modprobe ipip"))
        let vxlan = TunnelDeviceProblem.refused(NetlinkError(.linkCreate, "vxlan.calico", .EOPNOTSUPP))
        #expect(vxlan.description == "the kernel module vxlan is missing" && vxlan.remedy.hasPrefix("modprobe vxlan"))
        let foreign = TunnelDeviceProblem.foreign(name: "tunl0", kind: "bridge")
        #expect(foreign.remedy.hasPrefix("remove or rename that link"))
    }
}
