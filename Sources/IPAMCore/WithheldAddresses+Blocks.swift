package import NetTypes

extension WithheldAddresses {
    /// What no block should be claimed from: the reservations as wide as a block or wider, and the blocks of which
    /// narrower ones together leave no address to a pod that asks for none.
    ///
    /// - Parameters:
    ///   - blockSize: the length of the pool's blocks.
    ///   - pool: the network the blocks lie in.
    /// - Complexity: O(reservations × addresses in a block)
    package func reservedBlocks(of blockSize: UInt8, in pool: IPPrefix) -> [IPPrefix] {
        let inside = reservations.filter { $0.overlaps(pool) }
        let narrow = Dictionary(grouping: inside.filter { $0.length > blockSize }) {
            IPPrefix(masking: $0.address, length: blockSize)
        }
        let full = narrow.filter { block, parts in
            let unused = try? Block(cidr: block, bootID: "")
            return unused?.freeCount(sparing: WithheldAddresses(reservations: parts)) == 0
        }
        return inside.filter { $0.length <= blockSize } + full.keys.sorted()
    }
}
