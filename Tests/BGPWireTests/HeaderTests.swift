import BGPWire
import NetTypes
import Testing

@Suite("The header and the stream of messages")
struct HeaderTests {
    /// A header that ends the session, and the NOTIFICATION for it.
    struct Bad: Sendable {
        let length: UInt16
        let type: UInt8
        let subcode: UInt8
        let data: [UInt8]
        var marker: UInt8 = 0xff
        var maximum = 4096
    }

    @Test(
        "end the session where RFC 4271 §6.1 says so",
        arguments: [
            Bad(length: 19, type: 4, subcode: 1, data: [], marker: 0xfe),
            Bad(length: 18, type: 4, subcode: 2, data: [0, 18]),
            Bad(length: 0, type: 4, subcode: 2, data: [0, 0]),
            Bad(length: 4097, type: 2, subcode: 2, data: [0x10, 0x01]),
            Bad(length: 20, type: 4, subcode: 2, data: [0, 20]),
            Bad(length: 28, type: 1, subcode: 2, data: [0, 28]),
            Bad(length: 4097, type: 1, subcode: 2, data: [0x10, 0x01], maximum: 65535),
            Bad(length: 22, type: 2, subcode: 2, data: [0, 22]),
            Bad(length: 20, type: 3, subcode: 2, data: [0, 20]),
            Bad(length: 22, type: 5, subcode: 2, data: [0, 22]),
            Bad(length: 19, type: 0, subcode: 3, data: [0]),
            Bad(length: 19, type: 6, subcode: 3, data: [6]),
        ])
    func bad(_ bad: Bad) throws {
        let bytes =
            [UInt8](repeating: bad.marker, count: 16) + [UInt8(bad.length >> 8), UInt8(bad.length & 0xff), bad.type]
        var decoder = MessageDecoder()
        #expect(decoder.push(bytes) == bytes.count)
        let error = try #require(throws: BGPError.self) {
            _ = try decoder.nextFrame(maximumMessageLength: bad.maximum)
        }
        #expect(error.notification == NotificationMessage(code: 1, subcode: bad.subcode, data: bad.data))
        #expect(!error.reason.isEmpty)
    }

    @Test("A frame of 65535 octets passes once extended messages are agreed")
    func extended() throws {
        let prefixes = (0..<4000).map { IPAddress.v4(IPv4Address(rawValue: 0x0a00_0000 + $0)).hostPrefix }
        var context = ibgp
        context.maximumMessageLength = WireContext.extendedMaximum
        let frames = UpdateEncoder(context).withdraw(prefixes, family: .ipv4Unicast)
        #expect(frames.map(\.count) == [23 + 4000 * 5])
        #expect(try decodeUpdate(frames[0], context).unreachable.first?.prefixes == prefixes)
        #expect(try sessionError(frames[0], ibgp).notification.subcode == 2)
    }

    @Test("Frames come out whole however the bytes come in", arguments: [1, 2, 7, 18, 19, 20, 64, 4096])
    func chunks(_ size: Int) throws {
        let names = ["ibgp-open", "ibgp-keepalive", "ibgp-communities", "ibgp-ipv6", "end-of-rib-ipv4"]
        let frames = try names.map { try Captures.frame($0, of: "bird") }
        let stream = Array(frames.joined())
        var decoder = MessageDecoder()
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            let chunk = stream[start..<min(start + size, stream.count)]
            #expect(decoder.push(chunk) == chunk.count)
            while let frame = try decoder.nextFrame(maximumMessageLength: 4096) { found.append(Array(frame)) }
            #expect(decoder.bufferedCount < 4096)
        }
        #expect(found == frames)
        #expect(decoder.bufferedCount == 0)
    }

    @Test("The stream gives messages, and nil between them")
    func messages() throws {
        var decoder = MessageDecoder()
        #expect(try decoder.nextMessage(ibgp) == nil)
        #expect(decoder.push(BGPMessage.keepalive.encode(ibgp) + [0xff]) == 20)
        #expect(try decoder.nextMessage(ibgp) == .keepalive)
        #expect(try decoder.nextMessage(ibgp) == nil)
        #expect(decoder.bufferedCount == 1)
    }

    @Test("The buffer takes no more than its limit, and more once frames are taken off")
    func bounded() throws {
        var decoder = MessageDecoder(bufferLimit: 100_000)
        let keepalive = BGPMessage.keepalive.encode(ibgp)
        let stream = [UInt8]((0..<6000).flatMap { _ in keepalive })
        #expect(decoder.push(stream) == 100_000)
        #expect(decoder.push(stream) == 0)
        var count = 0
        while try decoder.nextMessage(ibgp) != nil { count += 1 }
        #expect(count == 100_000 / 19)
        #expect(decoder.push(stream[100_000...]) == stream.count - 100_000)
        while try decoder.nextMessage(ibgp) != nil { count += 1 }
        #expect(count == 6000)
    }

    @Test("A frame whose length is not the header's is refused")
    func mismatch() throws {
        let keepalive = BGPMessage.keepalive.encode(ibgp)
        let expected = NotificationMessage(code: 1, subcode: 2, data: [0, 19])
        #expect(try sessionError(keepalive + [0], ibgp).notification == expected)
        #expect(try sessionError(Array(keepalive.dropLast()), ibgp).notification.subcode == 2)
        #expect(try sessionError([], ibgp).notification.subcode == 2)
    }

    @Test("Subtypes of ROUTE-REFRESH", arguments: [(0, 0), (1, 0), (2, 0), (3, 0), (0, 5), (7, 5)])
    func routeRefresh(_ subtype: UInt8, _ surplus: Int) throws {
        let filters = String(repeating: "00", count: surplus)
        let digits = "0\(subtype)"
        let message = try BGPMessage.decode(frame(5, "0002 \(digits) 01 \(filters)"), context: ibgp)
        let kinds: [UInt8: RouteRefreshMessage.Subtype] = [0: .request, 1: .begin, 2: .end]
        let expected = RouteRefreshMessage(family: .ipv6Unicast, subtype: kinds[subtype] ?? .unknown(subtype))
        #expect(message == .routeRefresh(expected))
        #expect(message.encode(ibgp) == frame(5, "0002 \(digits) 01"))
    }

    @Test("A BoRR or EoRR of another length is a ROUTE-REFRESH Message Error", arguments: ["01", "02"])
    func routeRefreshLength(_ subtype: String) throws {
        let bytes = frame(5, "0001 \(subtype) 01 00")
        let expected = NotificationMessage(code: 7, subcode: 1, data: bytes)
        #expect(try sessionError(bytes, ibgp).notification == expected)
    }
}
