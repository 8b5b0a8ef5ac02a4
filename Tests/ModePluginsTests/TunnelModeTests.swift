import ModePlugins
import NetTypes
import Resources
import Testing

private let mac = MACAddress(truncating: 0x66f9_37c3_7e94)

/// A node 192.168.1.1/24 and fd00::1/64 on eth0 (2), with its tunnel devices (10, 11, 12).
private func context(tunnels: [TunnelDevice: UInt32] = [.ipip: 10, .vxlan: 11, .vxlanV6: 12]) throws
    -> ForwardingContext
{
    let own = [try #require(CIDRAddress("192.168.1.1/24")), try #require(CIDRAddress("fd00::1/64"))]
    return ForwardingContext(
        nodeAddresses: own, links: [.init(index: 2, name: "eth0", isUp: true, addresses: own)], routes: [],
        tunnels: tunnels)
}

private func remote(_ nextHop: String, _ endpoint: TunnelEndpoint? = nil) throws -> RemoteNode {
    RemoteNode(try #require(IPAddress(nextHop)), endpoint: endpoint)
}

private func vxlan(inner: String?, egress: String? = nil) -> TunnelEndpoint {
    TunnelEndpoint(
        .vxlan, egress: egress.flatMap { IPAddress($0) }, innerAddress: inner.flatMap { IPAddress($0) },
        macAddress: mac, vni: 4096, port: 4789)
}

private func text(_ answer: ForwardingAnswer) -> String {
    switch answer {
    case .ready(let forwarding): forwarding.description
    case .notYet(_, let reason): "not yet: \(reason)"
    }
}

@Suite("The tunnel modes")
struct TunnelModeTests {
    private let block = IPPrefix("10.244.1.0/26")
    private let block6 = IPPrefix("fd00:244::40/122")

    @Test("vxlan is a route on the device, a neighbour and a forwarding entry")
    func vxlanRoute() throws {
        let answer = VXLANMode().forwarding(
            to: try #require(block), via: try remote("192.168.2.3", vxlan(inner: "10.244.1.0")), in: try context())
        #expect(
            text(answer)
                == "10.244.1.0/26 via 10.244.1.0 dev if11 onlink proto 97; "
                + "10.244.1.0 dev if11 lladdr 66:f9:37:c3:7e:94 PERMANENT; "
                + "66:f9:37:c3:7e:94 dev if11 dst 192.168.2.3 self permanent")
    }

    @Test("vxlan over IPv6 has a device of its own, and the node's link-local address on it for gateway")
    func vxlanV6() throws {
        let answer = VXLANMode().forwarding(
            to: try #require(block6), via: try remote("fd00::2", vxlan(inner: "fd00:244::40")), in: try context())
        #expect(text(answer).hasPrefix("fd00:244::40/122 via fe80::64f9:37ff:fec3:7e94 dev if12 proto 97; "))
    }

    @Test("without an inner address the block's first address stands for it; a told end goes before the next hop")
    func withoutInner() throws {
        let answer = VXLANMode().forwarding(
            to: try #require(block), via: try remote("192.168.2.3", vxlan(inner: nil, egress: "192.168.2.9")),
            in: try context())
        #expect(text(answer).hasPrefix("10.244.1.0/26 via 10.244.1.0 dev if11 onlink"))
        #expect(text(answer).hasSuffix("dst 192.168.2.9 self permanent"))
    }

    @Test("ipip is a route by tunl0 to the node")
    func ipipRoute() throws {
        let answer = IPIPMode().forwarding(
            to: try #require(block), via: try remote("192.168.2.3", TunnelEndpoint(.ipip)), in: try context())
        #expect(text(answer) == "10.244.1.0/26 via 192.168.2.3 dev if10 onlink proto 97")
        #expect(IPIPMode().device(for: .ipv6) == nil)
    }

    @Test("a node that has announced no such tunnel, or a device that is missing, is not yet")
    func notYet() throws {
        let block = try #require(block)
        let ready = try remote("192.168.2.3", vxlan(inner: nil))
        #expect(
            VXLANMode().forwarding(to: block, via: try remote("192.168.2.3"), in: try context())
                == .notYet(.tunnelUntold, reason: "node 192.168.2.3 has not announced a vxlan tunnel"))
        #expect(
            IPIPMode().forwarding(to: block, via: ready, in: try context())
                == .notYet(.tunnelUntold, reason: "node 192.168.2.3 has not announced an ipip tunnel"))
        #expect(
            VXLANMode().forwarding(to: block, via: ready, in: try context(tunnels: [:]))
                == .notYet(.tunnelDown, reason: "vxlan.calico is not up"))
        #expect(
            IPIPMode().forwarding(to: block, via: ready, in: try context(tunnels: [:]))
                == .notYet(.tunnelDown, reason: "tunl0 is not up"))
    }

    @Test(
        "crosssubnet goes directly inside the own subnet and by tunnel beyond it",
        arguments: [
            ("192.168.1.2", "via 192.168.1.2 dev if2 proto 97"),
            ("192.168.1.254", "via 192.168.1.254 dev if2 proto 97"),
            ("192.168.2.3", "via 10.244.1.0 dev if11 onlink proto 97"),
        ])
    func crossSubnet(nextHop: String, expected: String) throws {
        let answer = CrossSubnetMode(inner: VXLANMode()).forwarding(
            to: try #require(block), via: try remote(nextHop, vxlan(inner: "10.244.1.0")), in: try context())
        #expect(text(answer).hasPrefix("10.244.1.0/26 \(expected)"))
    }

    @Test("a pool names the tunnel that crosssubnet is over")
    func crossSubnetPool() throws {
        let cidr = try #require(IPPrefix("10.244.0.0/16"))
        let ipip = IPPool(name: "p", cidr: cidr, ipipMode: .crossSubnet)
        let vxlan = IPPool(name: "p", cidr: cidr, vxlanMode: .crossSubnet)
        #expect(try ModeRegistry.builtIn.plugin(for: ipip).device(for: .ipv4) == .ipip)
        #expect(try ModeRegistry.builtIn.plugin(for: vxlan).device(for: .ipv4) == .vxlan)
        #expect(try ModeRegistry.builtIn.plugin(for: ipip).mode == .crosssubnet)
    }

    @Test("what the outer headers take from the MTU")
    func overhead() {
        #expect(TunnelDevice.allCases.map(\.overheadBytes) == [20, 50, 70])
        #expect(AddressFamily.allCases.map { VXLANMode().overheadBytes(over: $0) } == [50, 70])
        #expect(CrossSubnetMode(inner: IPIPMode()).overheadBytes(over: .ipv4) == 20)
    }
}
