import Dataplane
import LinuxOS
import Logging
import ModePlugins
import NIOPosix
import NetTypes
import Resources
import TestKit
import Testing

@testable import Netlink
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

    private static func filter(_ link: String) -> [String] { ["net", "ipv4", "conf", link, "rp_filter"] }

    private func picture() throws -> NodePicture {
        try NodePicture(
            KernelSockets(
                protocolNumber: RouteProtocol.number, writerThread: NIOThreadPool.singleton, answered: Signal()))
    }

    @Test(
        "Where the loopback holds the node's address the link towards the other nodes counts",
        .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
    func loopback() async throws {
        var wanted = configuration([IPPool(name: "a", cidr: prefix("10.244.0.0/16"), vxlanMode: .always)])
        wanted.nodes.append(Node(name: "node2", ipv4: Node.Address(address("192.168.2.1"), length: 32)))
        let configuration = wanted
        try await NetNSFixture.run { fixture in
            try fixture.ip("link set lo up")
            try fixture.ip("address add 192.168.1.1/32 dev lo")
            for (number, mtu) in [(0, 1400), (1, 1390)] {
                try fixture.ip("link add d\(number) mtu \(mtu) type veth peer name e\(number) mtu \(mtu)")
                try fixture.ip("link set d\(number) up")
                try fixture.ip("link set e\(number) up")
                try fixture.ip("address add 172.16.\(number).1/24 dev d\(number)")
            }
            #expect(try picture().carrier(for: configuration) == nil)
            try fixture.ip("route add default via 172.16.1.2")
            #expect(try picture().carrier(for: configuration)?.name == "d1")
            try fixture.ip("route add 192.168.2.0/24 via 172.16.0.2")
            let carrier = try #require(try picture().carrier(for: configuration))
            #expect(carrier.name == "d0" && carrier.mtuBytes == 1400)
            try fixture.ip("route add 192.168.2.1 metric 7 nexthop via 172.16.0.2 nexthop via 172.16.1.2")
            #expect(try picture().ways(toNodesOf: configuration).map(\.name) == ["d0", "d1"])
            #expect(try picture().carrier(for: configuration)?.name == "d1")
            let plan = try TunnelPlan(configuration, picture(), hostMTUBytes: carrier.mtuBytes)
            let directory = try TemporaryDirectory()
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            guard case .device(let spec, _)? = plan.wishes[.vxlan] else { return #expect(Bool(false), "\(plan)") }
            #expect(spec.link.mtuBytes == 1350)
            #expect(plan.looseLinks(for: .vxlan) == ["lo", "d0", "d1", "vxlan.calico"])
            var keeper = TunnelKeeper(
                settings: SettingUpkeep(
                    settings: ChangedSettings(stateDirectory: directory.path, node: "n"), logger: logger),
                grace: .zero, logger: logger)
            let device = Link(
                index: 99, name: "vxlan.calico", macAddress: nil, mtuBytes: 1350, flags: 1, operState: .up,
                kind: "vxlan", alias: TunnelLink.alias, group: 0, masterIndex: nil, lowerIndex: nil, peerNetNSID: nil)
            keeper.adopt(.vxlan, device)
            for link in ["d0", "d1", "e0"] { try Sysctl.write(Self.filter(link), "1") }
            keeper.keepSettings(try TunnelPlan(configuration, picture(), hostMTUBytes: 1500))
            #expect(try ["d0", "d1", "e0"].map { try Sysctl.read(Self.filter($0)) } == ["2", "2", "1"])
            // A link with the node's address is it wherever packets leave.
            try fixture.ip("address delete 192.168.1.1/32 dev lo")
            try fixture.ip("address add 192.168.1.1/32 dev d1")
            #expect(try picture().carrier(for: configuration)?.name == "d1")
        }
    }

    @Test(
        "A VXLAN for IPv6 takes the 1280 octets that IPv6 needs, or the reason says what its parent lacks",
        .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason),
        arguments: [
            (1300, 1300, nil, nil), (1349, 1349, nil, nil), (1350, 1350, nil, 1280), (1400, 1400, nil, 1330),
            (1400, 1400, 1280, 1280), (1500, 1320, nil, 1280),
        ] as [(parent: UInt32, host: UInt32, configured: UInt32?, expected: UInt32?)])
    func least(parent: UInt32, host: UInt32, configured: UInt32?, expected: UInt32?) async throws {
        let pool = IPPool(name: "a", cidr: prefix("fd00:244::/64"), vxlanMode: .always)
        var felix = FelixConfiguration()
        felix.vxlanMTUV6 = configured
        var wanted = configuration([pool], felix)
        wanted.nodeAddresses = [Node.Address(address("fd00:1::1"), length: 64)]
        let configuration = wanted
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add d0 mtu \(parent) type veth peer name e0")
            try fixture.ip("address add fd00:1::1/64 dev d0 nodad")
            let plan = try TunnelPlan(configuration, picture(), hostMTUBytes: host)
            switch plan.wishes[.vxlanV6] {
            case .device(let spec, _): #expect(spec.link.mtuBytes == expected)
            case .impossible(let reason):
                #expect(expected == nil)
                #expect(reason.contains("of d0 leaves vxlan-v6.calico less than the 1280 octets"), "\(reason)")
                #expect(reason.contains("1350"))
            case nil: #expect(Bool(false))
            }
        }
    }
}
