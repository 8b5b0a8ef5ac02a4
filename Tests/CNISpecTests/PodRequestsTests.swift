import CNISpec
import NetTypes
import Testing

@Suite("What is asked for of a pod")
struct PodRequestsTests {
    /// A stand-in for a parser: the text of a JSON list of strings without commas or quotes in them.
    static func parse(_ text: String) -> JSONValue? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        return .array(
            text.dropFirst().dropLast().split(separator: ",").map { .string(String($0.filter { $0 != "\"" })) })
    }

    static func requests(_ arguments: String, _ members: (String, JSONValue)...) throws -> PodRequests {
        let object = JSONObject(NetworkConfigTests.least.members.map { ($0.name, $0.value) } + members)
        return try PodRequests(
            NetworkConfig(.object(object), for: .add), CNIArguments(arguments), parseJSON: Self.parse)
    }

    static func annotations(_ members: (String, JSONValue)...) -> JSONValue {
        ["io.kubernetes.cri.pod-annotations": .object(JSONObject(members))]
    }

    @Test("Nothing asked for is nothing")
    func nothing() throws {
        #expect(try Self.requests("IgnoreUnknown=1") == PodRequests())
    }

    @Test("The first way in that says anything counts: capability, args, CNI_ARGS, annotation", arguments: 0...3)
    func priority(first: Int) throws {
        var runtime: JSONObject = [
            "io.kubernetes.cri.pod-annotations": [
                "cni.projectcalico.org/ipAddrs": "[\"10.0.0.4\"]", "cni.projectcalico.org/hwAddr": "02:00:00:00:00:04",
            ]
        ]
        var args: JSONObject = [:]
        if first == 0 { (runtime["ips"], runtime["mac"]) = (["10.0.0.1/24"], "02:00:00:00:00:01") }
        if first <= 1 { args = ["ips": ["10.0.0.2"], "mac": "02:00:00:00:00:02"] }
        let arguments = first <= 2 ? "IP=10.0.0.3;MAC=02:00:00:00:00:03" : ""
        let requests = try Self.requests(
            arguments, ("runtimeConfig", .object(runtime)), ("args", ["cni": .object(args)]))
        #expect(requests.addresses == [IPAddress("10.0.0.\(first + 1)")])
        #expect(requests.macAddress == MACAddress("02:00:00:00:00:0\(first + 1)"))
    }

    @Test("The pod's annotation of pools counts before the configuration's list, for its family alone")
    func pools() throws {
        let requests = try Self.requests(
            "", ("ipam", ["ipv4_pools": ["a", "10.0.0.0/16"], "ipv6_pools": ["fd00::/48"], "pools": ["c"]]),
            ("runtimeConfig", Self.annotations(("cni.projectcalico.org/ipv4pools", "[\"b\"]"))))
        #expect(requests.pools[.ipv4] == [.name("b")])
        #expect(requests.pools[.ipv6] == [.network(try #require(IPPrefix("fd00::/48")))])
        #expect(requests.poolsOfAnyFamily == [.name("c")])
    }

    static let wrong: [(String, JSONValue, Int64, String)] = [
        ("IP=10.0.0", [:], 4, "IP=10.0.0"), ("MAC=zz", [:], 4, "MAC=zz"),
        ("MAC=ff:ff:ff:ff:ff:ff", [:], 4, "unicast"), ("", ["ips": ["10.0.0.1", "10.0.0.2"]], 7, "one ipv4 address"),
        ("", ["ips": ["x"]], 7, "runtimeConfig.ips"), ("", ["mac": "x"], 7, "runtimeConfig.mac"),
        ("", annotations(("cni.projectcalico.org/ipAddrs", "10.0.0.1")), 7, "ipAddrs"),
        ("", annotations(("cni.projectcalico.org/hwAddr", "x")), 7, "hwAddr"),
        ("", annotations(("cni.projectcalico.org/ipv6pools", "[x/y]")), 7, "ipv6pools"),
        ("", ["io.kubernetes.cri.pod-annotations": ["a": 1]], 7, "pod-annotations"),
        ("", annotations(("cni.projectcalico.org/ipAddrsNoIpam", "[\"10.0.0.4\"]")), 7, "org/ipAddrsNoIpam: "),
        ("", annotations(("cni.projectcalico.org/floatingIPs", "[\"10.0.0.4\"]")), 7, "org/floatingIPs: "),
        (
            "IP=10.0.0.5", annotations(("cni.projectcalico.org/allowedSourcePrefixes", "[\"10.0.0.0/8\"]")), 7,
            "org/allowedSourcePrefixes: "
        ),
        ("", annotations(("cni.projectcalico.org/ipFamilies", "[\"IPv6\"]")), 7, "org/ipFamilies: "),
        ("", annotations(("cni.projectcalico.org/ipFamilies", "IPv6")), 7, "org/ipFamilies: "),
    ]

    @Test("Annotations that ask for nothing, and those that Calico writes itself, change nothing")
    func idleAnnotations() throws {
        let names = ["ipAddrsNoIpam", "floatingIPs", "allowedSourcePrefixes", "ipFamilies"]
        let empty = names.map { ("cni.projectcalico.org/\($0)", JSONValue.string($0 == "ipFamilies" ? "" : "[]")) }
        let written = ["podIP", "podIPs", "containerID"].map {
            ("cni.projectcalico.org/\($0)", JSONValue.string("10.0.0.4/32"))
        }
        let annotations: JSONValue = ["io.kubernetes.cri.pod-annotations": .object(JSONObject(empty + written))]
        #expect(try Self.requests("", ("runtimeConfig", annotations)) == PodRequests())
    }

    @Test("What is wrong is refused, and named", arguments: wrong)
    func refusal(arguments: String, runtime: JSONValue, code: Int64, text: String) throws {
        let error = #expect(throws: CNIError.self) {
            try Self.requests(arguments, ("runtimeConfig", runtime))
        }
        #expect(error?.code.rawValue == code)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }

    @Test("A capability that asks for something Apus has not is noted; one that asks for nothing is not")
    func unserved() throws {
        let runtime: JSONValue = [
            "portMappings": [["hostPort": 80]], "bandwidth": ["ingressRate": 0], "ipRanges": [], "deviceID": "",
            "aliases": .null, "cgroupPath": "/x", "Mac": "", "dns": ["servers": ["10.0.0.53"]],
        ]
        let json = NetworkConfigTests.config(("runtimeConfig", runtime), ("dns", ["domain": "a"]))
        let config = try NetworkConfig(json, for: .add)
        #expect(config.unservedCapabilities == ["portMappings", "cgroupPath"])
        #expect(config.requestedMAC == nil)
        #expect(config.dns == CNIResult.DNS(nameservers: ["10.0.0.53"]))
        #expect(try NetworkConfig(json, for: .add, isForAnother: true).unservedCapabilities == [])
    }

    @Test("The mode of a plugin that hands its configuration on is its own matter")
    func modeOfAnother() throws {
        let json = NetworkConfigTests.config(("mode", "bridge"))
        #expect(try NetworkConfig(json, for: .add, isForAnother: true).mode == nil)
    }

    @Test("So are its log, its MTU and what it allows; the log of the IPAM plugin is named in its own part")
    func wordsOfAnother() throws {
        let words: [(String, JSONValue)] = [
            ("logLevel", "panic"), ("logFile", "sriov.log"), ("logFileMaxBytes", 0), ("logFileMaxCount", "many"),
            ("mtu", "1500"), ("container_settings", true),
        ]
        for word in words {
            #expect(throws: CNIError.self) { try NetworkConfig(NetworkConfigTests.config(word), for: .add) }
            let config = try NetworkConfig(NetworkConfigTests.config(word), for: .add, isForAnother: true)
            #expect(config.logFile == nil && config.mtuBytes == nil && config.allowsForwarding == nil)
        }
        let json = NetworkConfigTests.config(
            ("logFile", "/var/log/sriov.log"), ("ipam", ["logFile": "/var/log/ipam.log", "logLevel": "debug"]))
        let config = try NetworkConfig(json, for: .add, isForAnother: true)
        #expect(config.logFile == "/var/log/ipam.log" && config.logLevel == .debug)
    }
}

