import Testing

@testable import BFD

@Suite("BFD control packets")
struct BFDPacketTests {
    /// Version 1, Init, multiplier 3, both names, one second to send, 100 ms to receive, no echo.
    private static let wire: [UInt8] = [
        0x20, 0x80, 0x03, 0x18, 0x52, 0x1e, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x07,
        0x00, 0x0f, 0x42, 0x40, 0x00, 0x01, 0x86, 0xa0, 0x00, 0x00, 0x00, 0x00,
    ]

    @Test("a packet is read and written as it is on the wire")
    func bothWays() throws {
        var packet = BFDPacket()
        packet.state = .`init`
        packet.myDiscriminator = 0x521e_002b
        packet.yourDiscriminator = 7
        packet.desiredMinimumTransmit = 1_000_000
        packet.requiredMinimumReceive = 100_000
        #expect(BFDPacket(Self.wire) == packet)
        #expect(packet.bytes == Self.wire)
    }

    @Test("every flag and state has its place")
    func flags() throws {
        for state in BFDState.allCases {
            for bits in 0..<16 {
                var packet = BFDPacket()
                (packet.state, packet.myDiscriminator, packet.yourDiscriminator) = (state, 1, 2)
                packet.diagnostic = BFDDiagnostic(rawValue: UInt8(bits))
                (packet.isPoll, packet.isFinal) = (bits & 1 != 0, bits & 2 != 0)
                (packet.isControlPlaneIndependent, packet.isDemand) = (bits & 4 != 0, bits & 8 != 0)
                #expect(BFDPacket(packet.bytes) == packet)
            }
        }
    }

    @Test(
        "what is to be dropped is no packet (RFC 5880 §6.8.6)",
        arguments: [
            ("version 0", 0, UInt8(0x00)), ("version 2", 0, 0x40), ("multiplier 0", 2, 0), ("length 23", 3, 23),
            ("length 26", 3, 26), ("authentication", 1, 0x84), ("multipoint", 1, 0x81),
        ])
    func dropped(_ name: String, _ place: Int, _ octet: UInt8) {
        var bytes = Self.wire
        bytes[place] = octet
        #expect(BFDPacket(bytes) == nil)
    }

    @Test("a name of 0 is none, the receiver's may be 0 in Down and AdminDown alone, and a piece is no packet")
    func names() {
        var bytes = Self.wire
        bytes.replaceSubrange(8..<12, with: [0, 0, 0, 0])
        #expect(BFDPacket(bytes) == nil)
        bytes[1] = 0x40
        #expect(BFDPacket(bytes) != nil)
        bytes.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        #expect(BFDPacket(bytes) == nil)
        for count in 0..<BFDPacket.length { #expect(BFDPacket(Self.wire.prefix(count)) == nil) }
    }
}
