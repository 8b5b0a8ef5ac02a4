import BGPSession
import BGPTable
import BGPWire
import LinuxOS
import Logging
import NIOCore
import NetTypes
import Resources
import Synchronization

/// The shell around one peer's session: it owns the connections and the timers, and does what the session says.
///
/// It is isolated to its event loop, so that KEEPALIVEs and hold timers never wait behind an import. Routes go to the
/// speaker through `inbox`, in order; a peer stops reading while `updateLimit` of its UPDATEs, or `octetLimit` of its
/// octets, wait there, which is the queue's bound. Routes to send come from the speaker, when `outlet` says that the socket takes them.
actor Peer {
    /// The UPDATEs that may wait for the table before the connection is read no further.
    private static let updateLimit = 4096
    /// The octets of them. In memory they are at most a dozen times as much: a prefix of two octets takes twenty-four.
    private static let octetLimit = 4 << 20

    nonisolated let id: PeerID
    nonisolated let incarnation: UInt64
    nonisolated let address: IPAddress
    private nonisolated let wanted: Mutex<Wanted>
    nonisolated let eventLoop: any EventLoop
    /// Whether the connection can take more routes.
    nonisolated let outlet: PeerOutlet

    var session: PeerSession
    private let dialer: Dialer
    private let inbox: PeerInbox
    private let logger: Logger
    private(set) var links: [ConnectionID: PeerConnection] = [:]
    /// What has happened: first what is being carried out, then what came meanwhile.
    private var events: [SessionEvent] = []
    private var dials: Set<ConnectionID> = []
    private var timers: [TimerKind: Scheduled<Void>] = [:]
    private var prefixPause: Scheduled<Void>?
    private var isEndedForPrefixes = false
    private var incomingCount: UInt64 = 0
    private var current: (negotiated: Negotiated, epoch: UInt64)?
    /// What every message asks of `current`, which is much to copy.
    private(set) var up: (connection: ConnectionID, epoch: UInt64, context: WireContext)?
    private var epoch: UInt64
    private var burst: [UpdateMessage] = []
    private var burstOctets = 0
    private var waiting = (updates: 0, octets: 0)
    /// The families that the peer asks for again and has not been answered for: more requests say nothing new.
    private var refreshesAsked: Set<AddressFamily> = []
    /// Whether so much waits for the table that nothing is read.
    private(set) var readsAreHeld = false
    private var logPace = LogPace<LogSubject>()
    private var failureReport = FailureReport()

    /// What may change while the session stays.
    private struct Wanted {
        var settings: NodeView.Peer
        var roleTemplate: PeerRoleTemplate
    }

    /// What a peer can make the log speak of with every message.
    private enum LogSubject {
        case failedAttempt
        case malformedUpdate
        case refreshRequest
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the event loop's group is shut down after every peer is gone.
        unsafe eventLoop.executor.asUnownedSerialExecutor()
    }

    init(
        id: PeerID, incarnation: UInt64, settings: NodeView.Peer, configuration: PeerConfiguration,
        keeping kept: KeptRoutes? = nil, roleTemplate: PeerRoleTemplate,
        dialer: Dialer, inbox: PeerInbox, logger: Logger,
    ) {
        self.id = id
        self.incarnation = incarnation
        epoch = incarnation << 32
        address = settings.address
        wanted = Mutex(Wanted(settings: settings, roleTemplate: roleTemplate))
        self.dialer = dialer
        self.inbox = inbox
        outlet = PeerOutlet(inbox: inbox)
        eventLoop = dialer.eventLoop
        session = PeerSession(configuration: configuration, keeping: kept)
        var logger = logger
        logger[metadataKey: "peer"] = "\(settings.address)"
        self.logger = logger
    }

    /// What is wanted of the peer now.
    nonisolated var settings: NodeView.Peer { wanted.withLock { $0.settings } }
    /// What of its role in the table follows from this node.
    nonisolated var roleTemplate: PeerRoleTemplate { wanted.withLock { $0.roleTemplate } }

    /// Takes settings with the same identity: the session stays.
    nonisolated func change(_ settings: NodeView.Peer, roleTemplate: PeerRoleTemplate? = nil) {
        wanted.withLock { wanted in
            wanted.settings = settings
            if let roleTemplate { wanted.roleTemplate = roleTemplate }
        }
    }

    /// Starts the session.
    func start() { handle(.started) }

    /// Ends the session and every connection.
    func stop(_ reason: StopReason) {
        prefixPause?.cancel()
        handle(.stopped(reason))
        for timer in timers.values { timer.cancel() }
        timers = [:]
    }

    /// Ends the session without a word, for one with other settings. What that one is to keep of the peer's routes is returned.
    func handOver() -> KeptRoutes {
        let kept = session.keptRoutes
        stop(.replaced)
        return kept
    }

    /// Ends a session in which more prefixes came than may, and begins another after a pause: what the peer sends will
    /// hardly be less at once. Without a pause none begins.
    ///
    /// The verdict is on one session: one that has come up since has done nothing.
    func endForPrefixes(_ received: Int, pause: Duration, epoch: UInt64) {
        guard let current, current.epoch == epoch else { return }
        logger.error("more prefixes than the peer may send", metadata: ["received": "\(received)"])
        handle(.stopped(.tooManyPrefixes))
        isEndedForPrefixes = true
        guard pause > .zero else { return }
        prefixPause = eventLoop.scheduleTask(in: TimeAmount(pause)) { self.assumeIsolated { $0.resume() } }
    }

    /// Begins a session anew if the last one ended because too many prefixes came: the pause is over, or the peer may
    /// send another number now.
    func resume() {
        guard isEndedForPrefixes else { return }
        prefixPause?.cancel()
        isEndedForPrefixes = false
        start()
    }

    /// This node's own restart is over.
    func restartCompleted() { handle(.restartCompleted) }

    /// The network seems to work again.
    func reachabilityRestored() { handle(.reachabilityRestored) }

    /// BFD has lost the peer.
    func failureDetected(_ event: SessionEvent) { handle(event) }

    /// The session for display.
    var status: SessionStatus { session.status }

    /// Takes a connection that the peer opened.
    func accept(_ channel: any Channel) {
        incomingCount += 1
        let connection = ConnectionID.incoming(incomingCount)
        do {
            try ConnectionProtection(settings).apply(toAccepted: channel)
        } catch {
            logger.error("connection refused: it cannot be protected", metadata: ["reason": "\(error)"])
            return channel.close(promise: nil)
        }
        guard attach(channel, as: connection) else { return }
        handle(.tcpConnected(connection))
    }

    /// How the messages of a connection are coded.
    func wireContext(of connection: ConnectionID) -> WireContext {
        guard let up, up.connection == connection else {
            return WireContext(isIBGP: session.configuration.isIBGP)
        }
        return up.context
    }

    /// How what comes on a connection is read. Whoever was told that this side takes long messages may send them,
    /// whether it takes any itself or not (RFC 8654 §3).
    private func receivingContext(of connection: ConnectionID) -> WireContext {
        var context = wireContext(of: connection)
        guard up?.connection == connection else { return context }
        if session.configuration.offersExtendedMessages { context.maximumMessageLength = WireContext.extendedMaximum }
        return context
    }

    /// Octets came of a connection. A message is decoded only after the one before it has been handled: the OPENs decide
    /// how an UPDATE is to be read.
    func received(_ octets: ByteBuffer, on connection: ConnectionID) {
        burstOctets += octets.readableBytes
        // Taken out while it is worked with: what is handled may close the connection.
        guard let link = links[connection], var decoder = link.decoder.take() else { return }
        var octets = octets
        while octets.readableBytes > 0 {
            let taken = decoder.push(octets.readableBytesUInt8Span)
            octets.moveReaderIndex(forwardBy: taken)
            guard handleMessages(in: &decoder, of: connection) else { return }
            // A decoder that is full of an unfinished frame would be a frame longer than the limit allows.
            if taken == 0 { break }
        }
        link.decoder = decoder
    }

    /// Handles the whole messages that there are; whether more can come.
    private func handleMessages(in decoder: inout MessageDecoder, of connection: ConnectionID) -> Bool {
        var context = receivingContext(of: connection)
        do throws(BGPError) {
            while let message = try decoder.nextMessage(context) {
                if case .update(let update) = message, session.passes(update, on: connection, at: BootClock.now()) {
                    deliver(update)
                    continue
                }
                handle(.messageReceived(connection, message))
                context = receivingContext(of: connection)
            }
            return true
        } catch {
            handle(.decodeFailed(connection, error))
            return false
        }
    }

    /// What one read brought is complete: the routes of it go to the table together.
    func readCompleted() { flushBurst() }

    /// A connection is gone.
    func connectionEnded(_ connection: ConnectionID, reason: String) {
        guard links.removeValue(forKey: connection) != nil else { return }
        handle(.tcpClosed(connection, reason: reason))
    }

    /// The table has taken `count` UPDATEs off the inbox, and with the last of a read its octets.
    func updatesTaken(_ count: Int, octets: Int = 0) {
        waiting.updates -= count
        waiting.octets -= octets
        guard readsAreHeld, waiting.updates < Self.updateLimit / 2, waiting.octets < Self.octetLimit / 2 else { return }
        readsAreHeld = false
        setReading(true)
    }

    /// The peer is about to be answered what it asked for: from here on a request is a new one.
    func refreshAnswered(_ family: AddressFamily) { refreshesAsked.remove(family) }
}

