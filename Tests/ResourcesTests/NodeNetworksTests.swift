import NetTypes
import Resources
import Testing

@Suite("Networks of nodes")
struct NodeNetworksTests {
    private static func address(_ text: String, length: UInt8? = nil) throws -> Node.Address {
        Node.Address(try #require(IPAddress(text)), length: length)
    }
    private static func link(_ name: String, _ addresses: String...) throws -> AddressDetection.Candidate {
        AddressDetection.Candidate(
            link: name, isUp: true, addresses: try addresses.map { try #require(CIDRAddress($0)) })
    }
    private static func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
    private static func pool(_ cidr: String) throws -> IPPool { IPPool(name: "p", cidr: try prefix(cidr)) }

    /// Every block that a node would claim of a pool, one after the other.
    private static func claimed(of pool: IPPool, in networks: NodeNetworks) -> [IPPrefix] {
        let barred = networks.barred(in: pool.cidr)
        var claimed: [IPPrefix] = []
        while let block = BlockClaim.candidate(in: pool, for: "a", taken: barred + claimed) { claimed.append(block) }
        return claimed
    }

    @Test("The addresses in pools are those of every Node and of this node's links, each once")
    func addresses() throws {
        let networks = NodeNetworks(
            nodes: [
                Node(name: "a", ipv4: try Self.address("192.168.1.1", length: 24)),
                Node(name: "b", ipv4: try Self.address("192.168.1.2"), ipv6: try Self.address("fd00::2", length: 64)),
            ],
            links: [
                try Self.link("eth0", "192.168.1.1/24", "fe80::1/64"), try Self.link("eth1", "192.168.1.130/25"),
                try Self.link("lo", "127.0.0.1/8", "::1/128"), try Self.link("eth2", "10.0.0.1/24"),
            ])
        let pools = [try Self.prefix("192.168.1.0/24"), try Self.prefix("fd00::/64"), try Self.prefix("127.0.0.0/8")]
        #expect(
            networks.addresses(in: pools).sorted().map(\.description)
                == ["192.168.1.1", "192.168.1.2", "192.168.1.130", "fd00::2"])
        #expect(networks.addresses(in: [try Self.prefix("10.244.0.0/16")]).isEmpty)
    }

    @Test(
        "A pool that shares addresses with a network of a node is told, with whose it is",
        arguments: [
            ("192.168.1.0/24", "192.168.1.0/24, the network of Node/a (192.168.1.1)"),
            ("192.168.0.0/16", "192.168.1.0/24, the network of Node/a (192.168.1.1)"),
            ("192.168.1.128/26", "192.168.1.0/24, the network of Node/a (192.168.1.1)"),
            // The Node tells no network; the link that has its address does.
            ("172.20.3.0/24", "172.20.0.0/16, the network of Node/b (172.20.0.1)"),
            ("172.30.0.0/16", "172.30.7.7/32, the network of Node/c (172.30.7.7)"),
            ("10.1.0.0/16", "10.1.2.0/24, the network of eth1 (10.1.2.3)"),
            ("10.244.0.0/16", nil), ("10.9.0.0/24", nil),
        ] as [(String, String?)])
    func overlaps(pool: String, found: String?) throws {
        let networks = NodeNetworks(
            nodes: [
                Node(name: "a", ipv4: try Self.address("192.168.1.1", length: 24)),
                Node(name: "b", ipv4: try Self.address("172.20.0.1")),
                Node(name: "c", ipv4: try Self.address("172.30.7.7")),
            ],
            links: [
                try Self.link("eth0", "172.20.0.1/16"), try Self.link("eth1", "10.1.2.3/24"),
                try Self.link("cni0", "10.9.0.62/26"),
            ], gateways: [try #require(IPAddress("10.9.0.62"))])
        #expect(
            networks.overlaps(with: [try Self.pool(pool)])
                == (found.map { ["IPPool/p \(pool) overlaps \($0)"] } ?? []))
    }

    @Test("A block is on a link where this node's own link stands in a network around or inside it")
    func onLink() throws {
        let networks = NodeNetworks(
            nodes: [
                Node(name: "a", ipv4: try Self.address("192.168.1.1", length: 24)),
                Node(name: "far", ipv4: try Self.address("192.168.2.1", length: 24)),
            ], links: [try Self.link("eth0", "192.168.1.1/24"), try Self.link("lo", "192.168.3.1/32")])
        let wide = try Self.prefix("192.168.0.0/16")
        #expect(
            try ["192.168.1.64/26", "192.168.0.0/20", "192.168.2.0/26", "192.168.3.0/26"].map {
                networks.isOnLink(try Self.prefix($0), of: wide)
            } == [true, true, false, false])
        // Set aside for pods, but for the part in which a node is all the same.
        let aside = try Self.prefix("192.168.1.0/25")
        #expect(
            try ["192.168.1.64/26", "192.168.1.0/26"].map { networks.isOnLink(try Self.prefix($0), of: aside) }
                == [false, true])
    }

    @Test("No block of a network of nodes is a candidate, and none at all where the pool is one")
    func candidates() throws {
        let networks = NodeNetworks(
            nodes: [Node(name: "a", ipv4: try Self.address("192.168.1.1", length: 24))],
            links: [try Self.link("eth0", "192.168.1.1/24")])
        let own = try Self.pool("192.168.1.0/24")
        #expect(BlockClaim.candidate(in: own, for: "a", taken: networks.barred(in: own.cidr)) == nil)
        let wide = try Self.pool("192.168.0.0/22")
        let claimed = Self.claimed(of: wide, in: networks)
        #expect(claimed.count == 12)
        #expect(try claimed.allSatisfy { !$0.overlaps(try Self.prefix("192.168.1.0/24")) })
    }

    @Test("A pool that is a smaller part of a network is set aside: only a block with a node's address is no candidate")
    func setAside() throws {
        let networks = NodeNetworks(
            nodes: [
                Node(name: "a", ipv4: try Self.address("10.0.0.5", length: 8)),
                Node(name: "b", ipv4: try Self.address("10.244.0.70", length: 8)),
            ], links: [try Self.link("eth0", "10.0.0.5/8")])
        let pool = try Self.pool("10.244.0.0/24")
        #expect(networks.barred(in: pool.cidr).map(\.description) == ["10.0.0.5/32", "10.244.0.70/32"])
        #expect(
            Self.claimed(of: pool, in: networks).sorted().map(\.description)
                == ["10.244.0.0/26", "10.244.0.128/26", "10.244.0.192/26"])
    }
}

