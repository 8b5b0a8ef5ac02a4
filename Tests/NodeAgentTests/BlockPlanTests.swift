import IPAMCore
import NetTypes
import NodeLink
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
        let plan = BlockPlan(try input(own: [second], claimed: [first]))
        #expect(plan.blocks.map(\.cidr) == [first, second])
        #expect(plan.blocks.allSatisfy { $0.pool == "default-pool" && $0.isAnnounced && !$0.isClosed })
        #expect(plan.conflicts.isEmpty)
    }

    @Test("a block the node had before comes first, whatever its address")
    func age() throws {
        let plan = BlockPlan(try input(own: [first, second], previous: [second]))
        #expect(plan.blocks.map(\.cidr) == [second, first])
    }

    @Test("a block taken away stays closed and announced while a pod lives in it, and then goes")
    func withdrawn() throws {
        let occupied = BlockPlan(try input(own: [first], previous: [second], occupied: [second]))
        #expect(occupied.blocks.map(\.cidr) == [second, first])
        #expect(occupied.blocks.first?.isClosed == true && occupied.blocks.first?.isAnnounced == true)
        #expect(BlockPlan(try input(own: [first], previous: [second])).blocks.map(\.cidr) == [first])
    }

    @Test("a disabled pool closes its blocks")
    func disabledPool() throws {
        var disabled = pool
        disabled.isDisabled = true
        let plan = BlockPlan(try input(pool: disabled, own: [first], claimed: [second]))
        #expect(plan.blocks.map(\.isClosed) == [true, true])
    }

    @Test("why a block is closed: the pool is disabled or not for pods, does not select the node, or is gone")
    func closures() throws {
        func closures(_ change: (inout IPPool) throws -> Void) throws -> [BlockClosure?] {
            var pool = pool
            try change(&pool)
            let plan = BlockPlan(try input(pool: pool, own: [first], claimed: [second], previous: [first, second]))
            return [first, second].map { plan.closures[$0] }
        }
        #expect(try closures { _ in } == [nil, nil])
        #expect(try closures { $0.isDisabled = true } == [.disabled, .disabled])
        #expect(try closures { ($0.isDisabled, $0.isForPods) = (true, false) } == [.uses, .uses])
        #expect(try closures { $0.nodeSelector = try Selector(parsing: "zone == 'a'") } == [.selector, .selector])
        let moved = IPPool(name: "default-pool", cidr: prefix("10.9.0.0/16"))
        let gone = BlockPlan(try input(pool: moved, own: [first], previous: [first], occupied: [first]))
        #expect(gone.closures == [first: .noPool])
        let withdrawn = BlockPlan(try input(previous: [first], occupied: [first]))
        #expect(withdrawn.closures == [first: .withdrawn])
        let pending = BlockAffinity(name: "own", cidr: first, node: "node1", state: .pendingDeletion)
        #expect(BlockPlan(try input(others: [pending])).closures == [first: .affinityState])
        let rival = BlockAffinity(name: "rival", cidr: first, node: "node2")
        let disputed = BlockPlan(try input(own: [first], others: [rival], previous: [first], occupied: [first]))
        #expect(disputed.closures == [first: .conflict])
        #expect(disputed.blocks.allSatisfy { $0.isDisputed == ($0.cidr == first) })
    }

    @Test("a block that two affinities give away is closed while a pod lives in it, and left alone else, held or not")
    func disputedAffinity() throws {
        let others = [BlockAffinity(name: "rival", cidr: first, node: "node2")]
        let holder = BlockPlan(try input(own: [first], others: others, previous: [first], occupied: [first]))
        #expect(holder.blocks.map(\.cidr) == [first] && holder.blocks.allSatisfy { $0.isClosed && $0.isAnnounced })
        #expect(
            holder.conflicts[first]?.contains("node1") == true && holder.conflicts[first]?.contains("node2") == true)
        for previous in [[], [first]] {
            let empty = BlockPlan(try input(own: [first], others: others, previous: previous))
            #expect(empty.blocks.isEmpty && empty.conflicts[first] != nil)
        }
        let inhabited = BlockPlan(try input(own: [first], others: others, occupied: [first]))
        #expect(inhabited.blocks.map(\.isClosed) == [true])
    }

    @Test("a claim that an affinity of another node overlaps is closed while a pod lives in it, and then forgotten")
    func disputedClaim() throws {
        let others = [BlockAffinity(name: "rival", cidr: prefix("10.244.0.0/24"), node: "node2")]
        let plan = BlockPlan(try input(others: others, claimed: [first], previous: [first], occupied: [first]))
        #expect(plan.blocks.map(\.isClosed) == [true])
        #expect(plan.conflicts[first]?.contains("rival") == true && plan.outranked.isEmpty)
        let empty = BlockPlan(try input(others: others, claimed: [first, second], previous: [first]))
        #expect(empty.blocks.isEmpty && empty.conflicts.isEmpty && empty.outranked == [first, second])
    }

    @Test("no two open blocks overlap: a claim with pods inside an own affinity closes both, one without gives way")
    func overlap() throws {
        let wide = prefix("10.244.0.0/24")
        let plan = BlockPlan(
            try input(own: [wide], claimed: [first], previous: [first, wide], occupied: [first, wide]))
        #expect(plan.blocks.map(\.isClosed) == [true, true])
        for previous in [[], [first], [first, wide]] {
            let empty = BlockPlan(try input(own: [wide], claimed: [first], previous: previous))
            #expect(empty.blocks.map(\.cidr) == [wide] && empty.blocks.map(\.isClosed) == [false])
            #expect(empty.conflicts.isEmpty && empty.outranked == [first])
        }
        let same = BlockPlan(try input(own: [first], claimed: [first]))
        #expect(same.blocks.map(\.isClosed) == [false] && same.conflicts.isEmpty && same.outranked.isEmpty)
    }

    @Test("a claim with pods where two pools overlap is closed, naming both, not taken anew; one beside it stays open")
    func overlappingPools() throws {
        let inner = prefix("10.244.8.128/26")
        var input = try input(claimed: [first, inner], previous: [first, inner], occupied: [inner])
        input.view.pools.append(IPPool(name: "p2", cidr: prefix("10.244.8.0/24")))
        let plan = BlockPlan(input)
        #expect(plan.blocks.map(\.isClosed) == [false, true])
        #expect(plan.blocks.map(\.pool) == ["default-pool", "p2"])
        let conflict = try #require(plan.conflicts[inner])
        #expect(conflict.contains("IPPool/default-pool") && conflict.contains("IPPool/p2"))
        input.isOccupied = { _ in false }
        #expect(BlockPlan(input).blocks.map(\.cidr) == [first])
        input.previous = []
        #expect(BlockPlan(input).blocks.map(\.cidr) == [first])
    }

    @Test("an own block that somebody else announces too is closed")
    func contested() throws {
        var contested = try input(own: [first, second], previous: [first, second])
        contested.contested = [first: "10.244.0.0/26 is also announced by 192.168.1.3"]
        #expect(BlockPlan(contested).blocks.map(\.isClosed) == [true, false])
    }

    private func input(
        pool: IPPool? = nil, own: [IPPrefix] = [], others: [BlockAffinity] = [], claimed: [IPPrefix] = [],
        previous: [IPPrefix] = [], occupied: [IPPrefix] = [],
    ) throws -> BlockPlan.Input {
        let affinities = own.map { BlockAffinity(name: "own-\($0)", cidr: $0, node: "node1") } + others
        let configuration = ClusterConfiguration(
            pools: [pool ?? self.pool],
            nodes: [Node(name: "node1", ipv4: Node.Address(address("192.168.1.1"), length: 24))],
            affinities: affinities)
        return BlockPlan.Input(
            view: try #require(configuration.view(of: "node1")), affinities: affinities, claimed: claimed,
            previous: previous.map { NodeState.OwnedBlock(cidr: $0, pool: "default-pool", isAnnounced: true) },
            isOccupied: { occupied.contains($0) })
    }
}
