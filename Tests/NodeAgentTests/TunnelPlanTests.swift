import Dataplane
import ModePlugins
import NetTypes
import Netlink
import Resources
import Testing

@testable import NodeAgent

@Suite("What the tunnel devices are to be")
struct TunnelPlanTests {
    private func configuration(_ pools: [IPPool], _ felix: FelixConfiguration = FelixConfiguration())
        -> KernelConfiguration
    {
        KernelConfiguration(
            nodeAddresses: [Node.Address(address("192.168.1.1"), length: 24)], ownBlocks: [], pools: pools,
            nodeName: "node1", nodes: [Node(name: "node1", ipv4: Node.Address(address("192.168.1.1"), length: 24))],
            felix: felix, tunnelAddresses: [.vxlan: address("10.244.0.0")])
    }

    @Test("without a pool that needs one there is none; disabled pools count, their pods stay reachable")
    func needed() {
        let cidr = prefix("10.244.0.0/16")
        #expect(configuration([IPPool(name: "a", cidr: cidr)]).tunnelDevices.isEmpty)
        let pools = [
            IPPool(name: "a", cidr: cidr, ipipMode: .always),
            IPPool(name: "b", cidr: prefix("10.245.0.0/16"), vxlanMode: .crossSubnet, isDisabled: true),
            IPPool(name: "c", cidr: prefix("fd00:244::/64"), vxlanMode: .always),
        ]
        #expect(configuration(pools).tunnelDevices == [.ipip, .vxlan, .vxlanV6])
    }

    @Test("without a link that has the node's address the reason says so")
    func withoutUplink() {
        let wanted = configuration([IPPool(name: "a", cidr: prefix("10.244.0.0/16"), vxlanMode: .always)])
        let plan = TunnelPlan(wanted, NodePicture(), hostMTUBytes: 1500)
        #expect(plan.wishes == [.vxlan: .impossible(reason: "no link has the node's address 192.168.1.1")])
    }

    @Test("the first expression is Calico's; what it does not match is no NIC")
    func pattern() {
        var pattern = NICPattern(FelixConfiguration.defaultMTUIfacePattern)
        #expect(pattern.isValid && !NICPattern("(").isValid)
        #expect(pattern.smallestMTUBytes(among: []) == nil)
    }
}
