import BGPWire
import NetTypes
import Testing

/// The attributes that a good route needs, in hexadecimal digits.
private let origin = "40010100"
private let path = "4002060201 0000fdf2"
private let nextHop = "400304 c0a84d01"
private let good = origin + path + nextHop
private let nlri = "18 0af401"
private let seventeen = String(repeating: "20", count: 17)

/// A list of attributes and the one error that is in it.
struct Flaw: Sendable, CustomTestStringConvertible {
    let name: String
    let attributes: String
    let type: UInt8?
    let action: ErrorAction
    let subcode: UInt8
    var context = ibgp

    init(
        _ name: String, _ attributes: String, _ type: UInt8?, _ action: ErrorAction, _ subcode: UInt8,
        _ context: WireContext = ibgp
    ) {
        (self.name, self.attributes, self.type) = (name, attributes, type)
        (self.action, self.subcode, self.context) = (action, subcode, context)
    }

    var testDescription: String { name }
}

@Suite("Errors in path attributes")
struct AttributeErrorTests {
    @Test(
        "are handled as RFC 7606 says, and the session lives",
        arguments: [
            Flaw("ORIGIN of two octets", "4001020000" + path + nextHop, 1, .treatAsWithdraw, 5),
            Flaw("ORIGIN 3", "40010103" + path + nextHop, 1, .treatAsWithdraw, 6),
            Flaw("no ORIGIN", path + nextHop, 1, .treatAsWithdraw, 3),
            Flaw("ORIGIN with the optional bit", "c0010100" + path + nextHop, 1, .treatAsWithdraw, 4),
            Flaw("no AS_PATH", origin + nextHop, 2, .treatAsWithdraw, 3),
            Flaw("segment type 5", origin + "4002060501 0000fdf2" + nextHop, 2, .treatAsWithdraw, 11),
            Flaw("confederation segment", origin + "4002060301 0000fdf2" + nextHop, 2, .treatAsWithdraw, 11),
            Flaw("empty segment", origin + "4002020200" + nextHop, 2, .treatAsWithdraw, 11),
            Flaw("segment overrun", origin + "4002060202 0000fdf2" + nextHop, 2, .treatAsWithdraw, 11),
            Flaw("segment underrun", origin + "4002070201 0000fdf2 02" + nextHop, 2, .treatAsWithdraw, 11),
            Flaw("AS 0 in AS_PATH", origin + "4002060201 00000000" + nextHop, 2, .treatAsWithdraw, 11),
            Flaw("no NEXT_HOP", origin + path, 3, .treatAsWithdraw, 3),
            Flaw("NEXT_HOP of three octets", origin + path + "400303 c0a84d", 3, .treatAsWithdraw, 5),
            Flaw("NEXT_HOP 0.0.0.0", origin + path + "400304 00000000", 3, .treatAsWithdraw, 8),
            Flaw("NEXT_HOP 224.0.0.1", origin + path + "400304 e0000001", 3, .treatAsWithdraw, 8),
            Flaw("NEXT_HOP 127.0.0.1", origin + path + "400304 7f000001", 3, .treatAsWithdraw, 8),
            Flaw("MULTI_EXIT_DISC of three octets", good + "800403 000001", 4, .treatAsWithdraw, 5),
            Flaw("LOCAL_PREF of three octets", good + "400503 000001", 5, .treatAsWithdraw, 5),
            Flaw("LOCAL_PREF, external", good + "400504 00000064", 5, .attributeDiscard, 9, ebgp),
            Flaw("LOCAL_PREF of three octets, external", good + "400503 000001", 5, .attributeDiscard, 9, ebgp),
            Flaw("ATOMIC_AGGREGATE of one octet", good + "400601 00", 6, .attributeDiscard, 5),
            Flaw("AGGREGATOR of two-octet width", good + "c00706 fdf2 0a090909", 7, .attributeDiscard, 5),
            Flaw("AGGREGATOR of AS 0", good + "c00708 00000000 0a090909", 7, .attributeDiscard, 9),
            Flaw("COMMUNITIES of six octets", good + "c00806 000100020003", 8, .treatAsWithdraw, 5),
            Flaw("COMMUNITIES of no octets", good + "c00800", 8, .treatAsWithdraw, 5),
            Flaw("COMMUNITIES without the transitive bit", good + "800804 00010002", 8, .treatAsWithdraw, 4),
            Flaw("ORIGINATOR_ID of three octets", good + "800903 0a0000", 9, .treatAsWithdraw, 5),
            Flaw("ORIGINATOR_ID 0.0.0.0", good + "800904 00000000", 9, .treatAsWithdraw, 9),
            Flaw("ORIGINATOR_ID, external", good + "800904 0a000001", 9, .attributeDiscard, 9, ebgp),
            Flaw("CLUSTER_LIST of five octets", good + "800a05 0a00000100", 10, .treatAsWithdraw, 5),
            Flaw("CLUSTER_LIST, external", good + "800a05 0a00000100", 10, .attributeDiscard, 9, ebgp),
            Flaw("extended communities of nine octets", good + "c01009 000000000000000000", 16, .treatAsWithdraw, 5),
            Flaw("large communities of eight octets", good + "c02008 0000000000000000", 32, .treatAsWithdraw, 5),
            Flaw("an attribute that is longer than the list", good + "c02009 00", nil, .treatAsWithdraw, 1),
            Flaw("two octets of an attribute", good + "c020", nil, .treatAsWithdraw, 1),
            Flaw("three octets of an extended attribute", good + "d02000", nil, .treatAsWithdraw, 1),
            Flaw("unknown and well-known", good + "406401 00", 100, .treatAsWithdraw, 2),
            Flaw("ORIGIN twice", good + "40010102", 1, .attributeDiscard, 1),
            Flaw("unknown attribute twice", good + "c06400" + "c06401 00", 100, .attributeDiscard, 1),
        ])
    func flaw(_ flaw: Flaw) throws {
        let message = try decodeUpdate(update(attributes: flaw.attributes, nlri: nlri), flaw.context)
        #expect(message.malformed.map(\.type) == [flaw.type])
        #expect(message.malformed.map(\.action) == [flaw.action])
        #expect(message.malformed.map(\.subcode) == [flaw.subcode])
        let isWithdrawn = flaw.action == .treatAsWithdraw
        #expect(message.unreachable == (isWithdrawn ? [try .of(["10.244.1.0/24"])] : []))
        #expect(message.reachable == (isWithdrawn ? [] : [try .of(["10.244.1.0/24"], via: "192.168.77.1")]))
        #expect(message.endOfRIB == nil)
        if !isWithdrawn {
            #expect(message.attributes.origin == .igp)
            #expect(message.attributes.localPref == nil)
            #expect(message.attributes.originatorID == nil)
            #expect(message.attributes.clusterList.isEmpty)
        }
    }

