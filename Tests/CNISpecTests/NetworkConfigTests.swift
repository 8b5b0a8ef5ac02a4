import CNISpec
import NetTypes
import Testing

@Suite("Network configuration")
struct NetworkConfigTests {
    static let least: JSONObject = ["cniVersion": "1.0.0", "name": "net", "type": "apus"]

    static func config(_ members: (String, JSONValue)...) -> JSONValue {
        .object(JSONObject(least.members.map { ($0.name, $0.value) } + members))
    }

    @Test("The least configuration has the defaults")
    func least() throws {
        let config = try NetworkConfig(.object(Self.least), for: .add)
        #expect(config.version == .v100)
        #expect(config.name == "net")
        #expect(config.mode == nil)
        #expect(config.mtuBytes == nil)
        #expect(config.runDirectory == nil)
        #expect(config.pools == [])
        #expect(config.dns == CNIResult.DNS())
        #expect(config.logLevel == .info)
    }

    @Test("Every member is read, whatever its case; unknown ones are ignored and null is absent")
    func members() throws {
        let config = try NetworkConfig(
            [
                "CNIVersion": "0.4.0", "Name": "net", "MODE": "bgp", "encapsulation": "vxlan", "mtu": 1400,
                "runDir": "/run/x",
                "ipam": ["Type": "apus-ipam", "pools": ["a", "b"], "routes": [["dst": "0.0.0.0/0"]]],
                "logLevel": "DEBUG",
                "logFile": "/var/log/apus.log", "dns": ["nameservers": ["10.0.0.10"], "search": .null],
                "runtimeConfig": ["ips": ["10.244.0.9/26"], "portMappings": .null], "capabilities": ["ips": true],
                "args": ["cni": ["ips": ["10.244.0.8"]]], "unheardOf": [1, [:]],
            ], for: .add)
        #expect(config.version == .v040)
        #expect(config.mode == "bgp")
        #expect(config.encapsulation == "vxlan")
        #expect(config.mtuBytes == 1400)
        #expect(config.runDirectory == "/run/x")
        #expect(config.ipamType == "apus-ipam")
        #expect(config.pools == ["a", "b"])
        #expect(config.ipamRoutes == [CNIResult.Route(destination: try #require(IPPrefix("0.0.0.0/0")), gateway: nil)])
        #expect(config.requestedAddresses == [IPAddress("10.244.0.9")])
        #expect(config.logLevel == .debug)
        #expect(config.logFile == "/var/log/apus.log")
        #expect(config.dns == CNIResult.DNS(nameservers: ["10.0.0.10"]))
    }

    @Test("What is said for the IPAM plugin counts before what is said for its caller")
    func ipamMembers() throws {
        let config = try NetworkConfig(
            Self.config(("mode", "bridge"), ("runDir", "/a"), ("ipam", ["mode": "bgp", "runDir": "/b"])), for: .add)
        #expect(config.mode == "bgp")
        #expect(config.runDirectory == "/b")
    }

    static let wrong: [(String, JSONValue, String)] = [
        ("mode", 5, "mode: expected a string, found 5"),
        ("name", 5, "name: expected a string, found 5"),
        ("name", "a/b", "name: "),
        ("name", "", "name: missing"),
        ("mtu", "1500", "mtu: expected an integer from 68 to 65535, or 0, found \"1500\""),
        ("mtu", 1_000_000, "mtu: "), ("mtu", 67, "mtu: "), ("mtu", -1, "mtu: "), ("mtu", .double(1500.5), "mtu: "),
        ("runDir", "run/apus", "runDir: expected an absolute path"),
        ("runDir", "/run/\0", "runDir: "),
        (
            "runDir", .string("/" + String(repeating: "x", count: 96)),
            "runDir: expected a path of at most 96 octets, which apusd's socket has room in, found \"/xxx"
        ),
        ("encapsulation", "gre", "encapsulation: expected ipip or vxlan, found \"gre\""),
        ("ipam", [], "ipam: expected an object, found an array"),
        (
            "runtimeConfig", ["ips": ["10.244.0.4", "foo"]],
            "runtimeConfig.ips: expected a list of addresses, found \"foo\" in it"
        ),
        ("ipam", ["pools": "a"], "ipam.pools: "),
        ("ipam", ["routes": [["dst": "nowhere"]]], "ipam.routes[0].dst: expected a prefix, found \"nowhere\""),
        ("dns", ["nameservers": [1]], "dns.nameservers: "),
        ("runtimeConfig", ["ips": ["nonsense"]], "runtimeConfig.ips: "),
        ("args", ["cni": true], "args.cni: expected an object, found true"),
        ("logLevel", "loud", "logLevel: expected one of debug, info, warning, error, found \"loud\""),
        ("logFile", false, "logFile: "),
    ]

