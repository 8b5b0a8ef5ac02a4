import ModePlugins
import NetTypes
import Resources
import Testing

/// A mode that costs bytes, to test what the registry makes of it.
private struct HeavyMode: ModePlugin {
    let mode: EncapsulationMode
    let bytes: UInt32
    func device(for family: AddressFamily) -> TunnelDevice? { .ipip }
    func overheadBytes(over family: AddressFamily) -> UInt32 { family == .ipv4 ? bytes : bytes + 20 }
    func announcement(of block: IPPrefix, from nodeAddresses: [CIDRAddress]) -> Announcement {
        .withheld(reason: "a test")
    }
    func forwarding(to block: IPPrefix, via remote: RemoteNode, in context: ForwardingContext) -> ForwardingAnswer {
        .notYet(.other, reason: "a test")
    }
}

@Suite("The registry of modes")
struct ModeRegistryTests {
    @Test("the shipped registry has every mode; a mode without a row is refused by name")
    func builtIn() throws {
        for mode in EncapsulationMode.allCases {
            #expect(try ModeRegistry.builtIn.plugin(for: mode).mode == mode)
        }
        let error = #expect(throws: ModeError.self) { try ModeRegistry([BGPMode()]).plugin(for: .vxlan) }
        #expect(error?.description == "mode vxlan is not available in this version; available: bgp")
    }

    @Test(
        "a pod's MTU is the host's less the largest overhead of the enabled modes",
        arguments: [
            ([EncapsulationMode.bgp], AddressFamily.ipv4, UInt32(1500)), ([], .ipv4, 1500),
            ([.bgp, .ipip], .ipv4, 1480),
            ([.ipip, .vxlan], .ipv4, 1450), ([.ipip, .vxlan], .ipv6, 1430), ([.crosssubnet], .ipv4, 1500),
        ])
    func podMTU(enabled: [EncapsulationMode], family: AddressFamily, expected: UInt32) {
        let registry = ModeRegistry([
            BGPMode(), HeavyMode(mode: .ipip, bytes: 20), HeavyMode(mode: .vxlan, bytes: 50),
        ])
        #expect(registry.podMTUBytes(hostMTUBytes: 1500, enabled: enabled, over: family) == expected)
    }

    @Test("an overhead that eats the whole MTU is not subtracted below zero")
    func tinyMTU() {
        let registry = ModeRegistry([HeavyMode(mode: .vxlan, bytes: 50)])
        #expect(registry.podMTUBytes(hostMTUBytes: 40, enabled: [.vxlan]) == 40)
    }

    @Test(
        "the two fields of a pool come to one mode",
        arguments: [
            (IPPool.TunnelUse.never, IPPool.TunnelUse.never, EncapsulationMode.bgp), (.always, .never, .ipip),
            (.never, .always, .vxlan), (.crossSubnet, .never, .crosssubnet), (.never, .crossSubnet, .crosssubnet),
        ])
    func poolMode(ipip: IPPool.TunnelUse, vxlan: IPPool.TunnelUse, expected: EncapsulationMode) throws {
        let cidr = try #require(IPPrefix("10.244.0.0/16"))
        #expect(IPPool(name: "p", cidr: cidr, ipipMode: ipip, vxlanMode: vxlan).mode == expected)
    }

    @Test(
        "the blackhole of an own block, and none for a block of one address",
        arguments: [
            ("10.244.0.0/26", "blackhole 10.244.0.0/26 proto 97"), ("10.244.0.1/32", nil),
            ("fd00::/122", "blackhole fd00::/122 proto 97"), ("fd00::1/128", nil),
        ])
    func blackhole(block: String, expected: String?) throws {
        #expect(blackholeRoute(for: try #require(IPPrefix(block)))?.description == expected)
    }
}
