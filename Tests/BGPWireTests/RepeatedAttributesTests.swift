import BGPWire
import NetTypes
import Testing

@Suite("Attributes that come again")
struct RepeatedAttributesTests {
    private static let good = "400101 00 4002 00 400304 0a000009 400504 00000064"
    private static let other = "400101 02 4002 00 400304 0a00000a 400504 00000064"
    private static let nlri = "18 0af401"
    /// ORIGIN 9 is none: the routes are withdrawn.
    private static let wrong = "400101 09 4002 00 400304 0a000009 400504 00000064"
    private static let reach = "800e 0d 000101 04 0a000009 00 18 0af403 400101 00 4002 00 400504 00000064"
    private static let unreach = "800f 07 000101 18 0af404 400101 00 4002 00 400304 0a000009 400504 00000064"

    @Test("A connection's messages are read as each of them alone is, whatever came before")
    func reading() throws {
        let bodies: [(attributes: String, nlri: String)] = [
            (Self.good, Self.nlri), (Self.good, "18 0af402"), (Self.other, Self.nlri), (Self.good, Self.nlri), ("", ""),
            (Self.good, Self.nlri), (Self.wrong, Self.nlri), (Self.wrong, "18 0af402"), (Self.good, "18 0af402"),
            (Self.reach, ""), (Self.reach, Self.nlri), (Self.unreach, Self.nlri), (Self.unreach, "18 0af402"),
            ("400101 00 4002 00 400504 00000064", Self.nlri), ("400101 00 4002 00 400504 00000064", "18 0af402"),
            (Self.good, Self.nlri),
        ]
        var decoder = MessageDecoder()
        for (place, body) in bodies.enumerated() {
            let withdrawn = place % 3 == 0 ? "18 0af407" : ""
            let bytes = update(withdrawn: withdrawn, attributes: body.attributes, nlri: body.nlri)
            let alone = try decodeUpdate(bytes, ibgp)
            #expect(decoder.push(bytes) == bytes.count)
            #expect(try decoder.nextMessage(ibgp) == .update(alone), "message \(place)")
        }
    }

    @Test("The same octets are read anew when the session is another")
    func context() throws {
        let bytes = update(attributes: Self.good, nlri: Self.nlri)
        var decoder = MessageDecoder()
        for context in [ibgp, ebgp, ibgp] {
            #expect(decoder.push(bytes) == bytes.count)
            #expect(try decoder.nextMessage(context) == .update(try decodeUpdate(bytes, context)))
        }
    }

    @Test("An encoder writes attributes as one that has written none does")
    func writing() throws {
        let prefixes = [try IPPrefix.of("10.244.1.0/24"), try IPPrefix.of("10.244.2.0/24")]
        let hops = [try #require(IPAddress("10.0.0.9")), try #require(IPAddress("10.0.0.10"))].map { NextHop($0) }
        let sets = [PathAttributes(localPref: 100), PathAttributes(med: 7, localPref: 100)]
        var encoder = UpdateEncoder(ibgp)
        for (set, hop) in [(0, 0), (0, 0), (0, 1), (0, 1), (1, 1), (1, 0), (0, 0)] {
            var bytes: [UInt8] = []
            try encoder.announce(
                prefixes, family: .ipv4Unicast, nextHop: hops[hop], attributes: sets[set], into: &bytes)
            let alone = try UpdateEncoder(ibgp).announce(
                prefixes, family: .ipv4Unicast, nextHop: hops[hop], attributes: sets[set])
            #expect(bytes == Array(alone.joined()), "set \(set), next hop \(hop)")
        }
    }
}
