import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("Where peers are accepted")
struct AcceptingAddressesTests {
    private static func configuration(
        _ node: Node, bindMode: BGPConfiguration.BindMode?,
    ) throws -> SpeakerConfiguration {
        var settings = BGPConfiguration(name: "node.n", listenPort: 1790)
        settings.bindMode = bindMode
        let cluster = ClusterConfiguration(nodes: [node], bgpConfigurations: [settings])
        let view = try #require(cluster.view(of: "n"))
        return try #require(SpeakerConfiguration(view: view, announcements: []))
    }

    @Test("At the node's own addresses, and with bindMode None at all of their families")
    func addresses() async throws {
        let four = Node.Address(try #require(IPAddress("192.168.1.1")), length: 24)
        let six = Node.Address(try #require(IPAddress("fd00::1")), length: 64)
        let cases: [(Node, BGPConfiguration.BindMode?, [String])] = [
            (Node(name: "n", ipv4: four, ipv6: six), nil, ["192.168.1.1", "fd00::1"]),
            (Node(name: "n", ipv4: four, ipv6: six), .nodeIP, ["192.168.1.1", "fd00::1"]),
            (Node(name: "n", ipv4: four, ipv6: six), BGPConfiguration.BindMode.none, ["0.0.0.0", "::"]),
            (Node(name: "n", ipv4: four), BGPConfiguration.BindMode.none, ["0.0.0.0"]),
            (Node(name: "n", ipv6: six), BGPConfiguration.BindMode.none, ["::"]),
        ]
        for (node, bindMode, expected) in cases {
            let accepting = try Self.configuration(node, bindMode: bindMode).acceptingAddresses
            #expect(accepting.sorted().map(\.description) == expected)
        }
    }
}
