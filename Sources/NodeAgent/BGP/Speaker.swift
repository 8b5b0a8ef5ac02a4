import BGPSession
import BGPTable
import BGPWire
import LinuxOS
import Logging
import NIOCore
import NetTypes
import Resources

/// The one owner of the RIB, and of the set of peers.
///
/// Sessions live on the event loop; this actor hears of them through one ordered queue and takes what waits there in
/// batches. What is to be sent and what is to be programmed is pulled from it by those who do it.
actor Speaker {
    /// Raised when `forwardingChanges` has something new.
    nonisolated let forwardingSignal: Signal
    /// Raised when `listenAddresses` may have changed.
    nonisolated let listenSignal = Signal()
    /// The peers by address, for the listener.
    nonisolated let directory = PeerDirectory()

    private let dialer: Dialer
    private let logger: Logger
    private let inbox: AsyncStream<PeerEvent>
    private let inboxContinuation: AsyncStream<PeerEvent>.Continuation
    private let newPeers: AsyncStream<Peer>
    private let newPeersContinuation: AsyncStream<Peer>.Continuation
    private var restart: RestartState
    private var configuration: SpeakerConfiguration?
    private var rib: RIB?
    private var peers: [PeerID: Peer] = [:]
    private var epochs: [PeerID: UInt64] = [:]
    private var peerCount: UInt32 = 0
    private var isStopping = false
    private var reportedConflicts: Set<OwnBlockConflict> = []

    init(dialer: Dialer, forwardingSignal: Signal, isRestarting: Bool, logger: Logger) {
        self.dialer = dialer
        self.forwardingSignal = forwardingSignal
        self.logger = logger
        restart = RestartState(isRestarting: isRestarting)
        (inbox, inboxContinuation) = AsyncStream.makeStream()
        (newPeers, newPeersContinuation) = AsyncStream.makeStream()
    }

    /// Works until `stop`.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.consumeInbox() }
            group.addTask { await self.limitExportHold() }
            for await peer in newPeers {
                group.addTask { await peer.runExport(from: self) }
            }
            group.cancelAll()
        }
    }

    /// Ends every session without a word, so that the peers keep this node's routes (RFC 4724). What the peers told this
    /// node stays too: from here on no loss of a session changes the table.
    func stop() async {
        isStopping = true
        forwardingSignal.finish()
        for peer in peers.values { await peer.stop(.restarting) }
        newPeersContinuation.finish()
        inboxContinuation.finish()
    }

    /// Makes the sessions, the announcements and the import policy be as configured. Only sessions whose own settings
    /// differ are ended or begun.
    func configure(_ new: SpeakerConfiguration) async {
        guard new != configuration else { return }
        let identity = RIB.Identity(
            localAS: new.localAS, routerID: new.routerID,
            clusterID: new.clusterID.map { ClusterID(rawValue: $0.rawValue) },
            localAddresses: Set(new.localAddresses.map(\.address)))
        let policy = ImportPolicy(pools: new.pools, nodeAddresses: new.nodeAddresses)
        if rib == nil {
            rib = RIB(identity: identity, importPolicy: policy, isExportHeld: restart.isRestarting)
        } else {
            if rib?.identity != identity { rib?.setIdentity(identity) }
            rib?.setImportPolicy(policy)
        }
        rib?.setLocal(
            new.announcedBlocks.map { block in LocalRoute(prefix: block, attributes: PathAttributes()) })
        let sessionsDiffer = configuration.map { !$0.hasSameSessions(as: new) } ?? true
        configuration = new
        listenSignal.raise()
        if sessionsDiffer { await replacePeers(with: new) } else { await replaceChangedPeers(with: new) }
        changed()
    }

    /// Where peers are to be accepted.
    func listenAddresses() -> Set<SocketAddress> {
        guard let configuration else { return [] }
        return Set(
            configuration.localAddresses.compactMap { local in
                try? SocketAddress(ipAddress: local.address, port: configuration.listenPort)
            })
    }

    /// What is to be sent to a peer next; empty when there is nothing, or when the session it is for is over.
    func nextUpdates(for id: PeerID, epoch: UInt64) -> [OutgoingUpdate] {
        guard epochs[id] == epoch else { return [] }
        return rib?.nextUpdates(for: id, limit: 1000) ?? []
    }

    /// The forwarding that changed since the last call.
    func forwardingChanges() -> [ForwardingChange] { rib?.drainForwardingChanges() ?? [] }

    /// Which peers have sent all their routes, and which peers there are: what is needed to tell a route that survived
    /// a restart from one that nobody announces any more.
    func reception() -> Reception {
        Reception(
            peers: peers.values.map { peer in
                let status = rib?.peerStatus(peer.id)
                return Reception.Peer(
                    address: peer.settings.address,
                    complete: (status?.isUp ?? false) ? status?.endOfRIBReceived ?? [] : [])
            })
    }

    /// Every peer with its session, for display.
    func peerReports() async -> [PeerReport] {
        var reports: [PeerReport] = []
        for peer in peers.values {
            reports.append(
                PeerReport(settings: peer.settings, session: await peer.status, table: rib?.peerStatus(peer.id)))
        }
        return reports.sorted { $0.settings.address < $1.settings.address }
    }

    /// The best routes of the table, for display.
    func bestRoutes() -> [RouteView] {
        AddressFamily.allCases.flatMap { rib?.routes(of: $0) ?? [] }.filter(\.isBest)
    }

    /// The address of a peer, for display.
    func address(of id: PeerID) -> IPAddress? { peers[id]?.settings.address }
}

// The set of peers.
extension Speaker {
    private func replacePeers(with new: SpeakerConfiguration) async {
        for id in Array(peers.keys) { await remove(id, .reconfigured) }
        for settings in new.peers { await add(settings, to: new) }
    }

