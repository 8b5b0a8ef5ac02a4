import BGPTable
import BGPWire
import ModePlugins
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("Who may end a tunnel where")
struct TunnelCheckTests {
    private let nodes = ["node1": "192.168.1.1", "node2": "192.168.1.2", "node3": "192.168.2.3"].map { name, text in
        Node(name: name, ipv4: Node.Address(address(text), length: 24))
    }

    private static let told = TunnelEndpoint(
        .vxlan, egress: address("192.168.1.2"), innerAddress: address("10.244.1.0"),
        macAddress: .vtep(ofNode: "node2", over: .ipv4), vni: 4096, port: 4789)

    /// What node2 tells, with something changed, and what is said to it.
    private static let refusals: [(change: @Sendable (inout TunnelEndpoint) -> Void, reason: String)] = [
        (
            { $0.egress = address("192.168.2.3") },
            "its end 192.168.2.3 is an address of node node3, the next hop 192.168.1.2 is not"
        ),
        ({ $0.egress = address("192.168.9.9") }, "its end 192.168.9.9 is no known node's address"),
        ({ $0.egress = address("192.168.1.1") }, "its end 192.168.1.1 is this node's own address"),
        ({ $0.egress = address("fd00::2") }, "its end fd00::2 is of the other family"),
        (
            { $0.macAddress = .vtep(ofNode: "node3", over: .ipv4) },
            "its link-layer address \(MACAddress.vtep(ofNode: "node3", over: .ipv4)) is that of node node3"
        ),
        (
            { $0.macAddress = .vtep(ofNode: "node1", over: .ipv4) },
            "its link-layer address 66:f9:37:c3:7e:94 is that of node node1"
        ),
        (
            { $0.macAddress = MACAddress("67:00:00:00:00:01") },
            "its link-layer address 67:00:00:00:00:01 is no unicast address"
        ),
        (
            { $0.macAddress = MACAddress("66:00:00:00:00:01") },
            "its link-layer address 66:00:00:00:00:01 is in use by 192.168.2.3"
        ),
        (
            { $0.innerAddress = address("10.244.2.0") },
            "its inner address 10.244.2.0 lies in no block that 192.168.1.2 announces"
        ),
        ({ $0.vni = 7 }, "its VNI is 7, this node's is 4096"),
        ({ $0.port = 8472 }, "its UDP port is 8472, this node's is 4789"),
    ]

    @Test("what a node tells of itself is taken as it is")
    func accepted() {
        #expect(judge(Self.told) == .accepted(Self.told))
    }

    @Test("what a node tells of others is refused, with the reason", arguments: refusals.indices)
    func refused(index: Int) {
        var told = Self.told
        Self.refusals[index].change(&told)
        #expect(judge(told) == .refused(reason: Self.refusals[index].reason))
    }

    @Test("what a reflector has dropped is filled in from the Node, or derived from its name")
    func filledIn() {
        var expected = TunnelEndpoint(.vxlan, egress: address("192.168.1.2"))
        expected.macAddress = .vtep(ofNode: "node2", over: .ipv4)
        #expect(judge(TunnelEndpoint(.vxlan)) == .accepted(expected))
        #expect(judge(nil) == .absent)
        var resource = Node(name: "node2", ipv4: Node.Address(address("192.168.1.2"), length: 24))
        resource.tunnelEnds.vxlan[.ipv4] = address("10.244.1.0")
        resource.tunnelEnds.vxlanMAC[.ipv4] = MACAddress("66:00:00:00:00:02")
        expected.innerAddress = address("10.244.1.0")
        expected.macAddress = MACAddress("66:00:00:00:00:02")
        #expect(judge(nil, nodes: [resource]) == .accepted(expected))
        #expect(judge(TunnelEndpoint(.ipip), nodes: [resource]) == .absent)
    }

    @Test("without a list of nodes the end must be the next hop, and the link-layer address told")
    func withoutNodes() {
        #expect(judge(Self.told, nodes: []) == .accepted(Self.told))
        var elsewhere = Self.told
        elsewhere.egress = address("192.168.1.7")
        let reason = "its end 192.168.1.7 is not the next hop 192.168.1.2"
        #expect(judge(elsewhere, nodes: []) == .refused(reason: reason))
        guard case .refused = judge(TunnelEndpoint(.vxlan), nodes: []) else {
            Issue.record("a tunnel without a link-layer address was taken")
            return
        }
    }

    private func judge(_ told: TunnelEndpoint?, nodes: [Node]? = nil) -> TunnelCheck.Finding {
        TunnelCheck(nodes: nodes ?? self.nodes, nodeName: "node1", felix: FelixConfiguration()).judge(
            TunnelCheck.Route(nextHop: address("192.168.1.2"), told: told), .vxlan,
            holder: { $0 == MACAddress("66:00:00:00:00:01") ? address("192.168.2.3") : nil },
            isOwnInner: { prefix("10.244.1.0/26").contains($0) })
    }
}

@Suite("What BGP has learned")
struct LearnedRoutesTests {
    private let endpoint = TunnelEndpoint(
        .vxlan, egress: address("192.168.1.2"), innerAddress: address("10.244.1.0"),
        macAddress: MACAddress("66:00:00:00:00:01"))

    @Test("a link-layer address belongs to the next hop that told of it first, and passes on when that one is gone")
    func holder() {
        var routes = LearnedRoutes()
        let mac = MACAddress(truncating: 0x6600_0000_0001)
        _ = routes.learn([change("10.244.1.0/26", via: "192.168.1.2"), change("10.244.1.64/26", via: "192.168.1.2")])
        _ = routes.learn([change("10.244.9.0/26", via: "192.168.1.9")])
        #expect(routes.holder(of: mac) == address("192.168.1.2"))
        #expect(routes.learn([change("10.244.1.0/26", via: nil)]).contains(prefix("10.244.1.64/26")))
        #expect(routes.holder(of: mac) == address("192.168.1.2"))
        #expect(routes.learn([change("10.244.1.64/26", via: nil)]).contains(prefix("10.244.9.0/26")))
        #expect(routes.holder(of: mac) == address("192.168.1.9"))
        #expect(routes.isAnnounced(.vxlan, .ipv4))
        _ = routes.learn([change("10.244.9.0/26", via: nil)])
        #expect(routes.holder(of: mac) == nil)
        #expect(!routes.isAnnounced(.vxlan, .ipv4) && !routes.isAnnounced(.ipip, .ipv4))
    }

    @Test("a new block of a next hop has the others of it looked at again: its inner address may lie there")
    func inner() {
        var routes = LearnedRoutes()
        _ = routes.learn([change("10.244.1.64/26", via: "192.168.1.2")])
        #expect(!routes.announces(address("192.168.1.2"), address("10.244.1.0")))
        let concerned = routes.learn([change("10.244.1.0/26", via: "192.168.1.2")])
        #expect(concerned.sorted() == [prefix("10.244.1.0/26"), prefix("10.244.1.64/26")])
        #expect(routes.announces(address("192.168.1.2"), address("10.244.1.0")))
    }

    private func change(_ block: String, via nextHop: String?) -> ForwardingChange {
        guard let nextHop else { return ForwardingChange(prefix: prefix(block), best: nil) }
        var attributes = PathAttributes()
        attributes.setTunnelEndpoint(endpoint)
        let route = LearnedRoute(nextHop: NextHop(address(nextHop)), peer: PeerID(1), attributes: attributes)
        return ForwardingChange(prefix: prefix(block), best: .learned(route))
    }
}
