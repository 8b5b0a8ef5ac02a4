import BGPTable
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
        case addressLook
        case blockRequest(BlockRequest, reply: CheckedContinuation<Result<BlockAnswer, RemoteError>, Never>)
        case endpointAdd(Endpoint, reply: ControlServer.Reply)
        /// The link of a pod has gone; its record goes next.
        case linkGone(AttachmentKey)
        case endpointGone(AttachmentKey)
        case nodeStateLost
        /// Decide again: something that the decision depends on may have changed.
        case review
    }

    private static let lockTimeout: Duration = .seconds(5)

    let options: AgentOptions
    let store: RunDirectory
    let speaker: Speaker
    let kernel: KernelAgent
    let logger: Logger
    nonisolated let notices: ServiceNotices
    private let netnsInode: UInt64
    private let commands: AsyncStream<Command>
    private let commandsContinuation: AsyncStream<Command>.Continuation
    /// Raised when the decision is to be reviewed; any number of reasons make one review.
    nonisolated let reviewSignal = Signal()
    var claims: ClaimRecord
    var tunnelAddresses: TunnelAddresses
    var drain: DrainMark
    /// The tunnel devices that take packets: what others may be told to send through.
    var readyDevices: Set<TunnelDevice> = []
    var inForce = ConfigurationInForce()
    var plan: BlockPlan?
    var foreign: ForeignEndpoints { didSet { updateShortcut() } }
    var withheldRemarks = WithheldRemarks()
    private nonisolated let shortcut = EndpointShortcut()
    var addressSearch = AddressSearch()
    var demandedPool: DemandedPool
    private var reported: Set<Diagnostic> = []
    /// What is refused of the files as they are now.
    private(set) var refusals: [Diagnostic] = []
    private var refusedPlaces = RefusedPlaces()
    /// What is doubtful in the files as they are now, and used all the same.
    private var warnings: [Diagnostic] = []
    /// What was read of the files and changes nothing here.
    private var ineffective: [Diagnostic] = []
    private var reportedConflicts: [IPPrefix: String] = [:]
    /// Where nodes are; pools should be elsewhere.
    var networks = NodeNetworks()
    var reportedOverlaps: Set<String> = []
    /// Whether node.json is as `state` is.
    private(set) var isSaved = true
    private(set) var view: NodeView?
    private(set) var state: NodeState? { didSet { updateShortcut() } }

    init(
        options: AgentOptions, store: RunDirectory, netnsInode: UInt64, previous: NodeState?, claims: ClaimRecord,
        speaker: Speaker, kernel: KernelAgent, notices: ServiceNotices, logger: Logger,
    ) {
        self.options = options
        self.store = store
        self.netnsInode = netnsInode
        self.claims = claims
        self.speaker = speaker
        self.kernel = kernel
        self.notices = notices
        self.logger = logger
        state = previous
        drain = DrainMark(stateDirectory: options.stateDirectory, node: options.nodeName)
        tunnelAddresses = TunnelAddresses(stateDirectory: options.stateDirectory, node: options.nodeName)
        demandedPool = DemandedPool(
            stateDirectory: options.stateDirectory, node: options.nodeName, bootID: store.bootID)
        // A record that cannot be read has been moved away by the time its pod is added again.
        let recorded = try? store.readableAttachments { error in
            logger.error("record of a pod unreadable", metadata: ["reason": "\(error)"])
        }
        foreign = ForeignEndpoints(recorded ?? [], blocks: previous?.blocks.map(\.cidr) ?? [])
        // Bounded by its callers: one reading of the files, one review, one request of each client at a time and what
        // it told without waiting for an answer.
        (commands, commandsContinuation) = AsyncStream.makeStream()
        shortcut.update(previous, hasForeignEndpoints: !foreign.isEmpty)
    }

    /// Carries out commands until `stop`.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.reviewSignal.forEach { self.commandsContinuation.yield(.review) }
            }
            group.addTask { await self.speaker.conflictSignal.forEach { self.reviewSignal.raise() } }
            group.addTask { await self.kernel.uplinkSignal.forEach { self.reviewSignal.raise() } }
            group.addTask { await self.repeatFailedSaves() }
            group.addTask { await self.repeatAddressLooks() }
            for await command in commands {
                switch command {
                case .configuration(let decoded):
                    await take(decoded)
                    notices.has(.configuration)
                case .addressLook: await followAddress()
                case .blockRequest(let request, let reply): reply.resume(returning: await claim(for: request))
                case .endpointAdd(let endpoint, let reply):
                    reply(await add(endpoint))
                    shortcut.leave()
                case .linkGone(let key): await withdraw(key)
                case .endpointGone(let key):
                    await withdraw(key)
                    if state?.blocks.contains(where: \.isClosed) ?? false { reviewSignal.raise() }
                case .review: await publish()
                case .nodeStateLost:
                    // Before the first configuration there is none.
                    if state != nil { logger.warning("node.json is gone from the run directory; written again") }
                    isSaved = false
                    await publish()
                }
            }
            group.cancelAll()
        }
    }

    /// Ends `run` after the commands that are waiting.
    nonisolated func stop() {
        commandsContinuation.finish()
        reviewSignal.finish()
    }

    /// A configuration has been read.
    nonisolated func offer(_ decoded: DecodedResources) { commandsContinuation.yield(.configuration(decoded)) }

    /// The node may have another address by now.
    nonisolated func lookForAddress() { commandsContinuation.yield(.addressLook) }

    /// node.json has been removed: it is written again.
    nonisolated func nodeStateLost() { commandsContinuation.yield(.nodeStateLost) }

    /// A pod has gone: a block that only waited for that may be given up.
    nonisolated func endpointGone(_ endpoint: Endpoint) {
        guard !shortcut.ignoresGoing else { return }
        commandsContinuation.yield(.endpointGone(endpoint.key))
    }

    /// The link of a pod has gone: nobody is to send to an address of its own any more. Its DEL may be killed before it
    /// says that it is done.
    nonisolated func linkGone(_ endpoint: Endpoint) {
        guard !shortcut.remembersNobody else { return }
        commandsContinuation.yield(.linkGone(endpoint.key))
    }

    /// Whether there is nothing to do for a pod that has come: then nobody needs to wait for `endpointCame`.
    nonisolated func isAnnounced(_ endpoint: Endpoint) -> Bool { shortcut.covers(endpoint.addresses) }

    /// A pod has come; the answer comes when it is announced. It is in the queue on return: what is said of the pod
    /// later is heard later.
    nonisolated func endpointCame(_ endpoint: Endpoint, reply: @escaping ControlServer.Reply) {
        shortcut.enter()
        if case .terminated = commandsContinuation.yield(.endpointAdd(endpoint, reply: reply)) {
            shortcut.leave()
            reply(.failure(RemoteError(code: 11, message: "apusd is stopping; try again")))
        }
    }

    /// Finds the node another block; the answer comes when node.json holds it.
    nonisolated func block(for request: BlockRequest) async -> Result<BlockAnswer, RemoteError> {
        await withCheckedContinuation { reply in
            if case .terminated = commandsContinuation.yield(.blockRequest(request, reply: reply)) {
                reply.resume(returning: .failure(RemoteError(code: 11, message: "apusd is stopping; try again")))
            }
        }
    }

    private func updateShortcut() { shortcut.update(state, hasForeignEndpoints: !foreign.isEmpty) }

    /// What is doubtful in the configuration, a line each.
    var doubts: [String] { warnings.map(\.description) + (view?.warnings ?? []) }

    /// What the configuration asks for in Calico and has no effect here, a line each.
    var notes: [String] { ineffective.map(\.description) }

    /// The resources in force, for display.
    var resources: [(identity: String, file: String?, document: String?)] { inForce.resources }

    /// The configuration in force, for display.
    var configuration: ClusterConfiguration? { inForce.configuration }
}

