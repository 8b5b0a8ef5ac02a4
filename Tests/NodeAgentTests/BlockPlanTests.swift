import IPAMCore
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("Which blocks a node has")
struct BlockPlanTests {
    private let pool = IPPool(name: "default-pool", cidr: prefix("10.244.0.0/16"))
    private let first = prefix("10.244.0.0/26")
    private let second = prefix("10.244.0.64/26")

    @Test("the blocks of affinities and of claims, by address")
    func fresh() throws {
        let blocks = BlockPlan.blocks(
            view: try view(blocks: [second]), claimed: [first], previous: [], isOccupied: { _ in false })
        #expect(blocks.map(\.cidr) == [first, second])
        #expect(blocks.allSatisfy { $0.pool == "default-pool" && $0.isAnnounced && !$0.isClosed })
    }

    @Test("a block the node had before comes first, whatever its address")
    func age() throws {
        let old = NodeState.OwnedBlock(cidr: second, pool: "default-pool", isAnnounced: true)
        let blocks = BlockPlan.blocks(
            view: try view(blocks: [first, second]), claimed: [], previous: [old], isOccupied: { _ in false })
        #expect(blocks.map(\.cidr) == [second, first])
    }

    @Test("a block taken away stays closed and announced while a pod lives in it, and then goes")
    func withdrawn() throws {
        let old = NodeState.OwnedBlock(cidr: second, pool: "default-pool", isAnnounced: true)
        let view = try view(blocks: [first])
        let occupied = BlockPlan.blocks(view: view, claimed: [], previous: [old], isOccupied: { $0 == second })
        #expect(occupied.map(\.cidr) == [second, first])
        #expect(occupied.first?.isClosed == true && occupied.first?.isAnnounced == true)
        let empty = BlockPlan.blocks(view: view, claimed: [], previous: [old], isOccupied: { _ in false })
        #expect(empty.map(\.cidr) == [first])
    }

    @Test("a disabled pool closes its blocks, and disableBGPExport keeps them to the node")
    func poolSettings() throws {
        var disabled = pool
        disabled.isDisabled = true
        let blocks = BlockPlan.blocks(
            view: try view(pool: disabled, blocks: [first]), claimed: [], previous: [], isOccupied: { _ in false })
        #expect(blocks.map(\.isClosed) == [true])
        #expect(BlockPlan.announced(blocks, pools: [disabled]) == [first])
        var private_ = pool
        private_.disableBGPExport = true
        #expect(BlockPlan.announced(blocks, pools: [private_]).isEmpty)
    }

    private func view(pool: IPPool? = nil, blocks: [IPPrefix]) throws -> NodeView {
        let configuration = ClusterConfiguration(
            pools: [pool ?? self.pool],
            nodes: [Node(name: "node1", ipv4: Node.Address(address("192.168.1.1"), length: 24))],
            affinities: blocks.map { BlockAffinity(name: "a-\($0)", cidr: $0, node: "node1") })
        return try #require(configuration.view(of: "node1"))
    }
}