@Suite("The answer of an IPAM plugin")
struct IPAMResultTests {
    static let forms: [JSONValue] = [
        [
            "ips": [["address": "10.0.0.2/24", "gateway": "10.0.0.1"], ["address": "fd00::2/64"]],
            "routes": [["dst": "10.1.0.0/16"]], "dns": ["nameservers": ["10.0.0.53"]],
        ],
        [
            "cniVersion": "0.4.0",
            "ips": [
                ["version": "4", "address": "10.0.0.2/24", "gateway": "10.0.0.1"],
                ["version": "6", "address": "fd00::2/64"],
            ], "routes": [["dst": "10.1.0.0/16"]], "dns": ["nameservers": ["10.0.0.53"]],
        ],
        [
            "cniVersion": "0.2.0",
            "ip4": ["ip": "10.0.0.2/24", "gateway": "10.0.0.1", "routes": [["dst": "10.1.0.0/16"]]],
            "ip6": ["ip": "fd00::2/64"], "dns": ["nameservers": ["10.0.0.53"]],
        ],
    ]

    @Test("Each version's form says the same", arguments: forms)
    func form(json: JSONValue) throws {
        let result = try IPAMResult(json)
        #expect(result.addresses.map(\.address.description) == ["10.0.0.2/24", "fd00::2/64"])
        #expect(result.addresses.map(\.gateway) == [IPAddress("10.0.0.1"), nil])
        #expect(result.routes.map(\.destination.description) == ["10.1.0.0/16"])
        #expect(result.dns == CNIResult.DNS(nameservers: ["10.0.0.53"]))
    }

    static let wrong: [(JSONValue, String)] = [
        ([], "an array"), ([:] as JSONValue, "no address"), (["ips": []], "no address"),
        (["ips": [["address": "10.0.0.2"]]], "ips[0].address"), (["ips": [[:] as JSONValue]], "address is missing"),
        (["ips": [["address": "10.0.0.2/24"]], "routes": [["dst": "x"]]], "routes[0].dst"),
    ]

    @Test("Anything else is error 6 naming what is wrong", arguments: wrong)
    func refusal(json: JSONValue, text: String) throws {
        let error = #expect(throws: CNIError.self) { try IPAMResult(json) }
        #expect(error?.code == .decode)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }
}
