import BGPWire
import NetTypes
import Testing

@Suite("The tunnel encapsulation attribute")
struct TunnelEncapsulationTests {
    private static let vxlan =
        "0008 0028 010c c0001000 66f937c37e94 0000 060a 00000000 0001 c0a80102"
        + " 0802 12b5 7e08 41505553 0af40100"

    @Test("A VXLAN tunnel reads as what it was made of, and its bytes are those of the RFC")
    func vxlan() throws {
        let mac = try #require(MACAddress("66:f9:37:c3:7e:94"))
        let tunnel = TunnelEncapsulation.Tunnel(
            type: TunnelType.vxlan, egressEndpoint: try #require(IPAddress("192.168.1.2")),
            vxlan: .init(vni: 4096, mac: mac), udpDestinationPort: 4789,
            innerAddress: IPAddress("10.244.1.0"))
        let value = TunnelEncapsulation(tunnels: [tunnel])
        #expect(value.bytes == hex(Self.vxlan))
        let read = try #require(TunnelEncapsulation(parsing: hex(Self.vxlan)))
        #expect(read == value)
        #expect(read.tunnels[0].vxlan == .init(vni: 4096, mac: mac))
        #expect(read.tunnels[0].egressEndpoint == IPAddress("192.168.1.2"))
        #expect(read.tunnels[0].udpDestinationPort == 4789)
        #expect(read.tunnels[0].innerAddress == IPAddress("10.244.1.0"))
    }

    @Test(
        "What is malformed or not there reads as absent",
        arguments: [
            "0008 000e 010c 40001000 66f937c37e94 0000", "0007 000c 060a 00000000 0002 0a000001",
            "0007 0008 0606 00000000 0000", "0008 0004 0802 0000", "0007 0009 7e07 41505554 0a0000",
            "0008 0004 0102 0000", "0007 0000",
        ])
    func absent(_ text: String) throws {
        let tunnel = try #require(TunnelEncapsulation(parsing: hex(text))?.tunnels.first)
        #expect(tunnel.vxlan?.vni == nil)
        #expect(tunnel.egressEndpoint == nil)
        #expect(tunnel.innerAddress == nil)
        #expect(TunnelEncapsulation(tunnels: [tunnel]).bytes == hex(text))
    }

    @Test("Sub-TLVs from 128 on have a length of two octets")
    func long() throws {
        let text = "0007 0006 8500 03 010203"
        let value = try #require(TunnelEncapsulation(parsing: hex(text)))
        #expect(value.tunnels[0].subTLVs == [.init(type: 0x85, value: [1, 2, 3])])
        #expect(value.bytes == hex(text))
    }

    @Test("A cut anywhere but between tunnels is malformed")
    func truncation() {
        let bytes = hex(Self.vxlan)
        for count in 1..<bytes.count { #expect(TunnelEncapsulation(parsing: bytes[..<count]) == nil) }
    }

    @Test("An UPDATE carries it as it came, the Partial bit included", arguments: ["c0", "e0"])
    func passedOn(_ flags: String) throws {
        let attributes = "400101 00 4002 00 400304 c0a80102 400504 00000064 \(flags)17 2c \(Self.vxlan)"
        let message = try decodeUpdate(update(attributes: attributes, nlri: "18 0af401"), ibgp)
        #expect(message.malformed.isEmpty)
        #expect(message.attributes.unknown.map(\.value) == [hex(Self.vxlan)])
        #expect(BGPMessage.update(message).encode(ibgp) == update(attributes: attributes, nlri: "18 0af401"))
    }
}
