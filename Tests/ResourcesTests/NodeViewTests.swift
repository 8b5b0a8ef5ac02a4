import NetTypes
import Resources
import Testing

private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

private func pool(_ name: String, _ cidr: String) throws -> IPPool { IPPool(name: name, cidr: try prefix(cidr)) }

private func affinity(
    _ name: String, _ cidr: String, _ node: String = "n", _ state: BlockAffinity.State = .confirmed,
) throws -> BlockAffinity {
    BlockAffinity(name: name, cidr: try prefix(cidr), node: node, state: state)
}

/// A node with an address of its own.
private func node(_ name: String) throws -> Node {
    let last = name.utf8.reduce(0) { $0 + Int($1) } % 250 + 1
    return Node(name: name, ipv4: Node.Address(try #require(IPAddress("192.168.1.\(last)"))))
}

@Suite("A node's view of the cluster")
struct NodeViewTests {
    @Test("the node itself, its AS number and its port")
    func local() throws {
        let configuration = ClusterConfiguration(
            nodes: [Node(name: "b", asNumber: ASNumber(65001)), Node(name: "a")],
            bgpConfigurations: [
                BGPConfiguration(asNumber: ASNumber(64600), listenPort: 1790),
                BGPConfiguration(name: "node.b", listenPort: 1791),
            ])
        let first = try #require(configuration.view(of: "a"))
        let second = try #require(configuration.view(of: "b"))
        #expect(first.asNumber == ASNumber(64600) && first.listenPort == 1790)
        #expect(second.asNumber == ASNumber(65001) && second.listenPort == 1791)
        #expect(first.nodes.map(\.name) == ["a", "b"])
        #expect(configuration.view(of: "c") == nil)
    }

    @Test("own blocks with their pools; a block that no pool holds is neither open nor announced")
    func blocks() throws {
        let configuration = ClusterConfiguration(
            pools: [try pool("p", "10.244.0.0/16")], nodes: [try node("n"), try node("m")],
            affinities: [
                try affinity("c", "10.99.0.0/26"), try affinity("b", "10.244.1.0/26"),
                try affinity("a", "10.244.0.0/26"), try affinity("m", "10.244.2.0/26", "m"),
            ])
        let view = try #require(configuration.view(of: "n"))
        #expect(view.blocks.map(\.cidr.description) == ["10.99.0.0/26", "10.244.0.0/26", "10.244.1.0/26"])
        #expect(view.blocks.map(\.isOpen) == [false, true, true])
        #expect(view.blocks.map(\.isAnnounced) == [false, true, true])
        #expect(view.blocks.map(\.pool?.name) == [nil, "p", "p"])
        #expect(
            view.warnings == [
                "BlockAffinity/c: block 10.99.0.0/26 lies in no IPPool; it gives no address, and is announced only "
                    + "while pods live in it"
            ])
    }

    @Test("a block of a node that is not there is a warning, one for each such name")
    func strangers() throws {
        let configuration = ClusterConfiguration(
            pools: [try pool("p", "10.244.0.0/16")], nodes: [try node("n")],
            affinities: [
                try affinity("a", "10.244.0.0/26"), try affinity("b", "10.244.1.0/26", "m"),
                try affinity("c", "10.244.2.0/26", "m"),
            ])
        let view = try #require(configuration.view(of: "n"))
        #expect(view.warnings == ["there is no Node/m, to which BlockAffinity/b gives 10.244.1.0/26"])
    }

    @Test("settings of a node that is not there are a warning")
    func settingsOfStrangers() throws {
        let configuration = ClusterConfiguration(
            nodes: [try node("n")],
            bgpConfigurations: ["default", "node.n", "node.nn"].map { BGPConfiguration(name: $0) },
            felixConfigurations: [FelixConfiguration(name: "node.mm")])
        #expect(
            try #require(configuration.view(of: "n")).warnings == [
                "there is no Node/nn, of which BGPConfiguration/node.nn has settings",
                "there is no Node/mm, of which FelixConfiguration/node.mm has settings",
            ])
    }

    @Test("a BGPPeer of a node that is not there is a warning on every node")
    func peersOfStrangers() throws {
        let router = BGPPeer.Remote.address(
            try #require(IPAddress("192.168.1.9")), port: nil, asNumber: ASNumber(64_513))
        let configuration = ClusterConfiguration(
            nodes: [try node("n"), try node("other")],
            peers: [
                BGPPeer(name: "misspelt", scope: .node("nn"), remote: router),
                BGPPeer(name: "right", scope: .node("n"), remote: router),
            ])
        for name in ["n", "other"] {
            let view = try #require(configuration.view(of: name))
            #expect(view.warnings == ["there is no Node/nn, to which BGPPeer/misspelt gives a peer"])
        }
    }

    @Test("a node that is nowhere is a warning on every node, itself included")
    func homeless() throws {
        var six = Node(name: "six")
        six.ipv6 = Node.Address(try #require(IPAddress("fd00::6")))
        let configuration = ClusterConfiguration(nodes: [try node("n"), Node(name: "m"), six])
        for name in ["n", "m", "six"] {
            #expect(
                try #require(configuration.view(of: name)).warnings == [
                    "Node/m has no address, so no node has a session with it or a way to its blocks; give it "
                        + "spec.bgp.ipv4Address, ipv6Address or an InternalIP"
                ])
        }
    }

    @Test("a block is closed, and still announced, when its pool or its affinity says so")
    func closedBlocks() throws {
        let node = Node(name: "n", labels: ["rack": "a"])
        var disabled = try pool("p", "10.244.0.0/16")
        disabled.isDisabled = true
        var elsewhere = try pool("p", "10.244.0.0/16")
        elsewhere.nodeSelector = try Selector(parsing: "rack == 'b'")
        var here = elsewhere
        here.nodeSelector = try Selector(parsing: "rack == 'a'")
        let plain = try pool("p", "10.244.0.0/16")
        for (pool, state, isOpen) in [
            (disabled, BlockAffinity.State.confirmed, false), (elsewhere, .confirmed, false), (here, .confirmed, true),
            (plain, .pending, false), (plain, .pendingDeletion, false), (plain, .confirmed, true),
        ] {
            let configuration = ClusterConfiguration(
                pools: [pool], nodes: [node], affinities: [try affinity("a", "10.244.0.0/26", "n", state)])
            let block = try #require(configuration.view(of: "n")?.blocks.first)
            #expect(block.isOpen == isOpen)
            #expect(block.isAnnounced)
            #expect(block.conflict == nil)
        }
    }

    @Test("a pool that BGP keeps to the node has blocks that are open and not announced")
    func unexported() throws {
        var pool = try pool("p", "10.244.0.0/16")
        pool.disableBGPExport = true
        let configuration = ClusterConfiguration(
            pools: [pool], nodes: [Node(name: "n")], affinities: [try affinity("a", "10.244.0.0/26")])
        let block = try #require(configuration.view(of: "n")?.blocks.first)
        #expect(block.isOpen && !block.isAnnounced)
    }

    @Test("a block that two affinities claim is closed for both nodes, naming both, and stays announced")
    func disputedBlock() throws {
        let configuration = ClusterConfiguration(
            pools: [try pool("p", "10.244.0.0/16")], nodes: [Node(name: "n"), Node(name: "m")],
            affinities: [
                try affinity("a", "10.244.0.0/26"), try affinity("b", "10.244.0.32/27", "m"),
                try affinity("c", "10.244.0.64/26"),
            ])
        let mine = try #require(configuration.view(of: "n")).blocks
        let other = try #require(configuration.view(of: "m")).blocks
        #expect(mine.map(\.isOpen) == [false, true] && other.map(\.isOpen) == [false])
        #expect(mine.allSatisfy(\.isAnnounced) && other.allSatisfy(\.isAnnounced))
        #expect(
            mine.first?.conflict
                == "block 10.244.0.0/26 of BlockAffinity/a (node n) overlaps 10.244.0.32/27 of BlockAffinity/b (node m)"
        )
        #expect(
            configuration.conflicts.map(\.description) == [
                "BlockAffinity/a: 10.244.0.0/26 of node n overlaps BlockAffinity/b 10.244.0.32/27 of node m; "
                    + "no address is given out from either"
            ])
    }

    @Test("a block where two pools overlap is closed, the others of those pools are not")
    func overlappingPools() throws {
        let configuration = ClusterConfiguration(
            pools: [try pool("wide", "10.244.0.0/16"), try pool("narrow", "10.244.1.0/24")],
            nodes: [Node(name: "n")],
            affinities: [try affinity("a", "10.244.0.0/26"), try affinity("b", "10.244.1.0/26")])
        let view = try #require(configuration.view(of: "n"))
        #expect(view.blocks.map(\.isOpen) == [true, false])
        #expect(
            view.blocks.last?.conflict
                == "block 10.244.1.0/26 lies in two pools: IPPool/narrow 10.244.1.0/24 and IPPool/wide 10.244.0.0/16")
        #expect(
            configuration.conflicts.map(\.description) == [
                "IPPool/narrow: 10.244.1.0/24 overlaps IPPool/wide 10.244.0.0/16; "
                    + "no address is given out where they overlap"
            ])
    }

    @Test("a conflict is a warning at its place, and the configuration is whole")
    func conflictDiagnostics() {
        let decoded = ResourceDecoder.decode([
            resource("IPPool", "a", ["cidr": "10.0.0.0/8"]),
            resource("IPPool", "b", ["cidr": "10.1.0.0/16"], file: "b.yaml"),
        ])
        #expect(decoded.isWhole)
        #expect(
            decoded.diagnostics.map { "\($0.severity): \($0)" } == [
                "warning: a.yaml:0: IPPool/a: 10.0.0.0/8 overlaps IPPool/b 10.1.0.0/16; "
                    + "no address is given out where they overlap"
            ])
    }

    @Test("two nodes with one address are both refused, each naming the other")
    func sharedAddress() {
        let decoded = ResourceDecoder.decode([
            resource("Node", "n", ["bgp": ["ipv4Address": "192.168.1.1/24"]]),
            resource("Node", "m", ["bgp": ["ipv4Address": "192.168.1.1/24"]]),
            resource("Node", "o", ["bgp": ["ipv4Address": "192.168.1.2/24"]]),
        ])
        #expect(!decoded.isWhole)
        #expect(decoded.configuration.nodes.map(\.name) == ["o"])
        #expect(
            Set(decoded.diagnostics.map { "\($0.severity): \($0)" }) == [
                "error: a.yaml:0: Node/n: Node/m has the address 192.168.1.1 too; neither is used",
                "error: a.yaml:0: Node/m: Node/n has the address 192.168.1.1 too; neither is used",
            ])
    }

    @Test("the order of the resources makes no difference")
    func order() throws {
        let pools = [try pool("a", "10.0.0.0/16"), try pool("b", "10.1.0.0/16")]
        let nodes = [Node(name: "a"), Node(name: "b")]
        #expect(
            ClusterConfiguration(pools: pools, nodes: nodes)
                == ClusterConfiguration(pools: pools.reversed(), nodes: nodes.reversed()))
    }
}
