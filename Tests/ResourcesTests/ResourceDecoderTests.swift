import NetTypes
import Resources
import Testing

@Suite("Reading resources")
struct ResourceDecoderTests {
    @Test("a pool with all its fields")
    func wholePool() throws {
        let decoded = ResourceDecoder.decode([
            resource(
                "IPPool", "default",
                [
                    "cidr": "10.244.0.0/16", "blockSize": 24, "ipipMode": "Off", "vxlanMode": "CrossSubnet",
                    "natOutgoing": true, "disabled": true, "nodeSelector": "rack == 'a'", "disableBGPExport": true,
                ])
        ])
        let pool = IPPool(
            name: "default", cidr: try #require(IPPrefix("10.244.0.0/16")), blockSize: 24,
            vxlanMode: .crossSubnet, natOutgoing: true, isDisabled: true,
            nodeSelector: try Selector(parsing: "rack=='a'"), disableBGPExport: true)
        #expect(decoded.configuration == .init(pools: [pool]) && decoded.diagnostics.isEmpty)
    }

    @Test(
        "the block size of a pool that names none is Calico's",
        arguments: [("10.244.0.0/16", UInt8(26)), ("fd00:10::/64", 122)])
    func defaultBlockSize(cidr: String, size: UInt8) throws {
        let decoded = ResourceDecoder.decode([resource("IPPool", "p", ["cidr": .plain(cidr)])])
        let pool = try #require(decoded.configuration.pools.first)
        #expect(pool.blockSize == size)
        #expect(pool.nodeSelector == .all && !pool.isDisabled && !pool.natOutgoing && !pool.disableBGPExport)
    }

    @Test("a pool for other uses is disabled, a manual one must be asked for, and a use that is none is refused")
    func manualPool() {
        func decoded(_ spec: Shape) -> DecodedResources { ResourceDecoder.decode([resource("IPPool", "p", spec)]) }
        let tunnels = decoded(["cidr": "10.0.0.0/16", "allowedUses": ["Tunnel"]])
        #expect(tunnels.configuration.pools.map(\.isDisabled) == [true] && tunnels.isWhole)
        let manual = decoded(["cidr": "10.0.0.0/16", "assignmentMode": "Manual"])
        #expect(manual.configuration.pools.map(\.isManual) == [true] && manual.isWhole)
        #expect(manual.configuration.pools.map(\.isDisabled) == [false])
        let wrong = decoded(["cidr": "10.0.0.0/16", "allowedUses": ["Workloads"]])
        #expect(wrong.configuration.pools.isEmpty)
        #expect(wrong.diagnostics.first?.description.contains("spec.allowedUses: expected one of Workload") == true)
    }