@Suite("IPReservation")
struct IPReservationTests {
    @Test("Networks and single addresses of both families are read")
    func decoded() throws {
        let decoded = ResourceDecoder.decode([
            resource(
                "IPReservation", "r",
                ["reservedCIDRs": ["192.168.2.3", "10.0.2.0/30", "cafe:f00d::/123", "fd00::1"]]),
            resource("IPReservation", "none", ["reservedCIDRs": []]),
        ])
        #expect(decoded.diagnostics.isEmpty)
        #expect(decoded.configuration.reservations.map(\.name) == ["none", "r"])
        #expect(
            decoded.configuration.reservations.flatMap(\.reservedCIDRs).map(\.description)
                == ["192.168.2.3/32", "10.0.2.0/30", "cafe:f00d::/123", "fd00::1/128"])
    }

    @Test("What is no network refuses the resource with its field")
    func refused() {
        #expect(
            findings(resource("IPReservation", "r", ["reservedCIDRs": ["10.0.0.5/24"]])) == [
                "error: a.yaml:6: IPReservation/r: spec.reservedCIDRs: \"10.0.0.5/24\" has bits set beyond the prefix "
                    + "length; write 10.0.0.0/24"
            ])
        #expect(findings(resource("IPReservation", "r", ["reservedCIDRs": "10.0.0.5"])).count == 1)
        #expect(
            findings(
                document([
                    "apiVersion": "projectcalico.org/v3", "kind": "IPReservation", "metadata": ["name": "r"],
                ])
            ).count == 1)
    }

    @Test("A reservation that is refused now stays as it was while nothing whole is in force")
    func kept() {
        var inForce = ConfigurationInForce()
        let broken = resource("IPPool", "p", ["cidr": "x"])
        _ = inForce.offer(
            ResourceDecoder.decode([resource("IPReservation", "r", ["reservedCIDRs": ["10.0.0.5"]]), broken]))
        _ = inForce.offer(ResourceDecoder.decode([resource("IPReservation", "r", ["reservedCIDRs": ["x"]]), broken]))
        #expect(inForce.configuration?.reservations.first?.reservedCIDRs.map(\.description) == ["10.0.0.5/32"])
    }
}
