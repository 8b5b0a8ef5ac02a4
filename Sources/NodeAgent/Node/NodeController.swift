import IPAMCore
import LinuxOS
import Logging
import ModePlugins
import NetTypes
import NodeLink
import NodeStore
import Resources

/// The one who decides what the node has: it turns the configuration in force into node.json, the speaker's settings and
/// the kernel's own blocks.
///
/// Whatever changes the node goes through one queue and is carried out to the end before the next begins, so that the
/// file, the announcements and the kernel never follow two different decisions.
actor NodeController {
    private enum Command: Sendable {
        case configuration(DecodedResources)
        case blockRequest(BlockRequest, reply: CheckedContinuation<Result<BlockAnswer, RemoteError>, Never>)
        case endpointGone
        case nodeStateLost
    }

    private let options: AgentOptions
    private let store: RunDirectory
    private let netnsInode: UInt64
    private let speaker: Speaker
    private let kernel: KernelAgent
    private let logger: Logger
    private let commands: AsyncStream<Command>
    private let commandsContinuation: AsyncStream<Command>.Continuation
    private var claims: ClaimRecord
    private var inForce = ConfigurationInForce()
    private var reported: Set<Diagnostic> = []
    private(set) var view: NodeView?
    private(set) var state: NodeState?

    init(
        options: AgentOptions, store: RunDirectory, netnsInode: UInt64, previous: NodeState?, claims: ClaimRecord,
        speaker: Speaker, kernel: KernelAgent, logger: Logger,
    ) {
        self.options = options
        self.store = store
        self.netnsInode = netnsInode
        self.claims = claims
        self.speaker = speaker
        self.kernel = kernel
        self.logger = logger
        state = previous
        // Bounded by its callers: one configuration at a time, one request for each client of the node socket.
        (commands, commandsContinuation) = AsyncStream.makeStream()
    }

    /// Carries out commands until `stop`.
    func run() async {
        for await command in commands {
            switch command {
            case .configuration(let decoded): await adopt(decoded)
            case .blockRequest(let request, let reply): reply.resume(returning: await claim(for: request))
            case .nodeStateLost: await publish()
            case .endpointGone:
                guard let state, state.blocks.contains(where: \.isClosed) else { continue }
                await publish()
            }
        }
    }

    /// Ends `run` after the commands that are waiting.
    nonisolated func stop() { commandsContinuation.finish() }

    /// A configuration has been read.
    nonisolated func offer(_ decoded: DecodedResources) { commandsContinuation.yield(.configuration(decoded)) }

    /// node.json has been removed: it is written again.
    nonisolated func nodeStateLost() { commandsContinuation.yield(.nodeStateLost) }

    /// A pod has gone: a block that only waited for that may be given up.
    nonisolated func endpointGone() { commandsContinuation.yield(.endpointGone) }

    /// Finds the node another block; the answer comes when node.json holds it.
    nonisolated func block(for request: BlockRequest) async -> Result<BlockAnswer, RemoteError> {
        await withCheckedContinuation { reply in
            if case .terminated = commandsContinuation.yield(.blockRequest(request, reply: reply)) {
                reply.resume(returning: .failure(RemoteError(code: 11, message: "apusd is stopping; try again")))
            }
        }
    }

    /// The configuration in force, for display.
    var configuration: ClusterConfiguration? { inForce.configuration }
}

// Carrying out.
extension NodeController {
    private func adopt(_ decoded: DecodedResources) async {
        report(decoded.diagnostics)
        switch inForce.offer(decoded) {
        case .unchanged:
            return
        case .kept:
            logger.error("configuration refused; the last good one stays in force")
            return
        case .adopted:
            guard let view = inForce.configuration?.view(of: options.nodeName) else {
                logger.error(
                    "no Node resource has this node's name; nothing is configured until one has",
                    metadata: ["node": "\(options.nodeName)", "path": "\(options.configurationPath)"])
                return
            }
            self.view = view
            for warning in view.warnings { logger.warning("configuration", metadata: ["finding": "\(warning)"]) }
            for conflict in view.blocks.compactMap(\.conflict) {
                logger.error("block in conflict: closed for new pods", metadata: ["conflict": "\(conflict)"])
            }
            claimFirstBlocks()
            await publish()
            logger.info(
                "configuration in force", metadata: ["nodes": "\(view.nodes.count)", "peers": "\(view.peers.count)"])
        }
    }