    @Test("the BGP settings of the cluster and of a node")
    func bgpConfiguration() {
        let decoded = ResourceDecoder.decode([
            resource(
                "BGPConfiguration", "default",
                [
                    "asNumber": "1.10", "nodeToNodeMeshEnabled": false, "listenPort": 1790,
                    "nodeMeshMaxRestartTime": "1m30s", "logSeverityScreen": "Info",
                ]),
            resource("BGPConfiguration", "node.node1", ["listenPort": 1791]),
            resource("BGPConfiguration", "node.node3", ["bindMode": "None"]),
        ])
        #expect(decoded.configuration.asNumber == ASNumber(65546))
        #expect(!decoded.configuration.isMeshEnabled)
        #expect(decoded.configuration.meshMaxRestartTime == .seconds(90))
        #expect(decoded.configuration.listenPort(of: "node1") == 1791)
        #expect(decoded.configuration.listenPort(of: "node2") == 1790)
        #expect(decoded.configuration.listensEverywhere("node3"))
        #expect(!decoded.configuration.listensEverywhere("node1"))
        #expect(
            decoded.diagnostics.map(\.description) == [
                "a.yaml:10: BGPConfiguration/default: spec.logSeverityScreen: has no effect in this version"
            ])
        #expect(decoded.diagnostics.map(\.severity) == [.note])
    }

    @Test("without any BGPConfiguration Calico's defaults hold")
    func defaults() {
        let configuration = ResourceDecoder.decode([]).configuration
        #expect(configuration.asNumber == ASNumber(64512))
        #expect(configuration.isMeshEnabled)
        #expect(configuration.listenPort(of: "node1") == 179)
        #expect(configuration.meshMaxRestartTime == .seconds(120))
    }

    @Test(
        "a peer's address, with and without a port",
        arguments: [
            ("192.168.1.254", "192.168.1.254", UInt16?.none), ("192.168.1.254:1790", "192.168.1.254", 1790),
            ("fd00::1", "fd00::1", nil), ("[fd00::1]:179", "fd00::1", 179),
        ])
    func peerAddress(text: String, address: String, port: UInt16?) throws {
        let decoded = ResourceDecoder.decode([
            resource("BGPPeer", "tor", ["peerIP": .plain(text), "asNumber": 65001, "keepOriginalNextHop": true])
        ])
        let parsed = try #require(IPAddress(address))
        let expected = BGPPeer(
            name: "tor", scope: .global, remote: .address(parsed, port: port, asNumber: ASNumber(65001)),
            nextHopMode: .keep)
        #expect(decoded.configuration == .init(peers: [expected]) && decoded.diagnostics.isEmpty)
    }

    @Test("a peer for some nodes, and one between nodes")
    func peerScopes() throws {
        let decoded = ResourceDecoder.decode([
            resource(
                "BGPPeer", "a",
                [
                    "node": "node1", "peerSelector": "rr == 'true'", "reversePeering": "Manual",
                    "keepaliveTime": "10s", "maxRestartTime": "2m", "nextHopMode": "Self",
                ]),
            resource("BGPPeer", "b", ["nodeSelector": "has(rack)", "peerIP": "10.0.0.1", "asNumber": 1]),
        ])
        let first = BGPPeer(
            name: "a", scope: .node("node1"),
            remote: .peerSelector(try Selector(parsing: "rr == 'true'"), isReversed: false), nextHopMode: .own,
            keepaliveTime: .seconds(10), maxRestartTime: .seconds(120))
        #expect(decoded.diagnostics == [])
        #expect(decoded.configuration.peers.first == first)
        #expect(decoded.configuration.peers.last?.scope == .nodeSelector(Selector(.has("rack"))))
    }

    @Test("an affinity, and one that is about to go")
    func affinities() throws {
        let decoded = ResourceDecoder.decode([
            resource("BlockAffinity", "a", ["cidr": "10.244.0.0/26", "node": "node1", "state": "confirmed"]),
            resource(
                "BlockAffinity", "b", ["cidr": "10.244.1.0/26", "node": "node1", "deleted": .quoted("true")]),
        ])
        #expect(decoded.diagnostics == [])
        #expect(decoded.configuration.affinities.map(\.state) == [.confirmed, .pendingDeletion])
    }

    @Test("what a cluster exports can be read back: a list, null fields and metadata of its own")
    func exported() {
        let item: Shape = [
            "apiVersion": "projectcalico.org/v3", "kind": "IPPool",
            "metadata": ["name": "p", "uid": "1", "creationTimestamp": "null", "resourceVersion": "12"],
            "spec": ["cidr": "10.0.0.0/16", "blockSize": "~"],
        ]
        let decoded = ResourceDecoder.decode([
            document(
                [
                    "apiVersion": "projectcalico.org/v3", "kind": "IPPoolList", "items": [item],
                    "metadata": ["resourceVersion": "1"],
                ])
        ])
        #expect(decoded.diagnostics == [])
        #expect(decoded.configuration.pools.map(\.name) == ["p"])
    }

    @Test("what kubectl prints of several resources is a List of whatever kinds")
    func plainList() {
        let pool: Shape = [
            "apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": ["name": "p"],
            "spec": ["cidr": "10.0.0.0/16"],
        ]
        let node: Shape = [
            "apiVersion": "projectcalico.org/v3", "kind": "Node", "metadata": ["name": "n"], "spec": [:],
        ]
        let decoded = ResourceDecoder.decode([
            document(["apiVersion": "v1", "kind": "List", "items": [pool, node], "metadata": ["resourceVersion": ""]])
        ])
        #expect(decoded.diagnostics == [])
        #expect(decoded.configuration.pools.map(\.name) == ["p"])
        #expect(decoded.configuration.nodes.map(\.name) == ["n"])
    }

    @Test("an empty document is none")
    func emptyDocument() {
        #expect(findings(document("")) == [])
    }
}

