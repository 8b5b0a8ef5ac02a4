import NetTypes
import NodeLink
import Testing

@testable import apusctl

struct RowTests {
    @Test("every kind of row has a cell for every column")
    func cells() throws {
        let prefix = try #require(IPPrefix("10.244.0.0/26"))
        let pool = PoolRow(
            name: "p", cidr: prefix, mode: "vxlan", blockSize: 26, natOutgoing: true, isDisabled: false,
            nodeSelector: "")
        #expect(pool.cells == ["p", "10.244.0.0/26", "vxlan", "26", "true", "false", "all()"])
        #expect(pool.cells.count == PoolRow.header.count)
        let block = BlockRow(
            cidr: prefix, node: "b", pool: "p", isAnnounced: true, isClosed: false, allocated: nil, free: 60)
        #expect(block.cells == ["10.244.0.0/26", "b", "p", "-", "60", "true", "false"])
        #expect(block.cells.count == BlockRow.header.count)
        let route = RouteRow(
            prefix: prefix, nextHop: "192.168.1.2", peer: "", asPath: "", mode: "bgp", state: "programmed",
            link: "eth0")
        #expect(route.cells.count == RouteRow.header.count)
        let node = NodeRow(name: "a", asNumber: ASNumber(1), ipv4: nil, ipv6: "fd00::1/64")
        #expect(node.cells == ["a", "1", "", "fd00::1/64"])
    }

    @Test("a resource is written as the YAML that it was read from, what YAML might read otherwise in quotes")
    func yaml() {
        let document: JSONValue = [
            "kind": "BGPPeer", "metadata": ["name": "tor", "labels": ["rack/no": "7"]],
            "spec": [
                "peerIP": "10.0.0.9", "asNumber": 64512, "localASNumber": "1.10", "filters": ["a", "no"],
                "nodeSelector": "rack == 'x'", "passive": true, "empty": [:],
                "rules": [["cidr": "10.0.0.0/8", "matchOperator": "In"], ["source": "fd00::1"]],
            ],
        ]
        let row = ResourceRow(kind: "BGPPeer", name: "tor", file: "peers.yaml", document: document)
        #expect(
            row.yaml == """
                # peers.yaml
                kind: BGPPeer
                metadata:
                  name: tor
                  labels:
                    rack/no: "7"
                spec:
                  peerIP: 10.0.0.9
                  asNumber: 64512
                  localASNumber: "1.10"
                  filters:
                  - a
                  - "no"
                  nodeSelector: "rack == 'x'"
                  passive: true
                  empty: {}
                  rules:
                  - cidr: 10.0.0.0/8
                    matchOperator: In
                  - source: "fd00::1"

                """)
        #expect(ResourceRow(kind: "IPPool", name: "p", file: nil, document: nil).yaml == "# in no file\n# IPPool/p\n")
    }

    @Test("a kind has the names that calicoctl's users know, and its columns are of its resource")
    func kinds() {
        for word in ["bgppeers", "BGPPeer", "bgpp"] { #expect(ListedKind(word) == .bgpPeers) }
        #expect(ListedKind("bgpconfig") == .bgpConfigurations && ListedKind("felixconfig") == .felixConfigurations)
        #expect(ListedKind("pods") == nil)
        let row = ResourceRow(
            kind: "BGPPeer", name: "tor", file: nil,
            document: ["spec": ["peerIP": "10.0.0.9", "asNumber": 64512, "filters": ["a", "b"]]])
        #expect(ListedKind.bgpPeers.columns.map { $0.cell(of: row) } == ["10.0.0.9", "", "64512", "a,b"])
    }
}
