package import NetTypes

/// Which block a node takes by itself.
///
/// Without a store that arbitrates, a node may claim only when nobody else can: the Node list holds it alone and no
/// peer is configured. With peers the blocks come from BlockAffinity resources.
package enum BlockClaim {
    /// Whether the node of this name may claim blocks by itself.
    package static func isAllowed(for node: String, in configuration: ClusterConfiguration) -> Bool {
        configuration.nodes.map(\.name) == [node] && configuration.peers.isEmpty
    }

    /// The first block of `pool` that overlaps none of `taken`, tried in order from a place that depends on the node's
    /// name, so that two nodes that both think themselves alone seldom take the same one; nil when all are taken.
    /// - Complexity: O(taken²), whatever the size of the pool.
    package static func candidate(in pool: IPPool, for node: String, taken: [IPPrefix]) -> IPPrefix? {
        let space = BlockSpace(pool)
        guard space.count > 0 else { return nil }
        let hash = SHA1.digest(node.utf8).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let start = hash % space.count
        return space.firstFree(in: start..<space.count, taken: taken) ?? space.firstFree(in: 0..<start, taken: taken)
    }
}

/// The blocks of a pool, numbered from 0.
private struct BlockSpace {
    let pool: IPPrefix
    let blockSize: UInt8
    /// How many there are; of a pool with more than 2^48 the first 2^48 are used, so that no number overflows.
    let count: UInt64

    init(_ pool: IPPool) {
        self.pool = pool.cidr
        blockSize = pool.blockSize
        let bits = Int(pool.blockSize) - Int(pool.cidr.length)
        count = bits < 0 ? 0 : 1 << UInt64(min(bits, 48))
    }

    /// The addresses in one block, as a shift.
    private var hostBits: UInt64 { UInt64(pool.family.bitWidth - blockSize) }

    func firstFree(in range: Range<UInt64>, taken: [IPPrefix]) -> IPPrefix? {
        var index = range.lowerBound
        while index < range.upperBound {
            guard let address = pool.address(at: index << hostBits) else { return nil }
            let block = IPPrefix(masking: address, length: blockSize)
            guard let obstacle = taken.first(where: { $0.overlaps(block) }) else { return block }
            guard let next = indexAfter(obstacle, from: index) else { return nil }
            index = next
        }
        return nil
    }

    /// The first block beyond `obstacle`, which overlaps the block at `index`; nil when it reaches the pool's end.
    private func indexAfter(_ obstacle: IPPrefix, from index: UInt64) -> UInt64? {
        guard obstacle.length < blockSize else { return index + 1 }
        guard obstacle.length > pool.length else { return nil }
        let bits = UInt64(blockSize - obstacle.length)
        return bits >= 48 ? nil : ((index >> bits) + 1) << bits
    }
}
