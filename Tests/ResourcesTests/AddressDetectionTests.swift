import NetTypes
import Resources
import Testing

struct AddressDetectionTests {
    private func candidate(_ link: String, _ addresses: String..., isUp: Bool = true) throws
        -> AddressDetection.Candidate
    {
        AddressDetection.Candidate(
            link: link, isUp: isUp, addresses: try addresses.map { try #require(CIDRAddress($0)) })
    }

    private func node() throws -> [AddressDetection.Candidate] {
        [
            try candidate("lo", "127.0.0.1/8", "::1/128"),
            try candidate("docker0", "172.17.0.1/16"),
            try candidate("eth9", "10.9.0.1/24", isUp: false),
            try candidate("eth0", "169.254.7.7/16", "192.168.1.100/32", "192.168.1.1/24", "fe80::1/64", "fd00:1::1/64"),
            try candidate("eth1", "10.1.0.1/24"),
            try candidate("cali0123456789a", "10.244.0.1/24"),
            try candidate("tunl0", "10.244.0.0/24"),
            try candidate("vxlan.calico", "10.244.0.0/24"),
        ]
    }

    @Test(
        "each method finds what Calico's finds",
        arguments: [
            ("first-found", "192.168.1.1/24"), ("interface=eth1", "10.1.0.1/24"),
            ("interface=nope,eth.*", "192.168.1.1/24"), ("interface=docker.*", "172.17.0.1/16"),
            ("interface=cali.*", nil), ("interface=eth9", nil), ("skip-interface=eth0", "10.1.0.1/24"),
            ("skip-interface=eth.*", nil), ("cidr=10.0.0.0/8", "10.1.0.1/24"),
            ("cidr=172.16.0.0/12,192.168.0.0/16", "172.17.0.1/16"), ("cidr=192.168.1.100/32", "192.168.1.100/32"),
            ("kubernetes-internal-ip", nil), ("can-reach=8.8.8.8", "10.1.0.1/24"),
        ] as [(String, String?)])
    func methods(method: String, expected: String?) throws {
        let detection = try #require(AddressDetection(method))
        let found = detection.choose(.ipv4, among: try node(), source: IPAddress("10.1.0.1"))
        #expect(found?.description == expected)
        #expect(detection.description == method)
    }

    @Test(
        "An address that is alone in its network is the node's where no link has another",
        arguments: [
            ("first-found", "10.128.0.2/32"), ("interface=ens4", "10.128.0.2/32"), ("interface=ens.*", "10.128.0.2/32"),
            ("skip-interface=ens5", "10.128.0.2/32"), ("skip-interface=ens4", "10.129.0.2/32"),
            ("cidr=10.0.0.0/8", "10.128.0.2/32"), ("can-reach=10.9.9.9", "10.128.0.2/32"),
        ])
    func alone(method: String, expected: String) throws {
        let detection = try #require(AddressDetection(method))
        let links = [
            try candidate("lo", "127.0.0.1/8", "10.255.0.1/32"), try candidate("docker0", "172.17.0.1/16"),
            try candidate("ens4", "10.128.0.2/32", "fd20::2/128", "fe80::1/64"), try candidate("ens5", "10.129.0.2/32"),
        ]
        let source = IPAddress("10.128.0.2")
        #expect(detection.choose(.ipv4, among: links, source: source)?.description == expected)
        #expect(AddressDetection.firstFound.choose(.ipv6, among: links)?.description == "fd20::2/128")
        // With a network on another link only who names this one has it.
        let more = links + [try candidate("ens6", "10.1.0.1/24")]
        let found = detection.choose(.ipv4, among: more, source: source)?.description
        #expect(found == (method.hasPrefix("first") || method.hasPrefix("skip") ? "10.1.0.1/24" : expected))
    }

    @Test("IPv6 is found by itself, and a link-local address is none")
    func ipv6() throws {
        #expect(AddressDetection.firstFound.choose(.ipv6, among: try node())?.description == "fd00:1::1/64")
    }

    @Test(
        "what is no method is refused",
        arguments: [
            "", "first", "first-found=eth0", "interface", "interface=", "interface=(", "skip-interface=[", "can-reach=",
            "can-reach=host.example", "can-reach=1.1.1.1,2.2.2.2", "cidr=", "cidr=10.0.0.1/8", "cidr=10.0.0.0/8,x",
        ])
    func refusals(text: String) {
        #expect(AddressDetection(text) == nil)
    }

    @Test("the environment decides where the address comes from")
    func sources() throws {
        let configured = Node.Address(try #require(IPAddress("192.168.1.1")), length: 24)
        func source(_ environment: [String: String], _ family: AddressFamily = .ipv4) throws -> NodeAddressSource {
            try NodeAddressSource(family, environment: environment)
        }
        #expect(try source([:]).detection(.ipv4, configured: nil) == .firstFound)
        #expect(try source([:]).detection(.ipv4, configured: configured) == nil)
        #expect(try source([:], .ipv6).detection(.ipv6, configured: nil) == nil)
        #expect(try source(["IP": "autodetect"]).detection(.ipv4, configured: configured) == .firstFound)
        let named = try source(["IP6": "autodetect", "IP6_AUTODETECTION_METHOD": "interface=eth.*"], .ipv6)
        #expect(named == .detected(.interface(["eth.*"])))
        #expect(try source(["IP": "none"]) == .none)
        #expect(try source(["IP": "192.168.1.1/24"]) == .fixed(configured))
        #expect(throws: NodeAddressSource.Refusal.self) { try source(["IP": "fd00::1"]) }
        #expect(throws: NodeAddressSource.Refusal.self) { try source(["IP": "here"]) }
        #expect(throws: NodeAddressSource.Refusal.self) { try source(["IP_AUTODETECTION_METHOD": "psychic"]) }
    }

    @Test("What was found stays as long as a link has it that may be chosen, be it down or no more the first")
    func former() throws {
        let detection = try #require(AddressDetection("interface=eth.*"))
        let former = CIDRAddress("192.168.1.1/24")
        func found(_ candidates: AddressDetection.Candidate..., by other: AddressDetection? = nil) -> String? {
            (other ?? detection).choose(.ipv4, among: candidates, former: former)?.description
        }
        let newer = try candidate("eth0", "192.168.1.9/24", "192.168.1.1/24")
        #expect(found(newer) == "192.168.1.1/24")
        #expect(found(try candidate("eth0", "192.168.1.1/24", isUp: false), newer) == "192.168.1.1/24")
        #expect(found(try candidate("eth0", "192.168.1.9/24")) == "192.168.1.9/24")
        #expect(found(try candidate("docker0", "192.168.1.1/24"), try candidate("eth1", "10.0.0.1/8")) == "10.0.0.1/8")
        let way = try #require(AddressDetection("can-reach=8.8.8.8"))
        let followed = way.choose(.ipv4, among: [newer], source: IPAddress("192.168.1.9"), former: former)
        #expect(followed?.description == "192.168.1.9/24")
        #expect(found(newer, by: way) == "192.168.1.1/24")
    }
}
