import IPAMCore
import ModePlugins
import NetTypes
import Resources

/// Which blocks a node has, and what may be done with each.
enum BlockPlan {
    /// The blocks for node.json, the oldest first: those the node had before keep their order.
    ///
    /// A block that is no longer given to the node but holds live pods stays, announced and closed, until it is empty.
    ///
    /// - Parameters:
    ///   - view: what the configuration means for the node.
    ///   - claimed: blocks that the node took by itself.
    ///   - previous: the blocks of node.json as it is.
    ///   - isOccupied: whether a block holds an address of a pod.
    static func blocks(
        view: NodeView, claimed: [IPPrefix], previous: [NodeState.OwnedBlock], isOccupied: (IPPrefix) -> Bool,
    ) -> [NodeState.OwnedBlock] {
        var owned: [IPPrefix: NodeState.OwnedBlock] = [:]
        for cidr in claimed {
            guard let pool = view.pools.first(where: { $0.cidr.contains(cidr) }) else { continue }
            owned[cidr] = NodeState.OwnedBlock(
                cidr: cidr, pool: pool.name, isAnnounced: true, isClosed: pool.isDisabled || !selects(pool, view.node))
        }
        for block in view.blocks {
            guard let pool = block.pool else { continue }
            owned[block.cidr] = NodeState.OwnedBlock(
                cidr: block.cidr, pool: pool.name, isAnnounced: true, isClosed: !block.isOpen)
        }
        for block in previous where owned[block.cidr] == nil && isOccupied(block.cidr) {
            owned[block.cidr] = NodeState.OwnedBlock(
                cidr: block.cidr, pool: block.pool, isAnnounced: true, isClosed: true)
        }
        let old = previous.map(\.cidr).filter { owned[$0] != nil }
        let new = owned.keys.filter { !old.contains($0) }.sorted()
        return (old + new).compactMap { owned[$0] }
    }

    /// The pools that node.json tells the CNI executable about: those that select the node.
    static func pools(view: NodeView) -> [NodeState.Pool] {
        view.pools.filter { selects($0, view.node) }.map { pool in
            NodeState.Pool(
                name: pool.name, cidr: pool.cidr, mode: pool.mode.rawValue, blockSize: pool.blockSize,
                isDisabled: pool.isDisabled)
        }
    }

    /// The blocks that BGP tells the others about: all but those of pools that are kept to the node.
    static func announced(_ blocks: [NodeState.OwnedBlock], pools: [IPPool]) -> [IPPrefix] {
        blocks.filter { block in
            !(pools.first { $0.name == block.pool }?.disableBGPExport ?? false)
        }.map(\.cidr)
    }

    private static func selects(_ pool: IPPool, _ node: Node) -> Bool { pool.nodeSelector.matches(node.labels) }
}