    @Test("A member of a wrong type is error 7 and named", arguments: wrong)
    func wrongMember(key: String, value: JSONValue, text: String) {
        let error = #expect(throws: CNIError.self) { try NetworkConfig(Self.config((key, value)), for: .add) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.hasPrefix(text) == true, "\(String(describing: error))")
    }

    @Test("A DEL is not kept from its work by them, unless they name the network", arguments: wrong)
    func forgivingDelete(key: String, value: JSONValue, text: String) throws {
        let config = Self.config((key, value))
        if key == "name" {
            #expect(throws: CNIError.self) { try NetworkConfig(config, for: .delete) }
        } else {
            #expect(try NetworkConfig(config, for: .delete).name == "net")
        }
    }

    @Test("A configuration that is no object is error 7", arguments: [.null, [], "x", 1] as [JSONValue])
    func noObject(value: JSONValue) {
        #expect(throws: CNIError(.invalidConfig, "the network configuration is \(value.kind), not an object")) {
            try NetworkConfig(value, for: .add)
        }
    }

    @Test(
        "An unsupported version is error 1 and the supported ones are listed",
        arguments: ["0.5.0", "1.0", "2.0.0", "x"])
    func unsupportedVersion(text: String) {
        let error = #expect(throws: CNIError.self) {
            try NetworkConfig(Self.config(("cniVersion", .string(text))), for: .add)
        }
        #expect(error?.code == .incompatibleVersion)
        #expect(error?.details.contains("1.1.0") == true)
    }

    @Test("No version means 0.2.0")
    func noVersion() throws {
        #expect(try NetworkConfig(["name": "net"], for: .add).version == .v020)
    }

    @Test(
        "A command that the version does not have is error 1",
        arguments: [
            (CNICommand.check, CNIVersion.v031, true), (.check, .v040, false), (.status, .v100, true),
            (.status, .v110, false), (.collectGarbage, .v100, true), (.collectGarbage, .v110, false),
            (.add, .v010, false),
        ])
    func commandsOfVersions(command: CNICommand, version: CNIVersion, isRefused: Bool) throws {
        let config = Self.config(("cniVersion", .string(version.rawValue)))
        if isRefused {
            let error = #expect(throws: CNIError.self) { try NetworkConfig(config, for: command) }
            #expect(error?.code == .incompatibleVersion)
        } else {
            #expect(try NetworkConfig(config, for: command).version == version)
        }
    }

    @Test(
        "A result of the plugins before that is no object is error 7 in ADD, from 0.3.0 on",
        arguments: ["x", []] as [JSONValue])
    func previousResult(json: JSONValue) throws {
        func config(_ version: JSONValue) -> JSONValue {
            ["cniVersion": version, "name": "net", "type": "apus", "prevResult": json]
        }
        for version: JSONValue in ["0.3.0", "1.1.0"] {
            let error = #expect(throws: CNIError.self) { try NetworkConfig(config(version), for: .add) }
            #expect(error?.code == .invalidConfig)
            #expect(error?.message.contains("prevResult") == true)
            #expect(throws: Never.self) { try NetworkConfig(config(version), for: .add, isForAnother: true) }
        }
        #expect(throws: Never.self) { try NetworkConfig(config("0.2.0"), for: .add) }
        #expect(throws: Never.self) { try NetworkConfig(config("1.0.0"), for: .delete) }
    }
}
