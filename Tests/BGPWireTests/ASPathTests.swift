import BGPWire
import NetTypes
import Testing

@Suite("AS_PATH")
struct ASPathTests {
    private let mixed = ASPath([
        .sequence([ASNumber(1), ASNumber(2)]), .set([ASNumber(3), ASNumber(4)]), .sequence([ASNumber(5)]),
    ])

    @Test("is as long as its sequences and one for each set")
    func length() {
        #expect(mixed.length == 4)
        #expect(ASPath().length == 0)
        #expect(ASPath().isEmpty)
    }

    @Test("knows its ends, its members and its text")
    func parts() {
        #expect(mixed.firstAS == ASNumber(1))
        #expect(mixed.originAS == ASNumber(5))
        #expect(ASPath([.set([ASNumber(1)])]).firstAS == nil)
        #expect(mixed.contains(ASNumber(4)))
        #expect(!mixed.contains(ASNumber(6)))
        #expect(ASPath(7, 7, 8).count(of: ASNumber(7)) == 2)
        #expect(mixed.description == "1 2 {3 4} 5")
    }

    @Test("is prepended to in its first sequence, or before a set")
    func prepend() {
        #expect(ASPath(2).prepending(ASNumber(1), count: 2) == ASPath(1, 1, 2))
        #expect(ASPath().prepending(ASNumber(1)) == ASPath(1))
        #expect(ASPath(2).prepending(ASNumber(1), count: 0) == ASPath(2))
        let set = ASPath([.set([ASNumber(2)])])
        #expect(set.prepending(ASNumber(1)) == ASPath([.sequence([ASNumber(1)]), .set([ASNumber(2)])]))
    }

    @Test("of more than 255 ASes crosses the wire in several segments", arguments: [255, 256, 600])
    func long(_ count: Int) throws {
        let path = ASPath(sequence: (1...UInt32(count)).map(ASNumber.init))
        let message = UpdateMessage(
            reachable: [try .of(["10.0.0.0/8"], via: "192.168.77.1")], attributes: PathAttributes(asPath: path))
        for context in [ibgp, ebgp, twoOctet] {
            let bytes = BGPMessage.update(message).encode(context)
            #expect(try decodeUpdate(bytes, context) == message)
        }
    }

    /// AS_PATH and AS4_PATH of a two-octet speaker, and what they stand for (RFC 6793 §4.2.3).
    @Test(
        "of a two-octet speaker is merged with AS4_PATH",
        arguments: [
            // 65010 AS_TRANS + 70000: the two-octet speaker has prepended itself.
            ("0202 fdf2 5ba0", "0201 00011170", ASPath(65010, 70000)),
            // As long: AS4_PATH stands for all.
            ("0201 5ba0", "0201 00011170", ASPath(70000)),
            // AS4_PATH is longer than AS_PATH: it is ignored.
            ("0201 fdf2", "0202 00011170 00011171", ASPath(65010)),
            // A set counts as one.
            (
                "0201 fdf2 0102 5ba0 5ba0", "0102 00011170 00011171",
                ASPath([.sequence([ASNumber(65010)]), .set([ASNumber(70000), ASNumber(70001)])])
            ),
        ])
    func merge(_ narrow: String, _ wide: String, _ expected: ASPath) throws {
        let message = try decodeUpdate(twoOctetUpdate(narrow, wide), twoOctet)
        #expect(message.malformed.isEmpty)
        #expect(message.attributes.asPath == expected)
    }

    @Test("A malformed AS4_PATH is discarded, AS_PATH stays")
    func malformedAS4() throws {
        let message = try decodeUpdate(twoOctetUpdate("0201 fdf2", "0202 00011170"), twoOctet)
        #expect(message.malformed.map(\.action) == [.attributeDiscard])
        #expect(message.attributes.asPath == ASPath(65010))
        #expect(message.reachable.count == 1)
    }

    @Test("AS4_AGGREGATOR counts where AGGREGATOR is AS_TRANS; AS4_PATH is ignored where it is not")
    func aggregator() throws {
        let wide = "c01208 00011170 0a090909"
        let trans = try decodeUpdate(
            twoOctetUpdate("0201 5ba0", "0201 00011170", "c00706 5ba0 0a090909" + wide), twoOctet)
        #expect(trans.attributes.aggregator?.asNumber == ASNumber(70000))
        #expect(trans.attributes.asPath == ASPath(70000))
        let narrow = try decodeUpdate(
            twoOctetUpdate("0201 5ba0", "0201 00011170", "c00706 fdf2 0a090909" + wide), twoOctet)
        #expect(narrow.attributes.aggregator?.asNumber == ASNumber(65010))
        #expect(narrow.attributes.asPath == ASPath(23456))
    }

    @Test("AS4_PATH between four-octet speakers is discarded")
    func misplaced() throws {
        let bytes = update(
            attributes: "40010100 4002060201 0000fdf2 400304c0a84d01 c011060201 00011170", nlri: "080a")
        let message = try decodeUpdate(bytes, ebgp)
        #expect(message.malformed.map(\.type) == [17])
        #expect(message.attributes.asPath == ASPath(65010))
    }

    private func twoOctetUpdate(_ narrow: String, _ wide: String, _ more: String = "") -> [UInt8] {
        func value(_ type: String, _ digits: String) -> String {
            let count = String(hex(digits).count, radix: 16)
            return type + (count.count == 1 ? "0" : "") + count + digits
        }
        return update(
            attributes: "40010100" + value("4002", narrow) + "400304c0a84d01" + value("c011", wide) + more,
            nlri: "080a")
    }
}