    @Test("Every error is told, the strongest decides")
    func several() throws {
        let message = try decodeUpdate(
            update(attributes: "40010109" + path + nextHop + "400601 00", nlri: nlri), ibgp)
        #expect(message.malformed.map(\.action) == [.treatAsWithdraw, .attributeDiscard])
        #expect(message.reachable.isEmpty)
        #expect(message.malformed[0].description == "attribute 1 (ORIGIN): value 9; treat-as-withdraw")
    }

    @Test(
        "end the session where the prefixes cannot be trusted",
        arguments: [
            ("the withdrawn length is a lie", frame(2, "0005 0000"), UInt8(1)),
            ("the attributes' length is a lie", frame(2, "0000 0009 400101"), 1),
            ("a prefix of 33 bits", update(attributes: good, nlri: "21 0a00000000"), 10),
            ("a prefix beyond the end", update(attributes: good, nlri: "18 0a00"), 10),
            ("a withdrawn prefix of 33 bits", update(withdrawn: "21 0a00000000", attributes: ""), 10),
            ("an error and no prefix", update(attributes: "40010109" + path), 6),
            ("a broken list and no prefix", update(attributes: origin + "c020"), 1),
            ("an empty MP_REACH_NLRI", update(attributes: good + "800e00", nlri: nlri), 9),
            ("a next hop of 15 octets", update(attributes: "800e14 000201 0f" + String(repeating: "20", count: 16)), 9),
            ("an IPv4 next hop for IPv6", update(attributes: "800e09 000201 04 c0a84d01 00"), 9),
            ("a next hop beyond the end", update(attributes: "800e06 000201 10 2001"), 9),
            ("an IPv6 prefix of 129 bits", update(attributes: "800f15 000201 81" + seventeen), 9),
            ("an empty MP_UNREACH_NLRI", update(attributes: "800f00"), 9),
            ("MP_UNREACH_NLRI twice", update(attributes: "800f03 000201 800f03 000201"), 1),
        ])
    func reset(_ name: String, _ bytes: [UInt8], _ subcode: UInt8) throws {
        let error = try sessionError(bytes, ibgp)
        #expect(error.notification.code == 3)
        #expect(error.notification.subcode == subcode)
    }

    @Test("The NOTIFICATION for a broken multiprotocol attribute carries the attribute")
    func notificationData() throws {
        let error = try sessionError(update(attributes: good + "800f02 0002"), ibgp)
        #expect(error.notification == NotificationMessage(code: 3, subcode: 9, data: hex("800f02 0002")))
    }

    @Test("An optional transitive attribute that is not known is kept and marked; another optional one is dropped")
    func unknown() throws {
        let message = try decodeUpdate(
            update(attributes: good + "c0c801 02" + "806401 00", nlri: nlri), ebgp)
        #expect(message.malformed.isEmpty)
        let marked: AttributeFlags = [.optional, .transitive, .partial]
        #expect(message.attributes.unknown == [RawAttribute(flags: marked, type: 200, value: [2])])
    }
}