// Carrying out.
extension NodeController {
    /// Takes what was read just now. What cannot be put in force says nothing of where the node is: its address is looked
    /// for by the last reading that could.
    private func take(_ decoded: DecodedResources) async {
        let awaitedMode = awaitsPoolMode
        defer { if awaitsPoolMode != awaitedMode { reviewSignal.raise() } }
        report(decoded.diagnostics)
        let found = addressSearch.found
        let located = await located(decoded)
        let hasNode = inForce.completing(located).configuration.node(options.nodeName) != nil
        if view == nil || (hasNode && !inForce.outlasts(located)) {
            addressSearch.read = decoded
        } else {
            // The next look is to find it for the configuration in force.
            addressSearch.found = found
        }
        await adopt(located)
    }

    /// Puts resources in force if they may be, and carries them out.
    func adopt(_ decoded: DecodedResources) async {
        let decoded = inForce.completing(decoded)
        // Without its own Node a node would lose everything; that is more likely a file that is missing.
        guard let view = decoded.configuration.view(of: options.nodeName) else {
            let meanwhile = view == nil ? "nothing is configured" : "the last good configuration stays in force"
            // Without any configuration the status says so in words of its own.
            let own = "Node/\(options.nodeName)"
            if view != nil, !refusals.contains(where: { $0.resource == own }) {
                refusals.append(
                    Diagnostic(
                        .error, file: options.configurationPath, resource: own,
                        reason: "this node's own resource is not there"))
            }
            let names = decoded.configuration.nodes.prefix(8).map(\.name).joined(separator: ", ")
            logger.error(
                "no Node resource has this node's name; \(meanwhile) until one has",
                metadata: [
                    "node": "\(options.nodeName)", "path": "\(options.configurationPath)",
                    "nodes": "\(names.isEmpty ? "none" : names)",
                ])
            notices.status("no Node resource \(options.nodeName) in \(options.configurationPath); \(meanwhile)")
            refusedPlaces.note(refusals)
            return
        }
        switch inForce.offer(decoded) {
        case .unchanged:
            sayWhatIsGoodAgain()
            tellStatus(view)
        case .kept:
            refusedPlaces.note(refusals)
            logger.error(
                "configuration refused; the last good one stays in force",
                metadata: ["refused": "\(refusals.prefix(8).map(\.description).joined(separator: "; "))"])
            notices.status("node \(options.nodeName); configuration refused, the last good one stays in force")
        case .adopted:
            self.view = view
            for warning in view.warnings { logger.warning("\(warning)") }
            await lookAtNetworks(view)
            claimFirstBlocks()
            await publish()
            logger.info(
                "configuration in force", metadata: ["nodes": "\(view.nodes.count)", "peers": "\(view.peers.count)"])
            sayWhatIsGoodAgain()
            tellStatus(view)
        }
    }