@Suite("A Node's addresses")
struct NodeDecodingTests {
    @Test(
        "the ends of a network of two addresses or one are nodes' addresses, as is one whose network nobody has said",
        arguments: [
            "10.1.1.0", "10.1.1.255", "10.1.1.0/31", "10.1.1.1/31", "10.1.1.0/32", "10.1.1.1/24", "10.1.1.0/16",
            "10.1.1.255/16", "10.1.1.1/0", "fd00::", "fd00::/127", "fd00::/128", "fd00::ffff:ffff:ffff:ffff/64",
        ])
    func endsOfNetworks(_ text: String) {
        let field = text.contains(":") ? "ipv6Address" : "ipv4Address"
        #expect(findings(resource("Node", "n", ["bgp": [field: .plain(text)]])) == [])
    }

    @Test("the BGP section counts first")
    func bgpSection() throws {
        let decoded = ResourceDecoder.decode([
            document([
                "apiVersion": "projectcalico.org/v3", "kind": "Node",
                "metadata": ["name": "node1", "labels": ["rack": "a", "edge": ""]],
                "spec": [
                    "bgp": [
                        "ipv4Address": "192.168.1.1/24", "ipv6Address": "fd00::1", "asNumber": 64513,
                        "routeReflectorClusterID": "244.0.0.1",
                    ],
                    "addresses": [["type": "InternalIP", "address": "10.0.0.1"]],
                    "orchRefs": [["orchestrator": "k8s"]],
                ],
            ])
        ])
        let expected = Node(
            name: "node1", labels: ["rack": "a", "edge": ""],
            ipv4: .init(try #require(IPAddress("192.168.1.1")), length: 24),
            ipv6: .init(try #require(IPAddress("fd00::1"))), asNumber: ASNumber(64513),
            routeReflectorClusterID: RouterID("244.0.0.1"))
        #expect(decoded.configuration == .init(nodes: [expected]) && decoded.diagnostics.isEmpty)
    }

    @Test("without one the first InternalIP of each family counts, of the spec before the status")
    func internalAddresses() throws {
        let decoded = ResourceDecoder.decode([
            document([
                "apiVersion": "projectcalico.org/v3", "kind": "Node", "metadata": ["name": "n"],
                "spec": [
                    "addresses": [
                        ["type": "ExternalIP", "address": "203.0.113.1"],
                        ["type": "InternalIP", "address": "192.168.1.1/24"],
                        ["type": "InternalIP", "address": "192.168.1.9"],
                    ]
                ],
                "status": [
                    "addresses": [
                        ["type": "InternalIP", "address": "192.168.1.8"],
                        ["type": "InternalIP", "address": "fd00::8"],
                        ["type": "Hostname", "address": "n"],
                    ],
                    "nodeInfo": ["kernelVersion": "6.18"],
                ],
            ])
        ])
        #expect(decoded.diagnostics == [])
        #expect(decoded.configuration.nodes.map(\.addresses.description) == ["[192.168.1.1/24, fd00::8]"])
    }

    @Test("a Node without any address is a Node")
    func noAddress() {
        let decoded = ResourceDecoder.decode([
            document(["apiVersion": "projectcalico.org/v3", "kind": "Node", "metadata": ["name": "n"]])
        ])
        #expect(decoded.isWhole)
        #expect(decoded.configuration.nodes.map(\.addresses) == [[]])
    }
}
