import Logging
import ModePlugins
import NetTypes
import Netfilter
import Resources
import TestKit
import Testing

@testable import NodeAgent

@Suite("The rules of a daemon that starts", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct FilterUpkeepTests {
    private static func upkeep() -> FilterUpkeep {
        var upkeep = FilterUpkeep(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        upkeep.begin()
        return upkeep
    }

    private static func configuration(
        pools: [String], nodes: [String], isWhole: Bool = true,
    ) -> KernelConfiguration {
        KernelConfiguration(
            nodeAddresses: [], ownBlocks: [],
            pools: pools.map { IPPool(name: $0, cidr: prefix($0), vxlanMode: .always, natOutgoing: true) },
            isWhole: isWhole, nodes: nodes.map { Node(name: $0, ipv4: Node.Address(address($0), length: 24)) })
    }

    @Test("what is absent from a configuration that is not whole stays in the tables, what is new comes in")
    func widened() async throws {
        try await NetNSFixture.run { _ in
            let pools = ["10.244.0.0/16", "10.246.7.1/32", "fd00:244::/64"]
            let nodes = ["192.168.1.1", "192.168.1.2", "fd00::1"]
            var former = Self.upkeep()
            former.configure(Self.configuration(pools: pools, nodes: nodes), tunnels: [.vxlan, .vxlanV6])
            let before = try FilterTable.current()
            #expect(before?.contains("192.168.1.2") == true && before?.contains("10.246.7.1") == true)

            var upkeep = Self.upkeep()
            let rest = Self.configuration(pools: [], nodes: ["192.168.1.1"], isWhole: false)
            upkeep.configure(rest, tunnels: [.vxlan, .vxlanV6])
            #expect(try FilterTable.current() == before)
            let more = Self.configuration(pools: ["10.245.0.0/16"], nodes: ["192.168.1.9"], isWhole: false)
            upkeep.configure(more, tunnels: [.vxlan, .vxlanV6])
            var all = Self.upkeep()
            all.configure(
                Self.configuration(pools: pools + ["10.245.0.0/16"], nodes: nodes + ["192.168.1.9"]),
                tunnels: [.vxlan, .vxlanV6])
            #expect(upkeep.mend() == FilterTable.Change.none)

            let whole = Self.configuration(pools: ["10.244.0.0/16"], nodes: ["192.168.1.1"])
            upkeep.configure(whole, tunnels: [.vxlan])
            let after = try #require(try FilterTable.current())
            #expect(!after.contains("192.168.1.2") && !after.contains("fd00:244::") && !after.contains("10.245"))
            try FilterTable.remove()
        }
    }
}