    /// Findings are logged when they are new, not at every reading of the files.
    private func report(_ diagnostics: [Diagnostic]) {
        for diagnostic in diagnostics where !reported.contains(diagnostic) {
            switch diagnostic.severity {
            case .note: logger.info("\(diagnostic)")
            case .warning: logger.warning("\(diagnostic)")
            case .error: logger.error("\(diagnostic)")
            }
        }
        reported = Set(diagnostics)
    }

    /// Makes kernel, peers and node.json agree with what is decided, in that order: a block that is announced has its
    /// blackhole, and a block in node.json is announced.
    private func publish() async {
        guard let view else { return }
        var blocks = BlockPlan.blocks(
            view: view, claimed: claims.blocks, previous: state?.blocks ?? [], isOccupied: isOccupied)
        let announced = BlockPlan.announced(blocks, pools: view.pools)
        await kernel.configure(
            KernelConfiguration(
                nodeAddresses: view.node.addresses, ownBlocks: blocks.map(\.cidr), pools: view.pools,
                staleTime: inForce.configuration?.meshMaxRestartTime ?? BGPConfiguration.defaultMaxRestartTime,
                isWhole: inForce.isWhole))
        if let configuration = SpeakerConfiguration(view: view, announcedBlocks: announced) {
            await speaker.configure(configuration)
        } else {
            logger.error("the node has no IPv4 address, so no BGP identifier: BGP stays off")
            for index in blocks.indices { blocks[index].isAnnounced = false }
        }
        let new = NodeState(
            node: options.nodeName, bootID: store.bootID, netnsInode: netnsInode,
            mtuBytes: await kernel.hostMTUBytes(), generation: (state?.generation ?? 0) + 1,
            pools: BlockPlan.pools(view: view), blocks: blocks)
        do {
            try store.save(new)
            state = new
        } catch {
            logger.error("node.json cannot be written; ADD works with what it says", metadata: ["reason": "\(error)"])
        }
    }

    private func isOccupied(_ block: IPPrefix) -> Bool {
        do {
            return try store.isOccupied(block)
        } catch {
            // What cannot be read may hold a pod.
            logger.error("block record unreadable", metadata: ["block": "\(block)", "reason": "\(error)"])
            return true
        }
    }
}

// Taking blocks.
extension NodeController {
    /// A node that is alone takes a block from each pool that has given it none, so that its first ADD need not wait.
    private func claimFirstBlocks() {
        guard let view, let configuration = inForce.configuration,
            BlockClaim.isAllowed(for: options.nodeName, in: configuration)
        else { return }
        for pool in view.pools where !pool.isDisabled && pool.nodeSelector.matches(view.node.labels) {
            let held = claims.blocks + view.blocks.map(\.cidr)
            if held.contains(where: { pool.cidr.contains($0) }) { continue }
            if let block = BlockClaim.candidate(in: pool, for: options.nodeName, taken: taken) { remember(block) }
        }
    }

    private func claim(for request: BlockRequest) async -> Result<BlockAnswer, RemoteError> {
        guard let view, let configuration = inForce.configuration else {
            return refuse(11, "node \(options.nodeName) is not configured: no Node resource has its name")
        }
        let pools = view.pools.filter { pool in
            pool.cidr.family == request.family && pool.mode.rawValue == request.mode && !pool.isDisabled
                && pool.nodeSelector.matches(view.node.labels)
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
        guard BlockClaim.isAllowed(for: options.nodeName, in: configuration) else {
            return refuse(
                100,
                "node \(options.nodeName) has no free address of mode \(request.mode), and other nodes may own "
                    + "the rest of the pool; add a BlockAffinity that gives it another block")
        }
        for pool in pools {
            guard let block = BlockClaim.candidate(in: pool, for: options.nodeName, taken: taken), remember(block)
            else { continue }
            await publish()
            guard state?.blocks.contains(where: { $0.cidr == block }) ?? false else {
                return refuse(11, "block \(block) was claimed but node.json could not be written; see apusd's log")
            }
            return .success(BlockAnswer(block: block))
        }
        return refuse(100, "every block of the pools of mode \(request.mode) is in use; enlarge a pool")
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

    private func refuse(_ code: Int64, _ message: String) -> Result<BlockAnswer, RemoteError> {
        .failure(RemoteError(code: code, message: message))
    }
}