    private func sayWhatIsGoodAgain() {
        let places = refusedPlaces.settle(refusals)
        guard !places.isEmpty else { return }
        logger.notice(
            "configuration no longer refused; it is in force again",
            metadata: ["of": "\(places.prefix(8).joined(separator: "; "))"])
    }

    private func tellStatus(_ view: NodeView) {
        notices.status("node \(options.nodeName); nodes: \(view.nodes.count), peers: \(view.peers.count)")
    }

    /// Findings are logged when they are new, not at every reading of the files.
    private func report(_ diagnostics: [Diagnostic]) {
        for diagnostic in diagnostics where !reported.contains(diagnostic) {
            switch diagnostic.severity {
            case .note: logger.info("\(diagnostic)")
            case .ineffective, .warning: logger.warning("\(diagnostic)")
            case .error: logger.error("\(diagnostic)")
            }
        }
        reported = Set(diagnostics)
        refusals = diagnostics.filter { $0.severity == .error }
        warnings = diagnostics.filter { $0.severity == .warning }
        ineffective = diagnostics.filter { $0.severity == .ineffective }
    }

    /// Makes node.json, kernel and peers agree with what is decided.
    ///
    /// A block is closed in node.json before its last record goes, and given up only after that, so that no ADD takes an
    /// address from it in between. A new block has its blackhole and is announced before node.json offers it.
    func publish() async {
        guard let view else { return }
        await lookAtNetworks(view)
        var input = BlockPlan.Input(
            view: view, affinities: inForce.configuration?.affinities ?? [], claimed: claims.blocks,
            previous: state?.blocks ?? [], isOccupied: { _ in false })
        let previous = Set(input.previous.map(\.cidr))
        // What is about to be given up may be another node's at once, and is disputed no more.
        input.isOccupied = { self.holdsPods($0) }
        input.contested = await contested(BlockPlan(input).blocks, view)
        input.isOccupied = { previous.contains($0) || self.holdsPods($0) }
        let cautious = BlockPlan(input)
        if let state,
            !isSaved
                || cautious.blocks.contains(where: { block in
                    block.isClosed && state.blocks.contains { $0.cidr == block.cidr && !$0.isClosed }
                })
        {
            let closing = state.blocks.map { block in cautious.blocks.first { $0.cidr == block.cidr } ?? block }
            await save(closing, view)
        }
        var final = input
        // What node.json may still show as open is not given up.
        let discarded = isSaved ? discardEmptyBlocks(previous, besides: input) : []
        final.isOccupied = { previous.contains($0) ? !discarded.contains($0) : self.holdsPods($0) }
        let plan = BlockPlan(final)
        self.plan = plan
        report(plan.conflicts)
        forgetClaims(plan.outranked)
        await save(await apply(plan.blocks, view), view)
    }