@Suite("MP_REACH_NLRI and MP_UNREACH_NLRI")
struct MultiprotocolTests {
    private static let global = "fd000077000000000000000000000001"
    private static let link = "fe800000000000000000000000000001"
    private static let zero = "00000000000000000000000000000000"
    private static let prefix = "10 2001"

    @Test(
        "The next hops of RFC 2545 §3, and what is sent in their place",
        arguments: [
            ("10" + global, "fd00:77::1", nil),
            ("20" + global + link, "fd00:77::1", "fe80::1"),
            ("20" + global + global, "fd00:77::1", nil),
            ("20" + link + link, "fe80::1", nil),
            ("20" + zero + link, "fe80::1", nil),
            ("10" + link, "fe80::1", nil),
        ] as [(String, String, String?)])
    func nextHops(_ field: String, _ address: String, _ linkLocal: String?) throws {
        let message = try decodeUpdate(bytes(nextHop: field), ibgp)
        #expect(message.malformed.isEmpty)
        #expect(message.reachable.map(\.nextHop) == [try NextHop.of(address, linkLocal: linkLocal)])
        #expect(try decodeUpdate(BGPMessage.update(message).encode(ibgp), ibgp) == message)
    }

    @Test("A next hop that is no host takes its routes back", arguments: ["10" + zero, "10ff" + zero.dropLast(2)])
    func noHost(_ field: String) throws {
        let message = try decodeUpdate(bytes(nextHop: field), ibgp)
        #expect(message.malformed.map(\.action) == [.treatAsWithdraw])
        #expect(message.unreachable == [try .of(["2001::/16"])])
        #expect(message.reachable.isEmpty)
    }

    @Test("NEXT_HOP beside MP_REACH_NLRI alone is ignored, however bad (RFC 4760 §3)")
    func strayNextHop() throws {
        let message = try decodeUpdate(bytes(nextHop: "10" + Self.global, more: "400304 00000000"), ibgp)
        #expect(message.malformed.isEmpty)
        #expect(message.reachable.count == 1)
    }

    @Test("Flags that are wrong take the routes back, because the prefixes are still there to read")
    func flags() throws {
        let value = "000201 10" + Self.global + "00" + Self.prefix
        let message = try decodeUpdate(update(attributes: origin + path + "c00e18" + value), ibgp)
        #expect(message.malformed.map(\.subcode) == [4])
        #expect(message.unreachable == [try .of(["2001::/16"])])
    }

    @Test("A family that is not carried is passed over, and the rest stands")
    func foreign() throws {
        // AFI 25, SAFI 70 is EVPN.
        let message = try decodeUpdate(
            update(attributes: good + "800e0a 001946 04 c0a84d01 00 aa", nlri: nlri), ibgp)
        #expect(message.malformed.map(\.action) == [.afiSafiDisable])
        #expect(message.reachable == [try .of(["10.244.1.0/24"], via: "192.168.77.1")])
        let end = try decodeUpdate(update(attributes: "800f03 001946"), ibgp)
        #expect(end.endOfRIB == AFISAFI(afi: 25, safi: 70))
    }

    @Test("IPv4 in MP_REACH_NLRI is the same as IPv4 beside it")
    func ipv4() throws {
        let inside = try decodeUpdate(
            update(attributes: origin + path + "800e0d 000101 04 c0a84d01 00" + nlri), ibgp)
        let beside = try decodeUpdate(update(attributes: good, nlri: nlri), ibgp)
        #expect(inside == beside)
    }

    @Test("One message withdraws and announces in both families")
    func all() throws {
        let value = "000201 10" + Self.global + "00" + Self.prefix
        let message = try decodeUpdate(
            update(
                withdrawn: "08 0b", attributes: good + "800e18" + value + "800f06 000201 10 2002", nlri: nlri), ibgp)
        #expect(message.unreachable == [try .of(["11.0.0.0/8"]), try .of(["2002::/16"])])
        #expect(
            message.reachable == [
                try .of(["10.244.1.0/24"], via: "192.168.77.1"), try .of(["2001::/16"], via: "fd00:77::1"),
            ])
        #expect(message.attributes == PathAttributes(asPath: ASPath(65010)))
    }

    @Test("Attributes without prefixes are no End-of-RIB")
    func noEnd() throws {
        let message = try decodeUpdate(update(attributes: good), ibgp)
        #expect(message.endOfRIB == nil)
        #expect(message == UpdateMessage())
    }

    @Test("Bits beyond a prefix's length are of no account")
    func hostBits() throws {
        let message = try decodeUpdate(update(attributes: good, nlri: "19 0af401ff"), ibgp)
        #expect(message.reachable == [try .of(["10.244.1.128/25"], via: "192.168.77.1")])
    }

    private func bytes(nextHop: String, more: String = "") -> [UInt8] {
        let value = "000201" + nextHop + "00" + Self.prefix
        let count = String(hex(value).count, radix: 16)
        return update(attributes: origin + path + "800e" + count + value + more)
    }
}
