import BGPSession
import BGPTable
import BGPWire
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import NodeLink
import NodeStore
import Resources

/// Answers the requests of the node socket, each from the one who knows.
struct Responder: Sendable {
    let nodeName: String
    let startedAt: Int64
    let store: RunDirectory
    let controller: NodeController
    let speaker: Speaker
    let kernel: KernelAgent
    let bfd: BFDMonitor
    let linkRemovals: LinkRemovals
    let shortages: KeyShortages
    let faults: DaemonFaults

    /// How many refusals a status names: more are a file of another kind, and the message has a limit.
    private static let toldRefusals = 32
    /// How many warnings.
    private static let toldWarnings = 32
    /// What becomes of a learned route on a node that programs none.
    static let notProgrammed = "not programmed: programClusterRoutes is Disabled"

    /// Answers what the CNI executable asks with every pod, if it can be done without waiting: at once, or from the thread
    /// that deletes links.
    ///
    /// - Returns: false when it must be asked of `answer`.
    func answerPromptly(_ operation: Request.Operation, _ reply: @escaping ControlServer.Reply) -> Bool {
        switch operation {
        case .endpointAdd(let endpoint):
            if controller.isAnnounced(endpoint) {
                reply(.success([:]))
            } else {
                controller.endpointCame(endpoint, reply: reply)
            }
        case .endpointDelete(let endpoint):
            controller.endpointGone(endpoint)
            reply(.success([:]))
        case .linkDelete(let endpoint): deleteLink(of: endpoint, reply)
        default: return false
        }
        return true
    }

    /// Has an endpoint's link deleted.
    ///
    /// - Parameter own: what the asker watches with, if it does.
    func deleteLink(of endpoint: Endpoint, own: OwnRemoval? = nil, _ reply: @escaping ControlServer.Reply) {
        linkRemovals.remove(endpoint, own: own) { result in
            if case .success(let answer) = result {
                if answer.isReleased { controller.endpointGone(endpoint) } else { controller.linkGone(endpoint) }
            }
            reply(result.map(\.members))
        }
    }

    /// Watches a link that its asker has had deleted by itself, for as long as nobody answers it.
    ///
    /// - Returns: the answer that nobody else gives; nil when somebody does, or at the deadline.
    func watchLink(of endpoint: Endpoint, _ own: OwnRemoval, until deadline: MonotonicTime) -> LinkDeleteAnswer? {
        guard linkRemovals.watch(own, endpoint.addresses.map(\.address), until: deadline) else { return nil }
        controller.linkGone(endpoint)
        return LinkDeleteAnswer(isDeleted: true)
    }

    /// The members of `ok`, or the refusal.
    func answer(_ operation: Request.Operation) async -> Result<JSONObject, RemoteError> {
        switch operation {
        case .endpointAdd, .endpointDelete, .linkDelete:
            return await withCheckedContinuation { reply in
                _ = answerPromptly(operation) { reply.resume(returning: $0) }
            }
        case .blockRequest(let request):
            return await controller.block(for: request).map(\.members)
        case .status:
            return .success(await status().members)
        case .get(.nodes):
            return .success(ListAnswer(await nodes()).members)
        case .get(.ippools):
            return .success(ListAnswer(await pools()).members)
        case .get(.blocks):
            return .success(ListAnswer(await blocks()).members)
        case .get(.routes):
            return .success(ListAnswer(await routes()).members)
        case .get(.resources):
            return .success(ListAnswer(await resources()).members)
        case .page:
            // Whoever serves the connection keeps the table, and cuts it.
            return .failure(.unknownOperation(operation.name))
        case .bgp(let question):
            return await answer(question)
        case .drain(let isWanted):
            return await controller.setDrained(isWanted)
        case .refresh(let refresh):
            return await refreshed(refresh)
        case .unknown(let name):
            return .failure(.unknownOperation(name))
        }
    }

    /// The rows of a table of this moment, for whoever reads it in pages.
    func table(_ table: PagedTable) async -> Result<TableRows, RemoteError> {
        switch table {
        case .list(let kind): await answer(.get(kind)).map { TableRows($0["items"]?.array ?? []) }
        case .bgp(let view): await rows(of: view)
        }
    }

    private func status() async -> StatusAnswer {
        let view = await controller.view
        let routerID = view.flatMap { SpeakerConfiguration.routerID(of: $0.node) }?.description ?? ""
        var node = NodeStatus(
            name: nodeName, asNumber: view?.asNumber ?? ASNumber(0), routerID: routerID, startedAt: startedAt)
        node.isDrained = await controller.drain.isSet
        node.programsRoutes = await speaker.programsRoutes
        node.version = ProgramVersion.current
        var answer = StatusAnswer(
            node: node, peers: await speaker.peerReports().map(Self.status), claimable: await controller.claimable)
        answer.refusals = await controller.refusals.prefix(Self.toldRefusals).map(\.description)
        answer.tunnels = await kernel.tunnelReports()
        answer.overlaps = await controller.networkOverlaps
        answer.warnings = Array(await controller.doubts.prefix(Self.toldWarnings))
        answer.notes = Array(await controller.notes.prefix(Self.toldWarnings))
        answer.keyShortage = shortages.current
        answer.claimFault = await controller.claimFault
        answer.faults = await controller.addressFaults + kernel.tunnelFaults() + faults.current
        answer.listening = await speaker.configuration.map {
            BGPListening(port: $0.listenPort, addresses: $0.acceptingAddresses.sorted())
        }
        return answer
    }

