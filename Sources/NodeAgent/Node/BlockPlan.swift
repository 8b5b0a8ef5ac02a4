import IPAMCore
import ModePlugins
import NetTypes
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
    /// Why blocks are closed, naming both sides (CNI error 101), by block.
    private(set) var conflicts: [IPPrefix: String] = [:]

    /// Plans.
    ///
    /// A block in dispute gives no address. If the node held it before, it stays announced, for the sake of the pods in
    /// it; if not, the node keeps its hands off it, for the sake of somebody else's. A block that is no longer given to
    /// the node but holds live pods stays, announced and closed, until it is empty.
    init(_ input: Input) {
        var owned = Self.given(input)
        conflicts = Self.conflicts(among: Array(owned.keys), input)
        let held = Set(input.previous.map(\.cidr))
        for cidr in conflicts.keys {
            owned[cidr]?.isClosed = true
            if !held.contains(cidr), !input.isOccupied(cidr) { owned[cidr] = nil }
        }
        for block in input.previous where owned[block.cidr] == nil && input.isOccupied(block.cidr) {
            owned[block.cidr] = NodeState.OwnedBlock(
                cidr: block.cidr, pool: block.pool, isAnnounced: true, isClosed: true)
        }
        let old = input.previous.map(\.cidr).filter { owned[$0] != nil }
        let new = owned.keys.filter { !held.contains($0) }.sorted()
        blocks = (old + new).compactMap { owned[$0] }
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

    private static func conflicts(among blocks: [IPPrefix], _ input: Input) -> [IPPrefix: String] {
        var found = input.contested.filter { blocks.contains($0.key) }
        for block in input.view.blocks { found[block.cidr] = block.conflict ?? found[block.cidr] }
        for cidr in blocks where input.claimed.contains(cidr) {
            found[cidr] = input.view.pools.dispute(over: cidr) ?? found[cidr]
            let rival = input.affinities.first { affinity in
                affinity.cidr.overlaps(cidr) && (affinity.node != input.view.node.name || affinity.cidr != cidr)
            }
            guard let rival else { continue }
            found[cidr] =
                "block \(cidr), claimed by node \(input.view.node.name), overlaps \(rival.cidr) of "
                + "BlockAffinity/\(rival.name) (node \(rival.node))"
            if rival.node == input.view.node.name { found[rival.cidr] = found[cidr] }
        }
        return found
    }

    private static func selects(_ pool: IPPool, _ node: Node) -> Bool { pool.nodeSelector.matches(node.labels) }
}
