import BGPWire
import NetTypes
import Testing

@Suite("The tunnel of a route")
struct TunnelEndpointTests {
    /// Written by hand from RFC 9012 §2, §3.1, §3.2.1 and §3.3.1.
    static let vectors: [(octets: String, endpoint: TunnelEndpoint)] = [
        (
            "0008 0028 010c c0001000 66f937c37e94 0000 060a 00000000 0001 c0a80102 0802 12b5 7e08 41505553 0af40100",
            TunnelEndpoint(
                .vxlan, egress: IPAddress("192.168.1.2"), innerAddress: IPAddress("10.244.1.0"),
                macAddress: MACAddress("66:f9:37:c3:7e:94"), vni: 4096, port: 4789)
        ),
        ("0007 000c 060a 00000000 0001 c0a80102", TunnelEndpoint(.ipip, egress: IPAddress("192.168.1.2"))),
        (
            "0008 0018 0616 00000000 0002 fd000000000000000000000000000002",
            TunnelEndpoint(.vxlan, egress: IPAddress("fd00::2"))
        ),
    ]

    @Test("it is told by the attribute and by the community, and read from either", arguments: vectors)
    func bothWays(octets: String, endpoint: TunnelEndpoint) {
        var attributes = PathAttributes()
        #expect(attributes.tunnelEndpoint == nil)
        attributes.setTunnelEndpoint(endpoint)
        #expect(attributes.unknown.map(\.value) == [hex(octets)])
        #expect(attributes.tunnelEndpoint == endpoint)
        attributes.setTunnelEndpoint(endpoint)
        #expect(attributes.unknown.count == 1 && attributes.extendedCommunities.count == 1)
        attributes.unknown = []
        #expect(attributes.tunnelEndpoint == TunnelEndpoint(endpoint.encapsulation))
    }

    @Test("a tunnel of another type is passed over")
    func otherType() {
        let other = RawAttribute(
            flags: [.optional, .transitive], type: 23, value: hex("0002 0000") + hex(Self.vectors[1].octets))
        #expect(PathAttributes(unknown: [other]).tunnelEndpoint == Self.vectors[1].endpoint)
    }

    @Test("the community is RFC 9012's")
    func community() {
        #expect(ExtendedCommunity(.vxlan).description == "0x030c000000000008")
        #expect(ExtendedCommunity(.ipip).encapsulation == .ipip)
        #expect(ExtendedCommunity(rawValue: 0x030c_0000_0000_0002).encapsulation == nil)
        #expect(ExtendedCommunity(rawValue: 0x0002_fc00_0000_0008).encapsulation == nil)
    }

    @Test("a node's link-layer address is the one that Calico derives")
    func derivedMAC() {
        #expect(MACAddress.vtep(ofNode: "node1", over: .ipv4).description == "66:f9:37:c3:7e:94")
        #expect(MACAddress.vtep(ofNode: "node1", over: .ipv6).description == "66:0f:35:f2:60:df")
        #expect(MACAddress.vtep(ofNode: "k8s-node01", over: .ipv4).description == "66:00:91:ce:05:d5")
    }
}
