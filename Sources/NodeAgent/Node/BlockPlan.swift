import IPAMCore
import ModePlugins
import NetTypes
import NodeLink
import Resources

/// Which blocks a node has, what may be done with each, and which are in dispute.
struct BlockPlan: Sendable, Equatable {
    /// What the plan is made of.
    struct Input {
        /// What the configuration means for the node.
        var view: NodeView
        /// All affinities of the cluster.
        var affinities: [BlockAffinity]
        /// The blocks that the node took by itself.
        var claimed: [IPPrefix]
        /// The blocks of node.json as it is.
        var previous: [NodeState.OwnedBlock]
        /// Own blocks that somebody else announces too, and who, in words.
        var contested: [IPPrefix: String] = [:]
        /// Whether a block holds an address of a pod.
        var isOccupied: (IPPrefix) -> Bool
    }

    /// The blocks for node.json, the oldest first: those the node had before keep their order.
    private(set) var blocks: [NodeState.OwnedBlock] = []
    /// Why blocks are closed or not taken, naming both sides (CNI error 101), by block.
    private(set) var conflicts: [IPPrefix: String] = [:]
    /// Claims without pods that an affinity has taken the place of: they are to be forgotten.
    private(set) var outranked: [IPPrefix] = []
    /// Why blocks are closed, by block.
    private(set) var closures: [IPPrefix: BlockClosure] = [:]

    /// Plans.
    ///
    /// A block in dispute gives no address. While it holds live pods it stays announced, for their sake; if not, the node
    /// keeps its hands off it, for the sake of somebody else's. One that only somebody's announcement disputes stays
    /// announced, too, if the node held it before. A claim without pods gives way to an affinity. A block that is no
    /// longer given to the node but holds live pods stays, announced and closed, until it is empty.
    init(_ input: Input) {
        var input = input
        outranked = input.claimed.filter { Self.rival(of: $0, input) != nil && !input.isOccupied($0) }
        input.claimed.removeAll(where: outranked.contains)
        var owned = Self.given(input)
        let disputes = Self.disputes(input)
        conflicts = input.contested.filter { owned[$0.key] != nil }.merging(disputes) { $1 }
        let held = Set(input.previous.map(\.cidr))
        for cidr in conflicts.keys {
            owned[cidr]?.isClosed = true
            owned[cidr]?.isDisputed = true
            let isSettled = disputes[cidr] == nil && held.contains(cidr)
            if !isSettled, !input.isOccupied(cidr) { owned[cidr] = nil }
        }
        for block in input.previous where owned[block.cidr] == nil && input.isOccupied(block.cidr) {
            owned[block.cidr] = NodeState.OwnedBlock(
                cidr: block.cidr, pool: block.pool, isAnnounced: true, isClosed: true)
        }
        let old = input.previous.map(\.cidr).filter { owned[$0] != nil }
        let new = owned.keys.filter { !held.contains($0) }.sorted()
        blocks = (old + new).compactMap { owned[$0] }
        for block in blocks where block.isClosed { closures[block.cidr] = closure(of: block.cidr, input) }
    }

    /// Why a block is closed: what is to be mended first.
    private func closure(of block: IPPrefix, _ input: Input) -> BlockClosure {
        if conflicts[block] != nil { return .conflict }
        guard let pool = input.view.pools.narrowest(around: block) else { return .noPool }
        let isAffine = input.view.blocks.contains { $0.cidr == block }
        guard isAffine || input.claimed.contains(block) else { return .withdrawn }
        if !pool.isForPods { return .uses }
        if pool.isDisabled { return .disabled }
        if !Self.selects(pool, input.view.node) { return .selector }
        return isAffine ? .affinityState : .other
    }

    /// The pools that node.json tells the CNI executable about: those that select the node.
    static func pools(view: NodeView) -> [NodeState.Pool] {
        view.pools.filter { selects($0, view.node) }.map { pool in
            NodeState.Pool(
                name: pool.name, cidr: pool.cidr, mode: pool.mode.rawValue, blockSize: pool.blockSize,
                isDisabled: pool.isDisabled, isManual: pool.isManual)
        }
    }

    /// What affinities and claims give to the node.
    private static func given(_ input: Input) -> [IPPrefix: NodeState.OwnedBlock] {
        var owned: [IPPrefix: NodeState.OwnedBlock] = [:]
        for cidr in input.claimed {
            guard let pool = input.view.pools.narrowest(around: cidr) else { continue }
            owned[cidr] = NodeState.OwnedBlock(
                cidr: cidr, pool: pool.name, isAnnounced: true,
                isClosed: pool.isDisabled || !selects(pool, input.view.node))
        }
        for block in input.view.blocks {
            guard let pool = block.pool else { continue }
            owned[block.cidr] = NodeState.OwnedBlock(
                cidr: block.cidr, pool: pool.name, isAnnounced: true, isClosed: !block.isOpen)
        }
        return owned
    }

    /// What resources, and claims with pods, contradict each other about.
    private static func disputes(_ input: Input) -> [IPPrefix: String] {
        var found: [IPPrefix: String] = [:]
        for block in input.view.blocks { found[block.cidr] = block.conflict }
        for cidr in input.claimed where input.view.pools.narrowest(around: cidr) != nil {
            found[cidr] = input.view.pools.dispute(over: cidr) ?? found[cidr]
            guard let rival = rival(of: cidr, input) else { continue }
            found[cidr] =
                "block \(cidr), claimed by node \(input.view.node.name), overlaps \(rival.cidr) of "
                + "BlockAffinity/\(rival.name) (node \(rival.node))"
            if rival.node == input.view.node.name { found[rival.cidr] = found[cidr] }
        }
        return found
    }

    /// The affinity that a claim contradicts; one of the same block to the same node confirms it.
    private static func rival(of claim: IPPrefix, _ input: Input) -> BlockAffinity? {
        input.affinities.first { affinity in
            affinity.cidr.overlaps(claim) && (affinity.node != input.view.node.name || affinity.cidr != claim)
        }
    }

    private static func selects(_ pool: IPPool, _ node: Node) -> Bool { pool.nodeSelector.matches(node.labels) }
}
