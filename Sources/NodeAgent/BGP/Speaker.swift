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
    /// What those who program the kernel need to know.
    struct Forwarding: Sendable {
        /// The prefixes whose forwarding differs from what was told before.
        var changes: [ForwardingChange]
        /// Which peers have said everything they know: what tells a route that survived a restart from one that nobody
        /// announces any more.
        var reception: Reception
    }

    /// Raised when `forwarding` has something new.
    nonisolated let forwardingSignal: Signal
    /// Raised when `listenAddresses` may have changed.
    nonisolated let listenSignal = Signal()
    /// Raised when `conflicts` has changed.
    nonisolated let conflictSignal = Signal()
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
    private var incarnationCount: UInt64 = 0
    private var restartingPeers: Set<PeerID> = []
    private var staleDeadlines: [PeerID: MonotonicTime] = [:]
    private var isStopping = false
    private var hasStarted = false
    private var reportedConflicts: [OwnBlockConflict] = []

    init(dialer: Dialer, forwardingSignal: Signal, isRestarting: Bool, logger: Logger) {
        self.dialer = dialer
        self.forwardingSignal = forwardingSignal
        self.logger = logger
        restart = RestartState(isRestarting: isRestarting, at: BootClock.now())
        (inbox, inboxContinuation) = AsyncStream.makeStream()
        (newPeers, newPeersContinuation) = AsyncStream.makeStream()
    }

    /// Works until `stop`.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.consumeInbox() }
            group.addTask { await self.runUpkeep() }
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
        guard !isStopping, new != configuration else { return }
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
            new.announcements.map { announcement in
                LocalRoute(
                    prefix: announcement.block, nextHop: NextHop(announcement.nextHop),
                    attributes: announcement.attributes)
            })
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

    /// What changed in forwarding since the last call, and what the peers have said, as of one moment.
    func forwarding() -> Forwarding {
        guard !isStopping else { return Forwarding(changes: [], reception: Reception(peers: [])) }
        let reception = Reception(
            peers: peers.values.map { peer in
                let status = rib?.peerStatus(peer.id)
                return Reception.Peer(
                    address: peer.settings.address,
                    complete: (status?.isUp ?? false) ? status?.endOfRIBReceived ?? [] : [])
            })
        return Forwarding(changes: rib?.drainForwardingChanges() ?? [], reception: reception)
    }

    /// This node's blocks that somebody else announces too.
    func conflicts() -> [OwnBlockConflict] { rib?.ownBlockConflicts ?? [] }

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
        for id in Array(peers.keys) { await replace(id, with: new) }
        await addMissingPeers(of: new)
    }

    private func replaceChangedPeers(with new: SpeakerConfiguration) async {
        let wanted = Set(new.peers)
        for (id, peer) in peers where !wanted.contains(peer.settings) { await replace(id, with: new) }
        await addMissingPeers(of: new)
    }

    private func addMissingPeers(of new: SpeakerConfiguration) async {
        let present = Set(peers.values.map(\.settings.address))
        for settings in new.peers where !present.contains(settings.address) {
            peerCount += 1
            await start(settings, as: PeerID(peerCount), in: new)
        }
    }

    /// Ends a peer's session. If the peer is still wanted, a new session with the new settings takes over the peer's
    /// routes, and TCP is closed without a word, so that the peer keeps this node's: nobody sees the change.
    private func replace(_ id: PeerID, with new: SpeakerConfiguration) async {
        guard let peer = peers.removeValue(forKey: id) else { return }
        directory.remove(peer)
        epochs[id] = nil
        restartingPeers.remove(id)
        guard let settings = new.peers.first(where: { $0.address == peer.settings.address }) else {
            staleDeadlines[id] = nil
            rib?.removePeer(id)
            await peer.stop(.deconfigured)
            return
        }
        rib?.peerDown(id, keepStale: true)
        staleDeadlines[id] = BootClock.now() + settings.maxRestartTime
        await peer.stop(.restarting)
        await start(settings, as: id, in: new)
    }

    private func start(_ settings: NodeView.Peer, as id: PeerID, in configuration: SpeakerConfiguration) async {
        guard !isStopping else { return }
        incarnationCount += 1
        let peer = Peer(
            id: id, incarnation: incarnationCount, settings: settings,
            configuration: session(settings, in: configuration),
            roleTemplate: PeerRoleTemplate(
                localAS: configuration.localAS, localNextHops: configuration.nextHops()),
            dialer: dialer, inbox: inboxContinuation, logger: logger)
        peers[id] = peer
        directory.insert(peer)
        newPeersContinuation.yield(peer)
        await peer.start()
    }

    private func session(_ settings: NodeView.Peer, in configuration: SpeakerConfiguration) -> PeerConfiguration {
        var session = PeerConfiguration(
            localAS: configuration.localAS, peerAS: settings.asNumber, bgpID: configuration.routerID,
            localAddress: settings.localAddress, peerAddress: settings.address)
        session.keepaliveInterval = settings.keepaliveTime
        session.families = configuration.families
        session.timing.endOfRIBLimit = settings.maxRestartTime
        session.timing.jitterSeed = UInt64.random(in: .min ... .max)
        var gracefulRestart = GracefulRestartConfiguration()
        gracefulRestart.restartTimeSeconds = UInt16(clamping: settings.maxRestartTime.components.seconds)
        gracefulRestart.isRestarting = restart.isRestarting
        // After a boot nothing was preserved; a new session of a running daemon has lost nothing.
        gracefulRestart.isForwardingPreserved = restart.isRestarting || hasStarted
        session.gracefulRestart = gracefulRestart
        return session
    }
}

