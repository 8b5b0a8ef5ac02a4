import IPAMCore
import NetTypes
import Testing

@Suite struct RecordTests {
    private let key: JSONValue = ["network": "n", "containerID": "c", "ifName": "eth0"]

    private func block(_ change: (inout JSONObject) -> Void) -> JSONValue {
        var object: JSONObject = [
            "v": 1, "cidr": "10.0.0.0/30", "bootID": "b", "free": [2, 3], "allocated": ["1": key], "later": [1, 2],
        ]
        change(&object)
        return .object(object)
    }

    @Test("A block file is read, keys it does not know included")
    func blockRead() throws {
        let read = try Block(json: block { _ in })
        #expect(read.free == [2, 3])
        #expect(read.allocated == [1: AttachmentKey(network: "n", containerID: "c", ifName: "eth0")])
        #expect(read.bootID == "b")
    }

    @Test(
        "A block file in which an ordinal is lost, doubled or wrong is refused, and the reason names the place",
        arguments: [
            ("free", [2] as JSONValue, "ordinal 3 is neither free nor allocated"),
            ("free", [2, 3, 3], "ordinal 3 is listed twice"),
            ("free", [1, 2, 3], "ordinal 1 is listed twice"),
            ("free", [0, 2, 3], "ordinal 0 is the tunnel's and may not be listed"),
            ("free", [2, 3, 4], "ordinal 4 is beyond the end of 10.0.0.0/30"),
            ("free", [2, -3], "free[1]: expected an ordinal, found -3"),
            ("free", ["2"], "free[0]: expected an ordinal, found a string"),
            ("free", [2, .int(.max)], "free[1]: expected an ordinal, found 9223372036854775807"),
            ("free", nil, "free: missing"),
            ("reserved", [3], "ordinal 3 is listed twice"),
            ("allocated", ["x": ["network": "n"]], "allocated: expected ordinals as names, found \"x\""),
            ("allocated", ["1": ["network": "n"]], "allocated.1.containerID: missing"),
            ("allocated", ["1": 5], "allocated.1: expected an object, found an integer"),
            ("cidr", "10.0.0.1/30", "cidr: expected a prefix, found \"10.0.0.1/30\""),
            ("cidr", "::/0", "cidr: ::/0 has more than 4096 addresses"),
            ("v", 2, "v: expected 1, found 2"),
            ("v", nil, "v: expected 1, found nothing"),
            ("v", "1", "v: expected 1, found a string"),
        ] as [(String, JSONValue?, String)])
    func blockRefused(name: String, value: JSONValue?, reason: String) {
        let error = #expect(throws: RecordError.self) { try Block(json: block { $0[name] = value }) }
        #expect(error?.description == reason)
    }

