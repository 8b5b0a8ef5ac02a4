import BGPSession
import BGPTable
import BGPWire
import LinuxOS
import Logging
import NIOCore
import NetTypes
import Resources
import Synchronization

/// The one owner of the RIB, and of the set of peers.
///
/// It lives on the event loop of the sessions and hears of them through one ordered queue. It takes what waits there in
/// slices of a few milliseconds, between which the loop serves sockets and timers: so an import delays no KEEPALIVE,
/// and a change goes from one socket to the other without a change of threads. What is to be programmed is pulled from
/// it by those who do it.
actor Speaker {
    /// How long the queue is worked on before the sockets have their turn.
    private static let sliceNanoseconds: UInt64 = 5_000_000
    /// Between two slices: the loop sees to its sockets only when no task is left that could run now, so the next must not
    /// be due before the loop has looked.
    static let sliceGap: Duration = .microseconds(100)
    /// How many routes the work on the whole table goes through in a slice.
    private static let sliceRoutes = 4096
    /// What those who program the kernel need to know.
    struct Forwarding: Sendable {
        /// The prefixes whose forwarding differs from what was told before.
        var changes: [ForwardingChange]
        /// Whether there are more to be had at once.
        var hasMore = false
        /// Which peers have said everything they know: what tells a route that survived a restart from one that nobody
        /// announces any more. nil while there are more changes: what the peers have said is not all among these.
        var reception: Reception?
        /// The peers that have sent an End-of-RIB, with which these changes are complete, and when their sessions came up.
        var converged: [(peer: IPAddress, since: MonotonicTime)] = []
    }

    /// Raised when `forwarding` has something new.
    nonisolated let forwardingSignal: Signal
    /// Raised when `listenAddresses` may have changed.
    nonisolated let listenSignal = Signal()
    /// Raised when there are other conflicts than `conflicts(planning:in:)` has answered.
    nonisolated let conflictSignal = Signal()
    /// Raised when `bfdTargets` may have changed.
    nonisolated let bfdSignal = Signal()
    /// The peers by address, for the listener.
    nonisolated let directory = PeerDirectory()

    private nonisolated let dialer: Dialer
    /// Where the speaker and its sessions live.
    nonisolated var eventLoop: any EventLoop { dialer.eventLoop }
    /// What those who program are to do next, laid out for them: they need not come to the event loop for it.
    nonisolated let laidOut = Mutex<Forwarding?>(nil)
    /// Whether there may be other next hops than `nextHops` has answered.
    nonisolated let hasOtherNextHops = Atomic(false)
    let logger: Logger
    let inbox: PeerInbox
    private let finished = Signal()
    /// What has been taken out of the inbox and not been worked on.
    private var waiting: ArraySlice<PeerEvent> = []
    private var pace = ExportPace()
    private var isExportScheduled = false
    /// Whether peers have said, or may have said, all they know since the kernel's side was last woken.
    var isReceptionNew = false
    var restart: RestartState
    /// Whether somebody looks whether the restart is complete.
    var isRestartWatched = false
    /// The clients whose routes are not in the table although others may have been told of them.
    var unheardClients: Set<PeerID> = []
    var configuration: SpeakerConfiguration?
    var rib: RIB?
    var peers: [PeerID: Peer] = [:]
    var epochs: [PeerID: UInt64] = [:]
    private var peerCount: UInt32 = 0
    private var incarnationCount: UInt64 = 0
    var restartingPeers: Set<PeerID> = []
    var isStopping = false
    private var hasStarted = false
    /// ROUTE-REFRESHes that peers have asked for and are not being answered.
    var refreshesWanted: Set<Refresh> = []
    /// Those that they are being answered.
    var refreshesOut: Set<Refresh> = []
    /// Those that peers are answering, each with the moment at which their answer is taken for complete.
    var refreshesIn: [Refresh: MonotonicTime] = [:]
    /// The families whose routes a peer has lost without a session since.
    var forsaken: [PeerID: Set<AddressFamily>] = [:]
    /// The peers that the log has warned of in the session that is up.
    var prefixWarnings: Set<PeerID> = []
    var pathWarnings: Set<PeerID> = []
    /// When the sessions came up whose routes are not all programmed.
    var converging: [PeerID: MonotonicTime] = [:]
    var reportedConflicts: [OwnBlockConflict] = []
    var endOfRIBPace = LogPace<PeerID>()

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the event loop's group is shut down after everybody who calls the speaker is gone.
        unsafe dialer.eventLoop.executor.asUnownedSerialExecutor()
    }

    init(dialer: Dialer, forwardingSignal: Signal, isRestarting: Bool, logger: Logger) {
        self.dialer = dialer
        inbox = PeerInbox(eventLoop: dialer.eventLoop)
        self.forwardingSignal = forwardingSignal
        self.logger = logger
        restart = RestartState(isRestarting: isRestarting)
    }

    /// Works until `stop`.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.runUpkeep() }
            inbox.open { self.assumeIsolated { $0.workOff() } }
            await finished.wait()
            group.cancelAll()
        }
    }

    /// Ends every session without a word, so that the peers keep this node's routes (RFC 4724). What the peers told this
    /// node stays too: from here on no loss of a session changes the table.
    func stop() async {
        isStopping = true
        forwardingSignal.finish()
        for peer in peers.values { await peer.stop(.restarting) }
        inbox.close()
        finished.finish()
    }

    /// Makes the sessions, the announcements and the import policy be as configured. Only sessions whose own settings
    /// differ are ended or begun.
    func configure(_ new: SpeakerConfiguration) async {
        guard !isStopping, new != configuration else { return }
        let identity = RIB.Identity(
            localAS: new.localAS, routerID: new.routerID,
            clusterID: new.clusterID.map { ClusterID(rawValue: $0.rawValue) },
            localAddresses: Set(new.localAddresses.map(\.address)))
        let policy = ImportPolicy(
            pools: new.pools, nodeAddresses: new.nodeAddresses, unexportedPools: new.unexportedPools,
            tunnels: new.tunnels)
        if rib == nil {
            // A reflector that is new knows nothing, and must not say that this is all.
            restart.isGathering = !restart.isRestarting && new.clusterID != nil
            restart.configured(at: BootClock.now())
            watchRestart()
            rib = RIB(
                identity: identity, importPolicy: policy, isExportHeld: restart.isRestarting,
                isEndOfRIBHeld: restart.isGathering)
        } else {
            if rib?.identity != identity { rib?.setIdentity(identity) }
            rib?.setImportPolicy(policy)
        }
        rib?.setTellsForwarding(new.programsRoutes)
        rib?.setLocal(new.announcements.map { LocalRoute($0, in: new) })
        let former = configuration
        configuration = new
        listenSignal.raise()
        bfdSignal.raise()
        await replaceChangedPeers(with: new, insteadOf: former)
        isReceptionNew = true
        reportConflicts()
        changed()
    }

    /// Changes some of the announcements, and nothing else: pods come and go more often than blocks.
    func change(announcing new: [BlockAnnouncement], withdrawing old: [IPPrefix]) {
        guard !isStopping, configuration?.change(announcing: new, withdrawing: old) ?? false else { return }
        rib?.changeLocal(announcing: new.map { LocalRoute($0, in: configuration) }, withdrawing: old)
        changed()
    }

    /// Where peers are to be accepted.
    func listenAddresses() -> Set<SocketAddress> {
        guard let configuration else { return [] }
        return Set(
            configuration.acceptingAddresses.compactMap { address in
                try? SocketAddress(ipAddress: address, port: configuration.listenPort)
            })
    }

    /// Whether what is learned goes into the kernel, for display.
    var programsRoutes: Bool { configuration?.programsRoutes ?? true }

    /// Who is to be watched by BFD, by the peer's address, and from which own address.
    func bfdTargets() -> [IPAddress: BFDMonitor.Target] {
        guard let configuration else { return [:] }
        let pairs = configuration.peers.compactMap { peer -> (IPAddress, BFDMonitor.Target)? in
            let own = configuration.localAddresses.first { $0.address.family == peer.address.family }?.address
            guard let options = peer.session.bfd, let local = peer.localAddress ?? own else { return nil }
            return (peer.address, BFDMonitor.Target(local: local, options: options))
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// The keys that the listening sockets are to have, by the peer's address.
    func passwords() -> [IPAddress: Secret] {
        Dictionary(
            (configuration?.peers ?? []).compactMap { peer in peer.password.map { (peer.address, $0) } },
            uniquingKeysWith: { first, _ in first })
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

    /// How large the table is, for display.
    func tableNumbers() -> [(family: AddressFamily, prefixes: Int, waitingChanges: Int)] {
        AddressFamily.allCases.map { ($0, rib?.prefixCount(of: $0) ?? 0, rib?.changeLogCount(of: $0) ?? 0) }
    }

    /// What waits for the table, in reads, and for the kernel, in prefixes; for display.
    func queueDepths() -> (events: Int, forwarding: Int) {
        (waiting.count + inbox.count, rib?.forwardingChangeCount ?? 0)
    }
}

// The set of peers.
extension Speaker {
    private func replaceChangedPeers(
        with new: SpeakerConfiguration, insteadOf former: SpeakerConfiguration?,
    ) async {
        let wanted = Dictionary(new.peers.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
        for (id, peer) in peers {
            guard let settings = wanted[peer.address], settings.identity == peer.settings.identity,
                former?.hasSameSession(as: new, with: settings) ?? false
            else {
                await replace(id, with: new)
                continue
            }
            let template = new.roleTemplate(for: settings)
            let isUnchanged = settings == peer.settings && template == peer.roleTemplate
            if !isUnchanged, !change(peer, to: settings, template) { await replace(id, with: new) }
        }
        rib?.reviewSmallTables()
        await addMissingPeers(of: new)
    }

    /// Carries out what can be changed while the session stays.
    ///
    /// - Returns: whether that was all. What was taken off routes as they came can only come from the peer again.
    private func change(_ peer: Peer, to settings: NodeView.Peer, _ template: PeerRoleTemplate) -> Bool {
        let former = peer.settings.policy
        peer.change(settings, roleTemplate: template)
        var isTakenAsBefore = true
        rib?.changeRole(of: peer.id) { role in
            let tookTunnels = role.carriesTunnelEncapsulation
            template.update(&role, settings: settings)
            isTakenAsBefore = role.carriesTunnelEncapsulation == tookTunnels
        }
        if !former.hasSamePrefixLimit(as: settings.policy) { limitChanged(of: peer) }
        return isTakenAsBefore || askForRoutes(of: peer.id) != .peerCannot
    }

    private func addMissingPeers(of new: SpeakerConfiguration) async {
        let present = Set(peers.values.map(\.address))
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
        let wasUp = epochs.removeValue(forKey: id) != nil
        restartingPeers.remove(id)
        sessionEnded(id)
        guard let settings = new.peers.first(where: { $0.address == peer.address }) else {
            forsaken[id] = nil
            unheardClients.remove(id)
            rib?.removePeer(id)
            await peer.stop(.deconfigured)
            return
        }
        if wasUp { rib?.abandonRefreshes(from: id) }
        rib?.peerDown(id, keepStale: true)
        let kept = await peer.handOver()
        let gone = Set(AddressFamily.allCases).subtracting(kept.families.compactMap(\.family))
        // What became of the session last may still wait in the queue, and is not heard any more.
        if wasUp, !kept.wasUp { forsaken[id] = gone }
        sweep(gone, of: peer)
        for family in kept.familiesKeptLong.compactMap(\.family) { rib?.keepStaleLong(of: id, family: family) }
        await start(settings, as: id, keeping: kept, in: new)
    }

    private func start(
        _ settings: NodeView.Peer, as id: PeerID, keeping kept: KeptRoutes? = nil,
        in configuration: SpeakerConfiguration,
    ) async {
        guard !isStopping else { return }
        incarnationCount += 1
        let peer = Peer(
            id: id, incarnation: incarnationCount, settings: settings,
            configuration: session(settings, in: configuration), keeping: kept,
            roleTemplate: configuration.roleTemplate(for: settings), dialer: dialer, inbox: inbox, logger: logger)
        peers[id] = peer
        if restart.isUnderWay, settings.isRouteReflectorClient, epochs[id] == nil { unheardClients.insert(id) }
        directory.insert(peer)
        await peer.start()
    }

    private func session(_ settings: NodeView.Peer, in configuration: SpeakerConfiguration) -> PeerConfiguration {
        var session = PeerConfiguration(
            localAS: settings.session.localASNumber ?? configuration.localAS, peerAS: settings.asNumber,
            bgpID: configuration.routerID, localAddress: settings.localAddress, peerAddress: settings.address)
        session.keepaliveInterval = settings.keepaliveTime
        session.isPassive = settings.session.isPassive
        session.holdTimeSeconds = settings.session.holdTimeSeconds ?? session.holdTimeSeconds
        session.sendHoldTime = settings.session.sendHoldTime
        session.delayOpenTime = settings.session.delayOpenTime
        session.timing.idleHoldMaximum = settings.session.idleHoldTime
        session.offersExtendedMessages = true
        session.families = configuration.families
        session.offersPathIDs = settings.session.addPath.sends
        session.takesPathIDs = settings.session.addPath.receives
        session.offersExtendedNextHop = settings.session.hasExtendedNextHop ?? (settings.address.family == .ipv6)
        session.longLivedRestart.staleTimeSeconds = UInt32(clamping: settings.longLivedStaleTime.components.seconds)
        session.longLivedRestart.isForwardingPreserved = settings.isRouteReflectorClient
        session.longLivedRestart.keepsRoutes = settings.keepsLongLivedRoutes
        session.timing.endOfRIBLimit = settings.maxRestartTime
        session.timing.jitterSeed = UInt64.random(in: .min ... .max)
        var gracefulRestart = GracefulRestartConfiguration()
        gracefulRestart.restartTimeSeconds = UInt16(clamping: settings.maxRestartTime.components.seconds)
        gracefulRestart.isRestarting = restart.isRestarting
        // After a boot nothing was preserved; a new session of a running daemon has lost nothing.
        gracefulRestart.isForwardingPreserved = restart.hasPreservedRoutes || hasStarted
        session.gracefulRestart = gracefulRestart
        return session
    }
}

// The queue from the peers.
extension Speaker {
    /// Takes one slice of what waits.
    private func workOff() {
        let end = MonotonicTime(nanoseconds: BootClock.now().nanoseconds &+ Self.sliceNanoseconds)
        // What concerns the whole table has its part of every slice, however much the peers have to say.
        if rib?.agenda().hasSlicesLeft ?? false { rib?.goOn(limit: Self.sliceRoutes) }
        if waiting.isEmpty { waiting = inbox.take()[...] }
        var isFirst = true
        while let event = waiting.first {
            if !isStopping, let peer = peers[event.peer], peer.incarnation == event.incarnation,
                let rest = take(event, of: peer, until: end)
            {
                waiting[waiting.startIndex] = rest
                break
            }
            waiting.removeFirst()
            // Those who program may begin with what the first peer says, while the others are listened to.
            if isFirst, !waiting.isEmpty { tellForwarding(rib?.agenda() ?? Agenda()) }
            isFirst = false
            if waiting.isEmpty { waiting = inbox.take()[...] }
            if BootClock.now() >= end { break }
        }
        changed()
        if !waiting.isEmpty { inbox.wake(after: TimeAmount(Self.sliceGap)) }
    }

    /// Takes an event, or so much of its routes as there is time for. Returns what is left of it.
    func take(_ event: PeerEvent, of peer: Peer, until end: MonotonicTime) -> PeerEvent? {
        if case .updates = event.kind {} else { isReceptionNew = true }
        switch event.kind {
        case .established(var role, let epoch, let isRestarting):
            // The settings may have changed while the event waited.
            peer.roleTemplate.update(&role, settings: peer.settings)
            rib?.addPeer(peer.id, role: role)
            epochs[peer.id] = epoch
            hasStarted = true
            if isRestarting { restartingPeers.insert(peer.id) } else { restartingPeers.remove(peer.id) }
            forsaken[peer.id] = nil
            converging[peer.id] = BootClock.now()
            sessionCameUp(with: peer)
        case .updates(let updates, let octets):
            let rest = apply(updates, octets: octets, from: peer, until: end)
            return rest.isEmpty ? nil : event.with(.updates(rest, octets: octets))
        case .refreshRequested(let family): answerRefresh(of: family, to: peer)
        case .refreshBegun(let family, let awaitsEndOfRIB):
            peer.assumeIsolated { $0.updatesTaken(1) }
            beginRefresh(of: family, from: peer, awaitsEndOfRIB: awaitsEndOfRIB)
        case .refreshEnded(let family):
            peer.assumeIsolated { $0.updatesTaken(1) }
            endRefresh(of: family, from: peer)
        case .lost(let kept):
            sessionEnded(peer.id)
            forsaken[peer.id] = Set(AddressFamily.allCases).subtracting(kept)
            epochs[peer.id] = nil
            restartingPeers.remove(peer.id)
            rib?.peerDown(peer.id, keepStale: !kept.isEmpty)
            if !kept.isEmpty { sweep(Set(AddressFamily.allCases).subtracting(kept), of: peer) }
            if kept.isEmpty || restart.isUnderWay { routesAreGone(of: peer) }
        case .staleRoutesExpired(let families):
            if epochs[peer.id] == nil {
                forsaken[peer.id, default: []].formUnion(families)
                routesAreGone(of: peer)
            }
            sweep(families, of: peer)
        case .staleRoutesKeptLong(let families):
            for family in families { rib?.keepStaleLong(of: peer.id, family: family) }
        }
        return nil
    }

    private func sweep(_ families: Set<AddressFamily>, of peer: Peer) {
        for family in families { _ = rib?.sweepStale(of: peer.id, family: family) }
    }

    /// Sends what there is to send and wakes those who program. An End-of-RIB or a peer that is gone may mean that a
    /// route of an earlier run is nobody's, without any change of forwarding.
    func changed() {
        // A conflict may end without an UPDATE: with a session, with stale routes.
        if !reportedConflicts.isEmpty { reportConflicts() }
        beginAnswers()
        if rib?.takeHasOtherNextHops() ?? false { hasOtherNextHops.store(true, ordering: .releasing) }
        let agenda = rib?.agenda() ?? Agenda()
        tellForwarding(agenda)
        export(agenda)
        if agenda.hasSlicesLeft || rib?.agenda().hasSlicesLeft ?? false { inbox.wake(after: TimeAmount(Self.sliceGap)) }
    }

    private func tellForwarding(_ agenda: Agenda) {
        if isReceptionNew || agenda.hasForwardingChanges {
            layOutForwarding()
            forwardingSignal.raise()
        }
        isReceptionNew = false
    }

    /// Hands out what there is for peers that can take it, unless it is too early for more.
    private func export(_ agenda: Agenda) {
        guard !isStopping, agenda.hasPendingUpdates else { return endAnsweredRefreshes() }
        let now = BootClock.now()
        let delay = pace.delay(at: now, audience: agenda.expectedAudience)
        guard delay <= .zero else { return scheduleExport(in: delay) }
        let peers = peers
        let deliveries =
            rib?.nextDeliveries(limit: ExportPace.stepLimit) { id in peers[id]?.outlet.isFree ?? false } ?? []
        let left = rib?.agenda() ?? Agenda()
        guard !deliveries.isEmpty || left.isExportCutShort else { return endAnsweredRefreshes() }
        let count = send(deliveries)
        endAnsweredRefreshes()
        pace.sent(toPeers: count, at: now, hasMore: left.isExportBehind)
        guard left.hasPendingUpdates else { return }
        scheduleExport(in: max(pace.delay(at: now, audience: left.expectedAudience), Self.sliceGap))
    }

    private func scheduleExport(in delay: Duration) {
        // One chain of slices: two would take turns without ever leaving one to the sockets.
        if delay <= Self.sliceGap { return inbox.wake(after: TimeAmount(Self.sliceGap)) }
        guard !isExportScheduled else { return }
        isExportScheduled = true
        dialer.eventLoop.scheduleTask(in: TimeAmount(delay)) {
            self.assumeIsolated { speaker in
                speaker.isExportScheduled = false
                speaker.export(speaker.rib?.agenda() ?? Agenda())
            }
        }
    }

    /// Hands deliveries to the peers. Returns how many are sent something.
    private func send(_ deliveries: [OutgoingDelivery]) -> Int {
        var count = 0
        for delivery in deliveries {
            for failure in delivery.encoded.failures {
                logger.error("routes cannot be announced", metadata: ["reason": "\(failure)"])
            }
            let bytes = ByteBuffer(bytes: delivery.encoded.bytes)
            for recipient in delivery.recipients {
                guard let peer = peers[recipient.peer], let epoch = epochs[recipient.peer] else { continue }
                peer.outlet.occupy()
                let routes = recipient.ranges.compactMap { bytes.getSlice(at: $0.lowerBound, length: $0.count) }
                peer.assumeIsolated { $0.send(routes, messages: recipient.messages, epoch: epoch) }
                count += 1
            }
        }
        return count
    }
}
