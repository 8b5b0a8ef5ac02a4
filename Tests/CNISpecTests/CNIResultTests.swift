import CNISpec
import NetTypes
import Testing

@Suite("CNI result")
struct CNIResultTests {
    static func result(_ addresses: [String] = ["10.244.0.1/32"], dns: CNIResult.DNS = CNIResult.DNS()) -> CNIResult {
        CNIResult(
            interfaces: [
                CNIResult.Interface(name: "cali1", macAddress: .hostEnd),
                CNIResult.Interface(
                    name: "eth0", macAddress: MACAddress("02:00:00:00:00:01"), mtuBytes: 1500, sandbox: "/run/netns/x"),
            ],
            addresses: addresses.compactMap { CIDRAddress($0) }.map { CNIResult.Address(interface: 1, address: $0) },
            routes: [
                CNIResult.Route(
                    destination: IPPrefix(masking: .v4(IPv4Address(0, 0, 0, 0)), length: 0),
                    gateway: IPAddress("169.254.1.1"))
            ], dns: dns)
    }

    static let host: JSONValue = ["name": "cali1", "mac": "ee:ee:ee:ee:ee:ee"]
    static let pod: JSONValue = ["name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/run/netns/x"]
    static let routes: JSONValue = [["dst": "0.0.0.0/0", "gw": "169.254.1.1"]]

    @Test("1.1.0 has the MTU")
    func version110() throws {
        #expect(
            try Self.result().json(version: .v110) == [
                "cniVersion": "1.1.0",
                "interfaces": [
                    Self.host,
                    ["name": "eth0", "mac": "02:00:00:00:00:01", "mtu": 1500, "sandbox": "/run/netns/x"],
                ],
                "ips": [["interface": 1, "address": "10.244.0.1/32"]], "routes": Self.routes,
            ])
    }

    @Test("1.0.0 has neither MTU nor address version, and no dns when there is none")
    func version100() throws {
        #expect(
            try Self.result().json(version: .v100) == [
                "cniVersion": "1.0.0", "interfaces": [Self.host, Self.pod],
                "ips": [["interface": 1, "address": "10.244.0.1/32"]], "routes": Self.routes,
            ])
    }

    @Test("0.3.x and 0.4.0 have the address' version and always dns", arguments: [CNIVersion.v030, .v031, .v040])
    func version03(version: CNIVersion) throws {
        #expect(
            try Self.result(["10.244.0.1/32", "fd00::1/128"]).json(version: version) == [
                "cniVersion": .string(version.rawValue), "interfaces": [Self.host, Self.pod],
                "ips": [
                    ["version": "4", "interface": 1, "address": "10.244.0.1/32"],
                    ["version": "6", "interface": 1, "address": "fd00::1/128"],
                ], "routes": Self.routes, "dns": [:],
            ])
    }

    @Test("0.1.0 and 0.2.0 have one address per family", arguments: [CNIVersion.v010, .v020])
    func version02(version: CNIVersion) throws {
        #expect(
            try Self.result(["10.244.0.1/32", "10.244.0.2/32"]).json(version: version) == [
                "cniVersion": .string(version.rawValue),
                "ip4": ["ip": "10.244.0.1/32", "routes": Self.routes], "dns": [:],
            ])
        #expect(throws: CNIError.self) { try Self.result([]).json(version: version) }
    }

    @Test("The resolver's settings are passed on", arguments: [CNIVersion.v031, .v100, .v110])
    func dns(version: CNIVersion) throws {
        let dns = CNIResult.DNS(nameservers: ["10.0.0.10"], domain: "a.b", search: ["b"], options: ["ndots:5"])
        #expect(
            try Self.result(dns: dns).json(version: version).object?["dns"] == [
                "nameservers": ["10.0.0.10"], "domain": "a.b", "search": ["b"], "options": ["ndots:5"],
            ])
    }

    @Test("What earlier plugins made comes first and unchanged, and the numbers of links count on")
    func previousResult() throws {
        let earlier: JSONValue = ["name": "lo", "socketPath": "/x"]
        let json = try Self.result().json(
            version: .v110,
            after: [
                "cniVersion": "1.1.0", "interfaces": [earlier], "ips": [["interface": 0, "address": "127.0.0.1/8"]],
                "dns": ["domain": "d"],
            ])
        #expect(json.object?["interfaces"]?.array?.count == 3)
        #expect(json.object?["interfaces"]?.array?.first == earlier)
        #expect(json.object?["ips"]?.array?.last == ["interface": 2, "address": "10.244.0.1/32"])
        #expect(json.object?["dns"] == ["domain": "d"])
    }

    @Test("An IPAM result has no links, and a gateway")
    func ipam() throws {
        let result = CNIResult(
            addresses: [
                CNIResult.Address(address: CIDRAddress("10.244.0.1/26")!, gateway: IPAddress("10.244.0.63"))
            ])
        #expect(
            try result.json(version: .v100) == [
                "cniVersion": "1.0.0", "ips": [["address": "10.244.0.1/26", "gateway": "10.244.0.63"]],
            ])
        #expect(
            try result.json(version: .v020) == [
                "cniVersion": "0.2.0", "ip4": ["ip": "10.244.0.1/26", "gateway": "10.244.0.63"], "dns": [:],
            ])
    }
}

@Suite("CNI error and version")
struct CNIErrorTests {
    @Test("An error is one object; details only when there are any")
    func error() {
        #expect(
            CNIError(.invalidConfig, "mode: x").json(version: .v100)
                == ["cniVersion": "1.0.0", "code": 7, "msg": "mode: x"])
        #expect(
            CNIError(.tryAgainLater, "a", details: "b").json(version: .v031)
                == ["cniVersion": "0.3.1", "code": 11, "msg": "a", "details": "b"])
    }

    @Test(
        "VERSION echoes a supported version, and answers anything else with the newest",
        arguments: [
            (["cniVersion": "0.4.0"], "0.4.0"), (["cniVersion": "9.9.9"], "1.1.0"), (["cniVersion": 1], "1.1.0"),
            ([:], "1.1.0"), (nil, "1.1.0"), (["CNIVersion": "1.0.0"], "1.0.0"),
        ] as [(JSONValue?, String)])
    func version(config: JSONValue?, expected: String) {
        let answer = VersionAnswer.json(config: config)
        #expect(answer.object?["cniVersion"]?.string == expected)
        #expect(
            answer.object?["supportedVersions"]
                == ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
    }
}
