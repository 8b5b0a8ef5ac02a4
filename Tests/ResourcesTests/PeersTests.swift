import NetTypes
import Resources
import Testing

private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

private func node(
    _ name: String, _ ipv4: String?, _ ipv6: String? = nil, labels: [String: String] = [:], asNumber: UInt32? = nil,
    clusterID: String? = nil,
) throws -> Node {
    Node(
        name: name, labels: labels, ipv4: try ipv4.map { .init(try address($0), length: 24) },
        ipv6: try ipv6.map { .init(try address($0), length: 64) }, asNumber: asNumber.map { ASNumber($0) },
        routeReflectorClusterID: try clusterID.map { try #require(RouterID($0)) })
}

/// A peer in a line: address, port, AS number, type, and what is special.
private func lines(_ configuration: ClusterConfiguration, _ name: String) throws -> [String] {
    try #require(configuration.view(of: name)).peers.map { peer in
        var words = ["\(peer.address):\(peer.port) AS \(peer.asNumber) \(peer.kind.rawValue)"]
        if let node = peer.nodeName { words.append("node \(node)") }
        if let resource = peer.resourceName { words.append("by \(resource)") }
        words.append("from \(peer.localAddress?.description ?? "nowhere")")
        if peer.isRouteReflectorClient { words.append("client") }
        return words.joined(separator: ", ")
    }
}

@Suite("A node's BGP peers")
struct PeersTests {
    @Test("the mesh is every other node, a session for each family that both have")
    func mesh() throws {
        let configuration = ClusterConfiguration(
            nodes: [
                try node("a", "192.168.1.1", "fd00::1"), try node("b", "192.168.1.2"),
                try node("c", "192.168.1.3", "fd00::3", asNumber: 65003), try node("d", nil),
            ],
            bgpConfigurations: [
                BGPConfiguration(listenPort: 1790, nodeMeshMaxRestartTime: .seconds(60)),
                BGPConfiguration(name: "node.b", listenPort: 1791),
            ])
        #expect(
            try lines(configuration, "a") == [
                "192.168.1.2:1791 AS 64512 node-to-node mesh, node b, from 192.168.1.1",
                "192.168.1.3:1790 AS 65003 node-to-node mesh, node c, from 192.168.1.1",
                "fd00::3:1790 AS 65003 node-to-node mesh, node c, from fd00::1",
            ])
        #expect(try lines(configuration, "d") == [])
        let peers = try #require(configuration.view(of: "a")).peers
        #expect(peers.allSatisfy { $0.maxRestartTime == .seconds(60) && $0.keepaliveTime == nil })
    }

    @Test("clients keep their reflector's routes long, a reflector asks for it; a field says otherwise")
    func longLived() throws {
        let nodes = [
            try node("a", "10.0.0.1"), try node("b", "10.0.0.2"), try node("r", "10.0.0.9", clusterID: "1.1.1.1"),
        ]
        let all = try Selector(parsing: "all()")
        var peer = BGPPeer(name: "p", scope: .node("r"), remote: .peerSelector(all, isReversed: true))
        func terms(_ name: String) throws -> [String: String] {
            let configuration = ClusterConfiguration(nodes: nodes, peers: [peer])
            let peers = try #require(configuration.view(of: name)).peers
            return Dictionary(
                uniqueKeysWithValues: peers.map { peer in
                    let seconds = peer.longLivedStaleTime.components.seconds
                    return ("\(peer.address)", "asks \(seconds), keeps \(peer.keepsLongLivedRoutes)")
                })
        }
        #expect(try terms("a") == ["10.0.0.9": "asks 0, keeps true", "10.0.0.2": "asks 0, keeps false"])
        #expect(try terms("r") == ["10.0.0.1": "asks 3600, keeps false", "10.0.0.2": "asks 3600, keeps false"])
        peer.session.longLivedStaleTime = .seconds(60)
        #expect(try terms("a")["10.0.0.9"] == "asks 60, keeps true")
        #expect(try terms("r")["10.0.0.1"] == "asks 60, keeps true")
        peer.session.longLivedStaleTime = .zero
        #expect(try terms("a")["10.0.0.9"] == "asks 0, keeps false")
        #expect(try terms("r")["10.0.0.1"] == "asks 0, keeps false")
    }

    @Test("no mesh when it is off, none on a route reflector, none towards one")
    func noMesh() throws {
        let nodes = [
            try node("a", "10.0.0.1"), try node("b", "10.0.0.2"), try node("r", "10.0.0.9", clusterID: "1.1.1.1"),
        ]
        let off = ClusterConfiguration(nodes: nodes, bgpConfigurations: [.init(nodeToNodeMeshEnabled: false)])
        #expect(try lines(off, "a") == [])
        let meshed = ClusterConfiguration(nodes: nodes)
        #expect(try lines(meshed, "a") == ["10.0.0.2:179 AS 64512 node-to-node mesh, node b, from 10.0.0.1"])
        #expect(try lines(meshed, "r") == [])
    }

    @Test("a router for one node, for some nodes and for all")
    func routers() throws {
        func router(_ name: String, _ scope: BGPPeer.Scope, _ last: UInt8, port: UInt16? = nil) -> BGPPeer {
            BGPPeer(
                name: name, scope: scope,
                remote: .address(.v4(IPv4Address(10, 9, 0, last)), port: port, asNumber: ASNumber(65000)),
                keepaliveTime: .seconds(5), maxRestartTime: .seconds(7))
        }
        let configuration = ClusterConfiguration(
            nodes: [try node("a", "10.0.0.1", labels: ["rack": "1"]), try node("b", "10.0.0.2")],
            peers: [
                router("all", .global, 1), router("one", .node("b"), 2, port: 1790),
                router("some", .nodeSelector(try Selector(parsing: "rack == '1'")), 3),
            ], bgpConfigurations: [.init(nodeToNodeMeshEnabled: false)])
        #expect(
            try lines(configuration, "a") == [
                "10.9.0.1:179 AS 65000 global, by all, from 10.0.0.1",
                "10.9.0.3:179 AS 65000 node specific, by some, from 10.0.0.1",
            ])
        #expect(
            try lines(configuration, "b") == [
                "10.9.0.1:179 AS 65000 global, by all, from 10.0.0.2",
                "10.9.0.2:1790 AS 65000 node specific, by one, from 10.0.0.2",
            ])
        let peers = try #require(configuration.view(of: "a")).peers
        #expect(peers.allSatisfy { $0.keepaliveTime == .seconds(5) && $0.maxRestartTime == .seconds(7) })
    }

    @Test("a route reflector and its clients, by selectors, from both ends")
    func reflectors() throws {
        func cluster(isReversed: Bool) throws -> ClusterConfiguration {
            ClusterConfiguration(
                nodes: [
                    try node("a", "10.0.0.1"), try node("b", "10.0.0.2"),
                    try node("r1", "10.0.0.8", labels: ["rr": "yes"], clusterID: "1.1.1.1"),
                    try node("r2", "10.0.0.9", labels: ["rr": "yes"], clusterID: "1.1.1.1"),
                ],
                peers: [
                    BGPPeer(
                        name: "rr", scope: .nodeSelector(try Selector(parsing: "!has(rr)")),
                        remote: .peerSelector(try Selector(parsing: "rr == 'yes'"), isReversed: isReversed)),
                    BGPPeer(
                        name: "rr-mesh", scope: .nodeSelector(try Selector(parsing: "has(rr)")),
                        remote: .peerSelector(try Selector(parsing: "has(rr)"), isReversed: isReversed)),
                ], bgpConfigurations: [.init(nodeToNodeMeshEnabled: false)])
        }
        #expect(
            try lines(try cluster(isReversed: true), "a") == [
                "10.0.0.8:179 AS 64512 node specific, node r1, by rr, from 10.0.0.1",
                "10.0.0.9:179 AS 64512 node specific, node r2, by rr, from 10.0.0.1",
            ])
        #expect(
            try lines(try cluster(isReversed: true), "r1") == [
                "10.0.0.1:179 AS 64512 node specific, node a, by rr, from 10.0.0.8, client",
                "10.0.0.2:179 AS 64512 node specific, node b, by rr, from 10.0.0.8, client",
                // Of one cluster: no client of each other.
                "10.0.0.9:179 AS 64512 node specific, node r2, by rr-mesh, from 10.0.0.8",
            ])
        #expect(
            try lines(try cluster(isReversed: false), "r1") == [
                "10.0.0.9:179 AS 64512 node specific, node r2, by rr-mesh, from 10.0.0.8"
            ])
    }

    @Test("an eBGP peer of a route reflector is no client, an iBGP router without a cluster is one")
    func reflectorsRouters() throws {
        let configuration = ClusterConfiguration(
            nodes: [try node("r", "10.0.0.9", clusterID: "1.1.1.1")],
            peers: [
                BGPPeer(
                    name: "e", scope: .global,
                    remote: .address(try address("10.9.0.1"), port: nil, asNumber: ASNumber(65000))),
                BGPPeer(
                    name: "i", scope: .global,
                    remote: .address(try address("10.9.0.2"), port: nil, asNumber: ASNumber(64512))),
            ])
        #expect(
            try lines(configuration, "r") == [
                "10.9.0.1:179 AS 65000 global, by e, from 10.0.0.9",
                "10.9.0.2:179 AS 64512 global, by i, from 10.0.0.9, client",
            ])
    }

    @Test("an address occurs once: a node's own peer before a global one before the mesh")
    func precedence() throws {
        func peer(_ name: String, _ scope: BGPPeer.Scope, _ asNumber: UInt32 = 65000) throws -> BGPPeer {
            BGPPeer(
                name: name, scope: scope,
                remote: .address(try address("10.0.0.2"), port: nil, asNumber: ASNumber(asNumber)))
        }
        let nodes = [try node("a", "10.0.0.1"), try node("b", "10.0.0.2")]
        let all = ClusterConfiguration(nodes: nodes, peers: [try peer("g", .global), try peer("n", .node("a"))])
        #expect(try lines(all, "a") == ["10.0.0.2:179 AS 65000 node specific, node b, by n, from 10.0.0.1"])
        // Nobody peers with itself.
        #expect(try lines(all, "b") == ["10.0.0.1:179 AS 64512 node-to-node mesh, node a, from 10.0.0.2"])
        #expect(try #require(all.view(of: "a")).warnings == [])
        let differing = ClusterConfiguration(
            nodes: nodes, peers: [try peer("g", .global, 65001), try peer("n", .node("a"))])
        #expect(try lines(differing, "a") == ["10.0.0.2:179 AS 65000 node specific, node b, by n, from 10.0.0.1"])
        #expect(
            try #require(differing.view(of: "a")).warnings == [
                "BGPPeer/n and BGPPeer/g name the same peer, 10.0.0.2, and differ; the first is used"
            ])
    }

    @Test("a peer that is a node is called where it listens, unless a port is given")
    func nodesPort() throws {
        func peer(_ name: String, _ text: String, port: UInt16?) throws -> BGPPeer {
            BGPPeer(
                name: name, scope: .node("a"),
                remote: .address(try address(text), port: port, asNumber: ASNumber(64512)))
        }
        let configuration = ClusterConfiguration(
            nodes: [
                try node("a", "10.0.0.1"), try node("b", "10.0.0.2"), try node("c", "10.0.0.3"),
                try node("d", "10.0.0.4"),
            ],
            peers: [
                try peer("b", "10.0.0.2", port: nil), try peer("c", "10.0.0.3", port: nil),
                try peer("d", "10.0.0.4", port: 179), try peer("router", "10.0.0.9", port: nil),
            ],
            bgpConfigurations: [
                BGPConfiguration(nodeToNodeMeshEnabled: false, listenPort: 1790),
                BGPConfiguration(name: "node.c", listenPort: 1791),
            ])
        #expect(try #require(configuration.view(of: "a")).peers.map(\.port) == [1790, 1791, 179, 179])
    }

    @Test("a router of a family that the node has no address of is a peer without a local address")
    func noLocalAddress() throws {
        let configuration = ClusterConfiguration(
            nodes: [try node("a", "10.0.0.1")],
            peers: [
                BGPPeer(
                    name: "six", scope: .global,
                    remote: .address(try address("fd00::9"), port: nil, asNumber: ASNumber(64512)))
            ])
        #expect(try lines(configuration, "a") == ["fd00::9:179 AS 64512 global, by six, from nowhere"])
    }
}
