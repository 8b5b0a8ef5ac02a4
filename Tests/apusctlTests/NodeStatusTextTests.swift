import NetTypes
import NodeLink
import Testing

@testable import apusctl

@Suite("The status of a node in calicoctl's form")
struct NodeStatusTextTests {
    private static let now: Int64 = 1_700_000_000

    private func answer(asNumber: UInt32 = 64512, _ peers: [PeerStatus] = []) -> StatusAnswer {
        StatusAnswer(
            node: NodeStatus(name: "node1", asNumber: ASNumber(asNumber), routerID: "192.168.1.1", startedAt: Self.now),
            peers: peers)
    }

    private func peer(_ address: String, _ family: AddressFamily) -> PeerStatus {
        PeerStatus(
            address: address, family: family, type: "node-to-node mesh", state: "up", since: Self.now,
            info: "Established", asNumber: ASNumber(64512), node: "node2")
    }

    @Test("Each family has a table of its peers, or says that it has none")
    func families() {
        let text = NodeStatusText(answer([peer("192.168.1.2", .ipv4)]), now: Self.now).text
        #expect(text.hasPrefix("Apus process is running.\n\nIPv4 BGP status\n+---"))
        #expect(text.hasSuffix("\n\nIPv6 BGP status\nNo IPv6 peers found.\n"))
        let row = text.split(separator: "\n").first { $0.hasPrefix("| 192.168.1.2") }
        let cells = row?.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") } ?? []
        #expect([0, 1, 2, 4].map { cells[$0] } == ["192.168.1.2", "node-to-node mesh", "up", "Established"])
    }

    @Test("A node that no Node resource names says so")
    func unconfigured() {
        let text = NodeStatusText(answer(asNumber: 0), now: Self.now).text
        #expect(text.contains("Nothing is configured: no Node resource is named node1"))
        #expect(!NodeStatusText(answer(), now: Self.now).text.contains("Nothing is configured"))
    }
}