    /// Which of these blocks somebody else announces, and who, in words: asked before this node announces them itself.
    private func contested(_ planned: [NodeState.OwnedBlock], _ view: NodeView) async -> [IPPrefix: String] {
        let announced = planned.filter { announcement(of: $0, view) != nil }.map(\.cidr)
        let conflicts = await speaker.conflicts(planning: announced, in: view.pools.map(\.cidr))
        return Dictionary(conflicts.map { ($0.prefix, $0.description) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether a block that is not in node.json has pods all the same: an earlier daemon may have had it.
    func holdsPods(_ block: IPPrefix) -> Bool {
        do {
            return try store.isOccupied(block)
        } catch {
            return true
        }
    }

    /// Removes the records of previous blocks that the node is no longer given and that no pod has an address of.
    private func discardEmptyBlocks(_ previous: Set<IPPrefix>, besides input: BlockPlan.Input) -> Set<IPPrefix> {
        var without = input
        without.isOccupied = { _ in false }
        let given = Set(BlockPlan(without).blocks.map(\.cidr))
        return previous.subtracting(given).filter { cidr in
            do {
                let lock = try store.lock(deadline: Self.lockTimeout)
                return try store.discard(cidr, under: lock)
            } catch {
                // What cannot be read may hold a pod.
                logger.error("block record unreadable", metadata: ["block": "\(cidr)", "reason": "\(error)"])
                return false
            }
        }
    }

    /// Makes kernel and peers follow; answers the blocks, each with what became of its announcement.
    private func apply(_ planned: [NodeState.OwnedBlock], _ view: NodeView) async -> [NodeState.OwnedBlock] {
        readyDevices = await kernel.configure(
            KernelConfiguration(
                nodeAddresses: view.node.addresses, ownBlocks: blackholes(planned, view), pools: view.pools,
                staleTime: inForce.configuration?.meshMaxRestartTime ?? BGPConfiguration.defaultMaxRestartTime,
                isWhole: inForce.isWhole, nodeName: options.nodeName, nodes: view.nodes, felix: view.felix,
                tunnelAddresses: chooseTunnelAddresses(tunnelBlocks(planned, view), view),
                awaitsPool: awaitsPoolMode))
        var blocks = planned
        var announcements: [BlockAnnouncement] = []
        for index in blocks.indices {
            switch announcement(of: blocks[index], view) {
            case .nextHop(let nextHop):
                let block = blocks[index].cidr
                announcements.append(
                    BlockAnnouncement(
                        block: block, nextHop: nextHop, tunnel: tunnelEndpoint(of: block, view, ready: readyDevices)))
            case .withheld(let reason):
                blocks[index].isAnnounced = false
                logger.warning("block not announced", metadata: ["reason": "\(reason)"])
            case nil:
                // A pool that is kept to the node has nothing to tell: its blocks wait for nobody.
                break
            }
        }
        announcements += foreignAnnouncements(view, besides: planned)
        if var configuration = SpeakerConfiguration(view: view, announcements: announcements) {
            configuration.isDrained = drain.isSet
            await speaker.configure(configuration)
            await kernel.keepNumbers(of: Set(configuration.peers.map(\.address)))
        } else {
            logger.error("the node has no IPv4 address, so no BGP identifier: BGP stays off")
            for index in blocks.indices { blocks[index].isAnnounced = false }
        }
        return blocks
    }

    /// What the mode of the block's pool tells the others; nil when the pool is kept to the node.
    func announcement(of block: NodeState.OwnedBlock, _ view: NodeView) -> Announcement? {
        guard let pool = view.pools.first(where: { $0.name == block.pool }) else {
            return BGPMode().announcement(of: block.cidr, from: addresses(of: view.node))
        }
        guard !pool.disableBGPExport else { return nil }
        do throws(ModeError) {
            return try ModeRegistry.builtIn.plugin(for: pool).announcement(
                of: block.cidr, from: addresses(of: view.node))
        } catch {
            return .withheld(reason: "block \(block.cidr): \(error)")
        }
    }

    private func addresses(of node: Node) -> [CIDRAddress] {
        node.addresses.map { CIDRAddress($0.address, length: $0.length ?? $0.address.family.bitWidth) }
    }

    private func report(_ conflicts: [IPPrefix: String]) {
        for (block, conflict) in conflicts.sorted(by: { $0.key < $1.key }) where reportedConflicts[block] != conflict {
            logger.error("block in conflict: closed for new pods", metadata: ["conflict": "\(conflict)"])
        }
        reportedConflicts = conflicts
    }

    private func save(_ blocks: [NodeState.OwnedBlock], _ view: NodeView) async {
        let hostMTUBytes = await kernel.hostMTUBytes()
        var new = NodeState(
            node: options.nodeName, bootID: store.bootID, netnsInode: netnsInode,
            mtuBytes: hostMTUBytes, podMTUBytes: podMTUBytes(hostMTUBytes: hostMTUBytes, view),
            generation: state?.generation ?? 0,
            pools: BlockPlan.pools(view: view), blocks: blocks)
        new.withheld = withheld(from: blocks, view)
        new.ownAddresses = view.node.addresses.map(\.address)
        guard new != state || !isSaved else { return }
        new.generation += 1
        state = new
        do {
            try store.save(new)
            isSaved = true
        } catch {
            logger.error("node.json cannot be written; trying again", metadata: ["reason": "\(error)"])
            isSaved = false
        }
    }

    private func repeatFailedSaves() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(5))
            let canClaim = claims.recover()
            if canClaim { logger.notice("claims can be recorded again") }
            if canClaim || !isSaved { reviewSignal.raise() }
        }
    }
}