    private func replaceChangedPeers(with new: SpeakerConfiguration) async {
        let wanted = Set(new.peers)
        for (id, peer) in peers where !wanted.contains(peer.settings) {
            let isChanged = new.peers.contains { $0.address == peer.settings.address }
            await remove(id, isChanged ? .reconfigured : .deconfigured)
        }
        let present = Set(peers.values.map(\.settings))
        for settings in new.peers where !present.contains(settings) { await add(settings, to: new) }
    }

    private func add(_ settings: NodeView.Peer, to configuration: SpeakerConfiguration) async {
        peerCount += 1
        var session = PeerConfiguration(
            localAS: configuration.localAS, peerAS: settings.asNumber, bgpID: configuration.routerID,
            localAddress: settings.localAddress, peerAddress: settings.address)
        session.keepaliveInterval = settings.keepaliveTime
        session.families = configuration.families
        session.timing.endOfRIBLimit = settings.maxRestartTime
        session.timing.jitterSeed = UInt64.random(in: .min ... .max)
        session.gracefulRestart = GracefulRestartConfiguration()
        session.gracefulRestart?.restartTimeSeconds = UInt16(clamping: settings.maxRestartTime.components.seconds)
        session.gracefulRestart?.isRestarting = restart.isRestarting
        session.gracefulRestart?.isForwardingPreserved = true
        let peer = Peer(
            id: PeerID(peerCount), settings: settings, configuration: session,
            roleTemplate: PeerRoleTemplate(
                localAS: configuration.localAS, localNextHops: configuration.nextHops()),
            dialer: dialer, inbox: inboxContinuation, logger: logger)
        peers[peer.id] = peer
        directory.insert(peer)
        newPeersContinuation.yield(peer)
        await peer.start()
    }

    private func remove(_ id: PeerID, _ reason: StopReason) async {
        guard let peer = peers.removeValue(forKey: id) else { return }
        directory.remove(peer)
        epochs[id] = nil
        rib?.removePeer(id)
        await peer.stop(reason)
    }
}

// The queue from the peers.
extension Speaker {
    private func consumeInbox() async {
        for await event in inbox {
            guard !isStopping, let peer = peers[event.peer] else { continue }
            take(event, of: peer)
            if let completed = restart.completed(awaiting: rib?.peersAwaitingEndOfRIB ?? [], at: BootClock.now()) {
                await finishRestart(because: completed)
            }
            changed()
        }
    }

    private func take(_ event: PeerEvent, of peer: Peer) {
        switch event.kind {
        case .established(let role, let epoch):
            rib?.addPeer(peer.id, role: role)
            epochs[peer.id] = epoch
            restart.sessionCameUp(at: BootClock.now())
        case .updates(let updates):
            for update in updates { report(rib?.apply(update, from: peer.id), of: peer) }
            peer.eventLoop.execute { peer.assumeIsolated { $0.updatesTaken(updates.count) } }
        case .refreshRequested(let family):
            rib?.refresh(family, for: peer.id)
        case .lost(let kept):
            epochs[peer.id] = nil
            rib?.peerDown(peer.id, keepStale: !kept.isEmpty)
            if !kept.isEmpty { sweep(Set(AddressFamily.allCases).subtracting(kept), of: peer) }
        case .staleRoutesExpired(let families):
            sweep(families, of: peer)
        }
    }

    private func sweep(_ families: Set<AddressFamily>, of peer: Peer) {
        for family in families { _ = rib?.sweepStale(of: peer.id, family: family) }
    }

    private func report(_ summary: ImportSummary?, of peer: Peer) {
        guard let summary else { return }
        if let family = summary.endOfRIB {
            logger.info(
                "End-of-RIB received",
                metadata: [
                    "peer": "\(peer.settings.address)", "family": "\(family.rawValue)", "swept": "\(summary.swept)",
                ])
        }
        guard !summary.conflicts.isEmpty, let conflicts = rib?.ownBlockConflicts else { return }
        for conflict in conflicts where reportedConflicts.insert(conflict).inserted {
            logger.error("own block announced by somebody else", metadata: ["conflict": "\(conflict)"])
        }
    }

    /// Wakes those who send and those who program.
    private func changed() {
        if rib?.hasForwardingChanges ?? false { forwardingSignal.raise() }
        for (id, peer) in peers where rib?.hasPendingUpdates(for: id) ?? false { peer.exportSignal.raise() }
    }

    /// Peers that never send their End-of-RIB delay the export of learned routes no longer than the limit.
    private func limitExportHold() async {
        guard restart.isRestarting else { return }
        try? await Task.sleep(for: RestartState.exportHoldLimit)
        if restart.isRestarting { await finishRestart(because: "the limit of \(RestartState.exportHoldLimit) is over") }
        changed()
    }

    private func finishRestart(because reason: String) async {
        guard restart.isRestarting else { return }
        restart.isRestarting = false
        logger.info("restart complete", metadata: ["reason": "\(reason)"])
        rib?.releaseExport()
        for peer in peers.values { await peer.restartCompleted() }
        forwardingSignal.raise()
    }
}

extension SpeakerConfiguration {
    /// Whether no session need end because of what this node says about itself.
    func hasSameSessions(as other: SpeakerConfiguration) -> Bool {
        localAS == other.localAS && routerID == other.routerID && localAddresses == other.localAddresses
            && families == other.families
    }

    /// The families that are offered: those of the pools, IPv4 at least.
    var families: [AFISAFI] {
        pools.contains { $0.family == .ipv6 } ? [.ipv4Unicast, .ipv6Unicast] : [.ipv4Unicast]
    }
}