    /// How a peer is.
    static func status(_ report: PeerReport) -> PeerStatus {
        let session = report.session
        let isUp = session.state == .established
        let port = report.settings.port
        var info = session.state.rawValue
        if !isUp, let error = session.problem(at: BootClock.now()) { info += " (\(error))" }
        var status = PeerStatus(
            address: port == 179 ? "\(report.settings.address)" : "\(report.settings.address) port \(port)",
            family: report.settings.address.family, type: report.settings.kind.rawValue, state: isUp ? "up" : "start",
            since: (isUp ? session.since : session.downSince ?? session.since).map(WallClock.seconds(at:))
                ?? WallClock.now(),
            info: info,
            asNumber: report.settings.asNumber, node: report.settings.nodeName ?? "")
        status.hasPassword = report.settings.password != nil
        return status
    }

    private func nodes() async -> [NodeRow] {
        guard let configuration = await controller.configuration else { return [] }
        return configuration.nodes.map { node in
            NodeRow(
                name: node.name, asNumber: node.asNumber ?? configuration.asNumber, ipv4: node.ipv4?.description,
                ipv6: node.ipv6?.description)
        }
    }

    private func pools() async -> [PoolRow] {
        guard let configuration = await controller.configuration else { return [] }
        return configuration.pools.map { pool in
            var row = PoolRow(
                name: pool.name, cidr: pool.cidr, mode: pool.mode.rawValue, blockSize: pool.blockSize,
                natOutgoing: pool.natOutgoing, isDisabled: pool.isDisabled, nodeSelector: pool.nodeSelector.description)
            row.device = TunnelDevice.needed(by: pool)?.name ?? ""
            return row
        }
    }

    private func blocks() async -> [BlockRow] {
        let state = await controller.state
        let own = state?.blocks ?? []
        let configuration = await controller.configuration
        let plan = await controller.plan
        let rows = own.map { block in
            let record = record(of: block.cidr)
            // The state says whether addresses wait for an announcement: where there is to be none they do not.
            let isKept = configuration?.pool(of: block.cidr)?.disableBGPExport ?? false
            var row = BlockRow(
                cidr: block.cidr, node: nodeName, pool: block.pool, isAnnounced: block.isAnnounced && !isKept,
                isClosed: block.isClosed, allocated: record.map { UInt32(clamping: $0.allocated.count) },
                free: record.map { UInt32(clamping: $0.freeCount(sparing: state?.withheld ?? WithheldAddresses())) })
            row.isKept = isKept
            row.closedBecause = block.isClosed ? plan?.closures[block.cidr] ?? .other : nil
            row.conflict = plan?.conflicts[block.cidr]
            return row
        }
        let others = (configuration?.affinities ?? []).filter { affinity in
            !own.contains { $0.cidr == affinity.cidr }
        }
        guard !others.isEmpty else { return rows }
        let conflicts = await controller.plan?.conflicts ?? [:]
        // What another node announces is what has come from it.
        let announced = Set(await speaker.bestRoutes().map(\.prefix))
        return rows
            + others.map { affinity in
                let isOwn = affinity.node == nodeName
                let isDisputed = isOwn && conflicts[affinity.cidr] != nil
                let pool = configuration?.pool(of: affinity.cidr)
                var row = BlockRow(
                    cidr: affinity.cidr, node: affinity.node, pool: pool?.name ?? "",
                    isAnnounced: !isOwn && announced.contains(affinity.cidr),
                    isClosed: affinity.state != .confirmed || isDisputed,
                    allocated: nil, free: nil)
                row.isKept = pool?.disableBGPExport ?? false
                row.closedBecause = isDisputed ? .conflict : row.isClosed ? .affinityState : nil
                row.conflict = isOwn ? conflicts[affinity.cidr] : nil
                return row
            }
    }

    /// The record of a block, an empty one where nobody has had an address of it yet; nil when it cannot be read.
    private func record(of block: IPPrefix) -> Block? {
        do {
            return try store.block(block) ?? Block(cidr: block, bootID: store.bootID)
        } catch {
            return nil
        }
    }

    private func routes() async -> [RouteRow] {
        let kernelRows = await kernel.report()
        let addresses = await speaker.peerAddresses()
        let programsRoutes = await speaker.programsRoutes
        var rows: [RouteRow] = []
        for route in await speaker.bestRoutes() {
            // A further way comes after the best one, to whose row it belongs.
            if !route.isBest, let last = rows.indices.last {
                rows[last].nextHop += ", \(route.nextHop?.description ?? "")"
                continue
            }
            let report = kernelRows[route.prefix] ?? Self.unreported(route, programsRoutes: programsRoutes)
            var row = RouteRow(
                prefix: route.prefix, nextHop: route.nextHop?.description ?? "",
                peer: route.peer.flatMap { addresses[$0]?.description } ?? "",
                asPath: route.attributes.asPath.description, mode: report.mode, state: report.state, link: report.link,
                announced: route.attributes.tunnelEndpoint.map { "\($0.encapsulation)" } ?? "")
            row.obstacle = report.obstacle
            rows.append(row)
        }
        return rows
    }

    /// What is true of a route that the kernel's side has not heard of.
    private static func unreported(_ route: RouteView, programsRoutes: Bool) -> KernelAgent.Report {
        // Of what this node announces only a block that is a blackhole has a route of the daemon's.
        if route.peer == nil { return KernelAgent.Report(mode: "", state: "programmed: this node's own", link: "") }
        return programsRoutes
            ? KernelAgent.Report(mode: "", state: "not yet: waiting for the kernel", link: "", obstacle: .pending)
            : KernelAgent.Report(mode: "", state: notProgrammed, link: "", obstacle: .disabled)
    }
}