    @Test("One ordinal under two names is refused")
    func twoNames() {
        let error = #expect(throws: RecordError.self) {
            try Block(json: block { $0["allocated"] = ["1": key, "01": key] })
        }
        #expect(error?.description == "allocated: ordinal 1 twice")
    }

    @Test("An attachment survives its JSON in every state", arguments: IPAMCore.Attachment.State.allCases)
    func attachmentRoundTrip(state: IPAMCore.Attachment.State) throws {
        let attachment = IPAMCore.Attachment(
            key: AttachmentKey(network: "n\u{7f}é", containerID: "c", ifName: "eth0"), state: state,
            addresses: [try #require(IPPrefix("10.0.0.1/32")), try #require(IPPrefix("fd00::1/128"))],
            hostLink: "cali0", hostLinkIndex: .max, bootID: "b", createdAt: MonotonicTime(nanoseconds: 123))
        #expect(try IPAMCore.Attachment(json: attachment.json) == attachment)
        var named = attachment
        named.podName = "default/nginx"
        #expect(try IPAMCore.Attachment(json: named.json) == named)
    }

    @Test(
        "A wrong member of an attachment is named",
        arguments: [
            ("state", "done", "state: expected pending, complete or deleting, found \"done\""),
            ("addresses", ["10.0.0.0/24"], "addresses[0]: expected an address with /32 or /128, found \"10.0.0.0/24\""),
            ("addresses", [7], "addresses[0]: expected an address with /32 or /128, found an integer"),
            ("hostLinkIndex", -1, "hostLinkIndex: expected an integer of 0...4294967295, found -1"),
            (
                "createdAt", .double(1.5),
                "createdAt: expected an integer of 0...18446744073709551615, found a number with a fraction"
            ),
            ("ifName", nil, "ifName: missing"),
        ] as [(String, JSONValue?, String)])
    func attachmentRefused(name: String, value: JSONValue?, reason: String) {
        var object: JSONObject = [
            "v": 1, "network": "n", "containerID": "c", "ifName": "e", "state": "pending", "addresses": [],
            "hostLink": "", "hostLinkIndex": 0, "bootID": "b", "createdAt": 1,
        ]
        object[name] = value
        let error = #expect(throws: RecordError.self) { try IPAMCore.Attachment(json: .object(object)) }
        #expect(error?.description == reason)
    }

    @Test("The record is no object", arguments: [.null, [], "x", 1] as [JSONValue])
    func noObject(value: JSONValue) {
        #expect(throws: RecordError.self) { try IPAMCore.Attachment(json: value) }
        #expect(throws: RecordError.self) { try NodeState(json: value) }
        #expect(throws: RecordError.self) { try Block(json: value) }
    }

    @Test("What is kept from pods survives its JSON, is no part of it where there is nothing, and is read strictly")
    func withheld() throws {
        var state = NodeState(
            node: "node1", bootID: "b", netnsInode: 1, mtuBytes: 1500, generation: 7, pools: [], blocks: [])
        #expect(state.json.object?["nodeAddresses"] == nil && state.json.object?["reservations"] == nil)
        state.withheld = WithheldAddresses(
            nodes: [try #require(IPAddress("10.0.0.9")), try #require(IPAddress("fd00::9"))],
            reservations: [try #require(IPPrefix("10.0.0.16/30"))])
        #expect(try NodeState(json: state.json) == state)
        let address = try #require(IPAddress("10.0.0.17"))
        #expect(state.withheld.keeps(address) && !state.withheld.keeps(address, isAskedFor: true))
        let node = try #require(IPAddress("10.0.0.9"))
        #expect(state.withheld.keeps(node) && state.withheld.keeps(node, isAskedFor: true))
        state.ownAddresses = [try #require(IPAddress("192.168.1.1"))]
        #expect(try NodeState(json: state.json) == state)
        var object = try #require(state.json.object)
        object["reservations"] = ["10.0.0.16"]
        let wrong = JSONValue.object(object)
        let error = #expect(throws: RecordError.self) { try NodeState(json: wrong) }
        #expect(error?.description.contains("reservations[0]") ?? false)
    }

    @Test("node.json survives its JSON and answers by family, mode and address")
    func nodeState() throws {
        let state = NodeState(
            node: "node1", bootID: "b", netnsInode: 4_026_531_840, mtuBytes: 1500, generation: 7,
            pools: [
                .init(name: "a", cidr: try #require(IPPrefix("10.0.0.0/16")), mode: "bgp", blockSize: 26),
                .init(
                    name: "off", cidr: try #require(IPPrefix("10.1.0.0/16")), mode: "ipip", blockSize: 26,
                    isDisabled: true),
                .init(name: "six", cidr: try #require(IPPrefix("fd00::/64")), mode: "vxlan", blockSize: 122),
            ],
            blocks: [.init(cidr: try #require(IPPrefix("10.0.0.0/26")), pool: "a", isAnnounced: true)])
        #expect(try NodeState(json: state.json) == state)
        #expect(state.pools(family: .ipv4, mode: "bgp").map(\.name) == ["a"])
        #expect(state.modes(family: .ipv4) == ["bgp"])
        #expect(state.modes(family: .ipv6) == ["vxlan"])
        #expect(state.block(containing: try #require(IPAddress("10.0.0.5")))?.pool == "a")
        #expect(state.block(containing: try #require(IPAddress("10.0.0.64"))) == nil)
    }

    @Test("The file name of a key is the SHA-1 of its parts joined by NUL")
    func fileName() {
        let key = AttachmentKey(network: "apus", containerID: "abc", ifName: "eth0")
        #expect(key.fileName == SHA1.hex("apus\u{0}abc\u{0}eth0") + ".json")
        #expect(
            AttachmentKey(network: "a", containerID: "bc", ifName: "d").digest
                != AttachmentKey(network: "ab", containerID: "c", ifName: "d").digest)
    }
}
