import IPAMCore
import Logging
import ModePlugins
import NetTypes
import NodeLink
import Resources

// Taking blocks: only a node that is alone in a configuration that was read whole takes any by itself.
extension NodeController {
    /// A node that is alone takes a block from each pool that has given it none, so that its first ADD need not wait.
    func claimFirstBlocks() {
        guard mayClaim, let view else { return }
        for pool in view.pools
        where !pool.isDisabled && !pool.isManual && pool.nodeSelector.matches(view.node.labels) {
            let held = claims.blocks + view.blocks.map(\.cidr)
            if held.contains(where: { pool.cidr.contains($0) && view.pools.dispute(over: $0) == nil }) { continue }
            if let block = candidate(in: pool, view) { remember(block) }
        }
    }

    /// Finds a block for an ADD that has found all it may use full.
    func claim(for request: BlockRequest) async -> Result<BlockAnswer, RemoteError> {
        guard view != nil else { return notConfigured }
        if let refusal = await definePool(for: request) { return .failure(refusal) }
        guard let view else { return notConfigured }
        let pools = view.pools.filter { pool in
            pool.cidr.family == request.family && pool.mode.rawValue == request.mode && !pool.isDisabled
                && pool.nodeSelector.matches(view.node.labels)
                && (request.pools.isEmpty ? !pool.isManual : request.pools.contains(pool.name))
        }
        guard !pools.isEmpty else {
            return refuse(
                7,
                "no enabled \(request.family.rawValue) IPPool of mode \(request.mode) selects node "
                    + options.nodeName)
        }
        if let open = state?.blocks.first(where: { block in
            !block.isClosed && !request.full.contains(block.cidr) && pools.contains { $0.cidr.contains(block.cidr) }
        }) {
            return .success(BlockAnswer(block: open.cidr))
        }
        guard mayClaim else { return refuse(in: pools, request) }
        for pool in pools {
            guard let block = candidate(in: pool, view) else { continue }
            guard remember(block) else { return refuse(5, claimFault ?? "no block is claimed") }
            await publish()
            guard isSaved, state?.blocks.contains(where: { $0.cidr == block }) ?? false else {
                return refuse(11, "block \(block) was claimed but is not in use yet; see apusd's log")
            }
            return .success(BlockAnswer(block: block))
        }
        if let refusal = refuseDispute(in: pools, view) { return refusal }
        let barred = pools.filter { pool in networks.barred(in: pool.cidr).contains { !$0.isHost } }
        let overlap = networks.overlaps(with: barred).first
        if let overlap { return refuse(100, "\(overlap); \(Self.overlapRemedy)") }
        return refuse(100, "every block of the pools of mode \(request.mode) is in use; enlarge a pool")
    }

    /// The kinds of block that a request would still be given by a claim.
    var claimable: [StatusAnswer.Claimable] {
        guard mayClaim, claims.failure == nil, let view else { return [] }
        let pools = view.pools.filter { pool in
            !pool.isDisabled && !pool.isManual && pool.nodeSelector.matches(view.node.labels)
                && candidate(in: pool, view) != nil
        }
        let known = pools.map { StatusAnswer.Claimable(family: $0.cidr.family, mode: $0.mode.rawValue) }
        guard awaitsPoolMode else { return known }
        return known + ModeRegistry.builtIn.modes.map { StatusAnswer.Claimable(family: .ipv4, mode: $0.rawValue) }
    }

    /// Why the node claims nothing though it may; nil when it can.
    var claimFault: String? {
        claims.failure.map { "no block is claimed that \(claims.path) cannot remember (\($0)); make it writable" }
    }

    /// Without a whole configuration nobody knows whether the node is alone.
    var mayClaim: Bool {
        guard inForce.isWhole, let configuration = inForce.configuration else { return false }
        return BlockClaim.isAllowed(for: options.nodeName, in: configuration)
    }

    private var notConfigured: Result<BlockAnswer, RemoteError> {
        refuse(11, "node \(options.nodeName) is not configured: no Node resource has its name")
    }

    private func refuse(in pools: [IPPool], _ request: BlockRequest) -> Result<BlockAnswer, RemoteError> {
        let conflict = plan?.conflicts.sorted { $0.key < $1.key }.first { conflict in
            pools.contains { $0.cidr.contains(conflict.key) }
        }
        if let conflict { return refuse(101, "\(conflict.value); no address is given out from it") }
        let remedy =
            mayClaim
            ? "its pools are full; add a larger one"
            : "where there are several nodes each has the blocks that a BlockAffinity gives it; add one for a block, or "
                + "another block"
        return refuse(
            100, "node \(options.nodeName) has no free address of mode \(request.mode): \(remedy)")
    }

    /// - Returns: nil when no two pools dispute what is asked for.
    private func refuseDispute(in pools: [IPPool], _ view: NodeView) -> Result<BlockAnswer, RemoteError>? {
        for pool in pools {
            guard let rival = view.pools.rivals(of: pool).first else { continue }
            return refuse(
                101,
                "IPPool/\(pool.name) \(pool.cidr) overlaps IPPool/\(rival.name) \(rival.cidr): no address is given "
                    + "out where they overlap, and the rest is in use")
        }
        return nil
    }

    /// A block that nobody has, or has a claim to: never where two pools overlap.
    private func candidate(in pool: IPPool, _ view: NodeView) -> IPPrefix? {
        BlockClaim.candidate(
            in: pool, for: options.nodeName,
            taken: taken + view.pools.rivals(of: pool).map(\.cidr) + untouchable(in: pool))
    }

    /// What nodes live in, and what would give no address.
    private func untouchable(in pool: IPPool) -> [IPPrefix] {
        networks.barred(in: pool.cidr)
            + WithheldAddresses(reservations: reservations).reservedBlocks(of: pool.blockSize, in: pool.cidr)
    }

    private var taken: [IPPrefix] {
        claims.blocks + (inForce.configuration?.affinities.map(\.cidr) ?? []) + (state?.blocks.map(\.cidr) ?? [])
    }

    @discardableResult
    private func remember(_ block: IPPrefix) -> Bool {
        do {
            try claims.add(block)
            logger.notice("block claimed", metadata: ["block": "\(block)"])
            return true
        } catch {
            logger.error("a claim cannot be recorded", metadata: ["block": "\(block)", "reason": "\(error)"])
            return false
        }
    }

    /// Forgets claims that affinities have taken the place of.
    func forgetClaims(_ blocks: [IPPrefix]) {
        guard !blocks.isEmpty else { return }
        let list = blocks.map(\.description).joined(separator: ", ")
        do {
            try claims.remove(blocks)
            logger.notice("claim given up: a BlockAffinity says whose the block is", metadata: ["blocks": "\(list)"])
        } catch {
            logger.error("a claim cannot be forgotten", metadata: ["blocks": "\(list)", "reason": "\(error)"])
        }
    }

    private func refuse(_ code: Int64, _ message: String) -> Result<BlockAnswer, RemoteError> {
        .failure(RemoteError(code: code, message: message))
    }
}