// The queue from the peers.
extension Speaker {
    private func consumeInbox() async {
        for await event in inbox {
            guard !isStopping, let peer = peers[event.peer], peer.incarnation == event.incarnation else { continue }
            take(event, of: peer)
            changed()
        }
    }

    private func take(_ event: PeerEvent, of peer: Peer) {
        switch event.kind {
        case .established(let role, let epoch, let isRestarting):
            rib?.addPeer(peer.id, role: role)
            epochs[peer.id] = epoch
            hasStarted = true
            if isRestarting { restartingPeers.insert(peer.id) } else { restartingPeers.remove(peer.id) }
            restart.sessionCameUp(at: BootClock.now())
        case .updates(let updates):
            for update in updates { report(rib?.apply(update, from: peer.id), of: peer) }
            peer.eventLoop.execute { peer.assumeIsolated { $0.updatesTaken(updates.count) } }
        case .refreshRequested(let family):
            rib?.refresh(family, for: peer.id)
        case .lost(let kept):
            epochs[peer.id] = nil
            restartingPeers.remove(peer.id)
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
        if !summary.conflicts.isEmpty || !reportedConflicts.isEmpty { reportConflicts() }
    }

    private func reportConflicts() {
        let conflicts = conflicts()
        guard conflicts != reportedConflicts else { return }
        for conflict in conflicts where !reportedConflicts.contains(conflict) {
            logger.error("own block announced by somebody else", metadata: ["conflict": "\(conflict)"])
        }
        reportedConflicts = conflicts
        conflictSignal.raise()
    }

    /// Wakes those who send and those who program. An End-of-RIB or a peer that is gone may mean that a route of an
    /// earlier run is nobody's, without any change of forwarding.
    private func changed() {
        forwardingSignal.raise()
        for (id, peer) in peers where rib?.hasPendingUpdates(for: id) ?? false { peer.exportSignal.raise() }
    }
}

// By the clock.
extension Speaker {
    /// Ends waits whose time is over, until cancelled.
    private func runUpkeep() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(restart.isRestarting ? 100 : 1000))
            guard !Task.isCancelled, !isStopping else { return }
            let now = BootClock.now()
            let awaited = (rib?.peersAwaitingEndOfRIB ?? []).filter { !restartingPeers.contains($0) }
            if let reason = restart.completed(awaiting: awaited, at: now) { await finishRestart(because: reason) }
            dropStaleRoutes(at: now)
        }
    }

    /// A peer whose settings changed and who did not come back loses its routes after its restart time.
    private func dropStaleRoutes(at now: MonotonicTime) {
        for (id, deadline) in staleDeadlines where now >= deadline {
            staleDeadlines[id] = nil
            if rib?.sweepStale(of: id) ?? 0 > 0 { changed() }
        }
    }

    private func finishRestart(because reason: String) async {
        restart.isRestarting = false
        logger.info("restart complete", metadata: ["reason": "\(reason)"])
        rib?.releaseExport()
        for peer in peers.values { await peer.restartCompleted() }
        changed()
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