// What the session asks for.
extension Peer {
    /// An effect may bring an event before it returns, such as a dial that fails at once. That one waits its turn: what
    /// follows from it must not be undone by the rest of the effects that it came of.
    func handle(_ event: SessionEvent) {
        events.append(event)
        guard events.count == 1 else { return }
        while let event = events.first {
            for effect in session.handle(event, at: BootClock.now()) { perform(effect) }
            if let failure = session.lastFailure { report(failure) }
            events.removeFirst()
        }
    }

    /// Writes a line about each new cause for which the session does not come up, and none about each retry.
    private func report(_ failure: AttemptFailure) {
        guard failureReport.isNew(failure) else { return }
        note(.failedAttempt) { logger, leftOut in
            logger.warning(
                "session does not come up", metadata: ["reason": "\(failure.reason)"].with(leftOut: leftOut))
        }
    }

    private func perform(_ effect: SessionEffect) {
        switch effect {
        case .connect(let connection): dial(connection)
        case .close(let connection): close(connection)
        case .send(let connection, let message): send(message, on: connection)
        case .startTimer(let timer): schedule(timer)
        case .stopTimer(let kind): timers.removeValue(forKey: kind)?.cancel()
        case .establish(let negotiated): establish(negotiated)
        case .deliver(let update): deliver(update)
        case .deliverRefresh(let refresh): deliver(refresh)
        case .sessionLost(let loss): lose(loss)
        case .sweepStale(let families, let reason):
            flushBurst()
            logger.notice("stale routes dropped", metadata: ["reason": "\(reason)"])
            tell(.staleRoutesExpired(Set(families.compactMap(\.family))))
        case .keepStaleLong(let families):
            flushBurst()
            logger.notice("stale routes kept long", metadata: ["families": "\(families)"])
            tell(.staleRoutesKeptLong(Set(families.compactMap(\.family))))
        case .changedState(let state):
            logger.debug("session state", metadata: ["state": "\(state)"])
        }
    }

