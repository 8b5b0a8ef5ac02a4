import NetTypes
import NodeLink

// The node's blocks, as the daemon has them.
extension Diagnosis {
    mutating func checkBlocks(_ account: Account) {
        let own = account.blocks.filter { $0.node == account.status.node.name }
        for block in own {
            if block.isClosed {
                addClosed(block, account.pools)
            } else if !block.isAnnounced, !block.isKept {
                add(
                    "block \(block.cidr) is not announced to other nodes",
                    "the log of apusd says why; most often the node has no address of the block's family")
            }
        }
        if let fault = account.status.claimFault {
            return add("\(fault)", "apusd tries again every five seconds")
        }
        // A node that may claim one has none before its first pod, and one that only reflects needs none.
        if own.isEmpty, account.status.claimable.isEmpty, account.status.node.programsRoutes {
            add("the node has no block of addresses", "write a BlockAffinity for \(account.status.node.name)")
        }
    }

    private mutating func addClosed(_ block: BlockRow, _ pools: [PoolRow]) {
        let pool = pools.first { $0.name == block.pool && $0.cidr.contains(block.cidr) }
        let (reason, remedy) = Self.words(about: block, pool, Self.closure(of: block, pool))
        add("block \(block.cidr) is closed for new pods: \(reason)", remedy)
    }

    /// Why a block is closed: what the daemon says, and from one that does not what can be seen.
    private static func closure(of block: BlockRow, _ pool: PoolRow?) -> BlockClosure {
        if let known = block.closedBecause { return known }
        guard let pool else { return .noPool }
        return pool.isDisabled ? .disabled : .other
    }

    private static func words(
        about block: BlockRow, _ pool: PoolRow?, _ closure: BlockClosure,
    ) -> (reason: String, remedy: String) {
        let name = "IPPool \(block.pool)"
        let stays = "or leave it so: its pods stay reachable"
        let ends = "or leave it so: the block goes with its last pod"
        let parting = "remove one of the two BlockAffinities or pools"
        switch closure {
        case .conflict:
            return (
                block.conflict.map { "it is in conflict: \($0)" } ?? "it is in conflict",
                "\(parting); the log of apusd names both owners"
            )
        case .selector:
            return (
                "\(name) does not select the node (nodeSelector: \(pool?.nodeSelector ?? ""))",
                "give the Node the labels that the pool's nodeSelector asks for, or change the selector, \(stays)"
            )
        case .disabled: return ("\(name) is disabled", "remove disabled from the pool, \(stays)")
        case .uses:
            return (
                "the allowedUses of \(name) are others than pods", "add Workload to the pool's allowedUses, \(stays)"
            )
        case .affinityState:
            return ("its BlockAffinity is not confirmed", "write state: confirmed in the BlockAffinity, \(stays)")
        case .withdrawn:
            return ("no BlockAffinity gives it to the node any more", "give it to the node again, \(ends)")
        case .noPool:
            // What lies in no pool other nodes neither take in nor announce.
            return (
                "no \(name) holds it any more, and other nodes do not reach its pods",
                "give the pool its former cidr back, or write it anew, on all nodes: its pods are reached again at once"
            )
        case .other: return ("it is in conflict or being given up", "the log of apusd names both owners; \(parting)")
        }
    }
}
