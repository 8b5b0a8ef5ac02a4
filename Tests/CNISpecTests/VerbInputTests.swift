import CNISpec
import NetTypes
import Testing

@Suite("Input of CHECK and GC")
struct VerbInputTests {
    static func config(_ members: (String, JSONValue)...) throws -> NetworkConfig {
        let json: JSONValue = .object(JSONObject([("cniVersion", "1.1.0"), ("name", "net")] + members))
        return try NetworkConfig(json, for: .collectGarbage)
    }

    @Test("Absent and null are no list, an empty list is one")
    func absence() throws {
        #expect(try Self.config().validAttachments == nil)
        #expect(try Self.config(("cni.dev/valid-attachments", .null)).validAttachments == nil)
        #expect(try Self.config(("cni.dev/attachments", [])).validAttachments?.entries == [])
    }

    @Test("Both names are read, and what either keeps is kept; Go's field names count")
    func names() throws {
        let valid = try Self.config(
            ("cni.dev/valid-attachments", [["ContainerID": "a", "IfName": "eth0"]]),
            ("cni.dev/attachments", [["containerID": "b", "ifname": "eth1", "more": 1]]))
        #expect(
            valid.validAttachments?.entries == [
                .init(containerID: "a", ifName: "eth0"), .init(containerID: "b", ifName: "eth1"),
            ])
    }

    @Test("A list with anything else in it is error 7")
    func invalid() {
        for list: JSONValue in ["a", 1, [1], [[:]], [["containerID": "a"]], [["containerID": "", "ifname": "e"]]] {
            let error = #expect(throws: CNIError.self) { try Self.config(("cni.dev/attachments", list)) }
            #expect(error?.code == .invalidConfig)
        }
    }

    @Test("A result's links, addresses and routes are read")
    func previousResult() throws {
        let result = try PreviousResult([
            "interfaces": [
                ["name": "cali1", "mac": "ee:ee:ee:ee:ee:ee"],
                ["name": "eth0", "mac": "02:00:00:00:00:01", "mtu": 1400, "sandbox": "/run/netns/a"],
            ],
            "ips": [["interface": 1, "address": "10.0.0.1/32"], ["interface": 0, "address": "10.0.0.2/24"]],
            "routes": [["dst": "0.0.0.0/0", "gw": "169.254.1.1"], ["dst": "10.1.0.0/16"]], "dns": [:],
        ])
        let link = try #require(result.containerLink("eth0"))
        #expect(link.mtuBytes == 1400)
        #expect(link.macAddress == MACAddress("02:00:00:00:00:01"))
        #expect(result.containerLink("cali1") == nil)
        #expect(result.addresses(of: "eth0").map(\.description) == ["10.0.0.1/32"])
        #expect(result.routes.map(\.gateway) == [IPAddress("169.254.1.1"), nil])
    }

    @Test(
        "A result that is none is error 7 naming the place",
        arguments: [
            (nil, "prevResult"), ("x", "prevResult"), (["ips": [[:]]], "ips[0].address"),
            (["ips": [["address": "10.0.0.1"]]], "address"),
            (["ips": [["address": "10.0.0.1/32", "interface": 0]]], "ips"),
            (["routes": [["dst": 5]]], "routes[0].dst"), (["interfaces": ["eth0"]], "interfaces"),
        ] as [(JSONValue?, String)])
    func invalidResult(json: JSONValue?, place: String) {
        let error = #expect(throws: CNIError.self) { try PreviousResult(json) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains(place) == true)
    }
}