    private func dial(_ connection: ConnectionID) {
        dials.insert(connection)
        let protection = ConnectionProtection(settings)
        dialer.dial(session.configuration, port: settings.port, protection: protection).whenComplete { result in
            self.assumeIsolated { peer in
                let isWanted = peer.dials.remove(connection) != nil
                switch result {
                case .success(let channel):
                    guard isWanted else { return channel.close(promise: nil) }
                    guard peer.attach(channel, as: connection) else { return }
                    peer.handle(.tcpConnected(connection))
                case .failure(let error):
                    peer.handle(.tcpConnectFailed(connection, reason: Dialer.reason(of: error)))
                }
            }
        }
    }

    /// Puts the frame handler on a fresh connection; false when the connection is already gone.
    private func attach(_ channel: any Channel, as connection: ConnectionID) -> Bool {
        do {
            try channel.pipeline.syncOperations.addHandler(BGPFrameHandler(peer: self, connection: connection))
        } catch {
            channel.close(promise: nil)
            return false
        }
        links[connection] = PeerConnection(channel)
        if readsAreHeld { channel.setOption(.autoRead, value: false).whenFailure { _ in } }
        return true
    }

    /// Closes when the last message is with the kernel, so that a NOTIFICATION is not lost, or after a second.
    private func close(_ connection: ConnectionID) {
        dials.remove(connection)
        guard let link = links.removeValue(forKey: connection) else { return }
        let channel = link.channel
        guard let lastMessage = link.lastMessage else { return channel.close(promise: nil) }
        lastMessage.whenComplete { _ in channel.close(promise: nil) }
        eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    private func schedule(_ timer: SessionTimer) {
        timers.removeValue(forKey: timer.kind)?.cancel()
        let delay = timer.deadline - BootClock.now()
        run(timer, in: delay, patience: HoldPatience(deadline: timer.deadline))
    }

    private func run(_ timer: SessionTimer, in delay: Duration, patience: HoldPatience) {
        timers[timer.kind] = eventLoop.scheduleTask(in: TimeAmount(delay)) {
            self.assumeIsolated { peer in
                var patience = patience
                if case .hold = timer.kind,
                    let more = patience.more(at: BootClock.now(), readsAreHeld: peer.readsAreHeld)
                {
                    return peer.run(timer, in: more, patience: patience)
                }
                peer.timers[timer.kind] = nil
                peer.handle(.timerFired(timer.kind, token: timer.token))
            }
        }
    }

    private func establish(_ negotiated: Negotiated) {
        epoch += 1
        failureReport = FailureReport()
        current = (negotiated, epoch)
        up = (negotiated.connection, epoch, negotiated.wireContext)
        logger.notice(
            "session established",
            metadata: [
                "as": "\(negotiated.peerAS)", "id": "\(negotiated.peerBGPID)", "hold": "\(negotiated.holdTime)",
                "families": "\(negotiated.families)",
            ])
        let role = roleTemplate.role(negotiated, settings: settings)
        let kind = PeerEvent.Kind.established(role, epoch: epoch, isRestarting: negotiated.isPeerRestarting)
        tell(kind)
    }

    private func deliver(_ update: UpdateMessage) {
        for error in update.malformed {
            note(.malformedUpdate) { logger, leftOut in
                logger.warning("malformed UPDATE", metadata: ["error": "\(error)"].with(leftOut: leftOut))
            }
        }
        burst.append(update)
    }

    private func deliver(_ refresh: RouteRefreshMessage) {
        guard let family = refresh.family.family, let current else { return }
        flushBurst()
        switch refresh.subtype {
        case .request:
            // One that waits for its answer stands for all.
            guard refreshesAsked.insert(family).inserted else { return }
            note(.refreshRequest) { logger, leftOut in
                logger.info(
                    "route refresh asked for", metadata: ["family": "\(family.rawValue)"].with(leftOut: leftOut))
            }
            tell(.refreshRequested(family))
        case .begin:
            enqueue(1, octets: 0)
            tell(.refreshBegun(family, awaitsEndOfRIB: current.negotiated.peerGracefulRestart != nil))
        case .end:
            enqueue(1, octets: 0)
            tell(.refreshEnded(family))
        case .unknown: break
        }
    }

    /// Marks the beginning or the end of a family that is sent again (RFC 7313), where the peer knows of that. The mark
    /// occupies the outlet as routes do.
    func mark(_ subtype: RouteRefreshMessage.Subtype, of family: AddressFamily, epoch: UInt64) {
        guard let current, current.epoch == epoch, current.negotiated.hasEnhancedRouteRefresh else { return }
        let message = RouteRefreshMessage(family: AFISAFI(family), subtype: subtype)
        outlet.occupy()
        session.countSent(message)
        send(.routeRefresh(message), on: current.negotiated.connection, releasing: outlet)
    }

    /// Writes a line about what the peer has sent, unless there were many of its kind.
    private func note(_ subject: LogSubject, _ write: (Logger, Int) -> Void) {
        if let leftOut = logPace.line(about: subject, at: BootClock.now()) { write(logger, leftOut) }
    }

    /// What the session that is up was agreed on.
    var negotiated: Negotiated? { current?.negotiated }

    /// Asks the peer to send its routes again, every family (RFC 2918).
    func askForRefresh() {
        guard let current, current.negotiated.hasRouteRefresh else { return }
        for family in current.negotiated.families {
            let request = RouteRefreshMessage(family: family, subtype: .request)
            session.countSent(request)
            send(.routeRefresh(request), on: current.negotiated.connection)
        }
        logger.info("route refresh sent", metadata: ["families": "\(current.negotiated.families)"])
    }

    private func lose(_ loss: SessionLoss) {
        flushBurst()
        (current, up) = (nil, nil)
        refreshesAsked = []
        let kept = Set(loss.keptFamilies.compactMap(\.family))
        logger.warning(
            "session lost", metadata: ["reason": "\(loss.reason)", "routes": kept.isEmpty ? "dropped" : "kept"])
        tell(.lost(kept: kept))
    }

    private func flushBurst() {
        guard !burst.isEmpty else { return }
        enqueue(burst.count, octets: burstOctets)
        tell(.updates(burst[...], octets: burstOctets))
        (burst, burstOctets) = ([], 0)
    }

    /// So much more waits for the table. Beyond the limit nothing is read.
    private func enqueue(_ updates: Int, octets: Int) {
        waiting.updates += updates
        waiting.octets += octets
        guard !readsAreHeld, waiting.updates >= Self.updateLimit || waiting.octets >= Self.octetLimit else { return }
        readsAreHeld = true
        setReading(false)
    }

    private func tell(_ kind: PeerEvent.Kind) {
        inbox.put(PeerEvent(peer: id, incarnation: incarnation, kind: kind))
    }

    private func setReading(_ isOn: Bool) {
        for link in links.values { link.channel.setOption(.autoRead, value: isOn).whenFailure { _ in } }
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }
}
