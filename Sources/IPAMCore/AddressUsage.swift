package import NetTypes

/// How the addresses of one block of this node are used.
package struct BlockUsage: Sendable, Hashable {
    /// The block's network.
    package let cidr: IPPrefix
    /// The pool it is a part of; empty when no pool holds it any more.
    package let pool: String
    /// Whether the other nodes are being told about it.
    package let isAnnounced: Bool
    /// Whether it gives no new addresses: it is closed, or its pool is disabled or not for this node.
    package let isClosed: Bool
    /// Whether that is because somebody else claims it, too.
    package let isDisputed: Bool
    /// Whether the node owns it still; if not, it goes with its last pod.
    package let isOwned: Bool
    /// How many addresses it has.
    package let size: Int
    /// How many a pod has.
    package let inUse: Int
    /// How many a pod that asks for none may still get.
    package let free: Int
    /// How many it might get, were the block open; 0 for one that is.
    package let closed: Int

    /// How many are kept from pods: the tunnel's, the gateway, those of nodes, what an IPReservation holds back.
    package var reserved: Int { max(size - inUse - free - closed, 0) }

    init(_ owned: NodeState.OwnedBlock, _ block: Block, isOwned: Bool, in node: NodeState) {
        cidr = owned.cidr
        pool = owned.pool
        isAnnounced = owned.isAnnounced
        isClosed = owned.isClosed || !node.pools.contains { $0.name == owned.pool && !$0.isDisabled }
        isDisputed = owned.isDisputed
        self.isOwned = isOwned
        size = Int(clamping: owned.cidr.addressCount)
        inUse = block.allocated.count
        let left = block.freeCount(sparing: node.withheld)
        (free, closed) = isClosed ? (0, left) : (left, 0)
    }
}

/// How the addresses of one pool are used on this node.
package struct PoolUsage: Sendable, Hashable {
    /// The pool's name; empty for blocks that no pool holds any more.
    package let name: String
    /// Its network; nil for blocks that no pool holds any more.
    package let cidr: IPPrefix?
    /// Its blocks on this node, the oldest first.
    package let blocks: [BlockUsage]
    /// Addresses of it that pods of this node have of another IPAM plugin, outside of the node's blocks.
    package let borrowed: [BorrowedAddress]

    /// How many addresses the blocks have.
    package var size: Int { blocks.reduce(0) { $0 + $1.size } }
    /// How many of them pods have.
    package var inUse: Int { blocks.reduce(0) { $0 + $1.inUse } }
    /// How many of them are free.
    package var free: Int { blocks.reduce(0) { $0 + $1.free } }
    /// How many of them are in closed blocks, and would be free else.
    package var closed: Int { blocks.reduce(0) { $0 + $1.closed } }
    /// How many of them are kept from pods.
    package var reserved: Int { blocks.reduce(0) { $0 + $1.reserved } }
}

/// An address outside of the node's blocks, and the pod that has it.
package struct BorrowedAddress: Sendable, Hashable {
    /// The address.
    package let address: IPAddress
    /// Whose it is.
    package let key: AttachmentKey
}

/// The addresses of one node.
package struct AddressUsage: Sendable, Hashable {
    /// The pools in the order of node.json; last, without a name, blocks that no pool holds any more.
    package let pools: [PoolUsage]

    /// Counts.
    package init(node: NodeState, blocks: [Block], attachments: [Attachment]) {
        let recorded = Dictionary(blocks.map { ($0.cidr, $0) }, uniquingKeysWith: { first, _ in first })
        var usages = node.blocks.compactMap { owned in
            (recorded[owned.cidr] ?? Self.unrecorded(owned.cidr, attachments)).map { block in
                BlockUsage(owned, block, isOwned: true, in: node)
            }
        }
        let owned = Set(node.blocks.map(\.cidr))
        for block in blocks where !owned.contains(block.cidr) && !block.isUnused {
            let pool = node.pools.first { $0.cidr.contains(block.cidr) }?.name ?? ""
            let former = NodeState.OwnedBlock(cidr: block.cidr, pool: pool, isAnnounced: false, isClosed: true)
            usages.append(BlockUsage(former, block, isOwned: false, in: node))
        }
        var borrowed: [BorrowedAddress] = []
        for attachment in attachments {
            for address in attachment.addresses.map(\.address)
            where !usages.contains(where: { $0.cidr.contains(address) }) {
                borrowed.append(BorrowedAddress(address: address, key: attachment.key))
            }
        }
        var pools = node.pools.map { pool in
            PoolUsage(
                name: pool.name, cidr: pool.cidr, blocks: usages.filter { $0.pool == pool.name },
                borrowed: borrowed.filter { pool.cidr.contains($0.address) })
        }
        let names = Set(node.pools.map(\.name))
        let rest = usages.filter { !names.contains($0.pool) }
        if !rest.isEmpty { pools.append(PoolUsage(name: "", cidr: nil, blocks: rest, borrowed: [])) }
        self.pools = pools
    }

    /// What a block without a record would be: nobody has been given an address of it, unless attachments say so.
    private static func unrecorded(_ cidr: IPPrefix, _ attachments: [Attachment]) -> Block? {
        guard var block = try? Block(cidr: cidr, bootID: "") else { return nil }
        for attachment in attachments {
            for prefix in attachment.addresses where cidr.contains(prefix) {
                try? block.allocate(prefix.address, for: attachment.key)
                // Refused is what two name: it is counted once.
            }
        }
        return block
    }
}
