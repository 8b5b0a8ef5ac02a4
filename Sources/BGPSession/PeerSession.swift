// The session with one BGP peer: events in, effects out.
//
// Parts: `PeerSession` takes events and keeps what outlives a connection (retries, timers, stale routes, counts);
// `SessionState` is the state with what each state owns; `Negotiation` makes the OPEN and judges the peer's;
// `PeerSession+Connecting` starts, stops, dials and accepts, `PeerSession+Opening` runs OPENs and collisions,
// `PeerSession+Established` the session and its end, `PeerSession+Waiting` the send hold, the delayed OPEN and the stay in
// Idle, `KeptRoutes` what goes over to a session with other settings. The shell owns sockets, clocks and the RIB; it
// carries out effects in order and reports back.
//
//              started                  tcpConnected (own or the peer's)
//      Idle ───────────▶ Connect ◀────▶ Active ─────▶ OpenSent ──OPEN──▶ OpenConfirm ──KEEPALIVE──▶ Established
//       ▲                   │  dial, failure  ▲           │                   │                          │
//       │                   └── tcpConnected ─┼──────────▶│                   │  closed, NOTIFICATION,   │
//       │ stopped, from anywhere;             └───────────┴───────────────────┴──── error, hold timer ───┘
//         failing again and again: until IdleHoldTimer
//
// Two connections may be in OpenSent or OpenConfirm at once, one per direction; the state is that of the further one.
//
// RFCs: 4271 §8 (states), §6.8 (collision), §10 (jitter) · 6286 (identifiers) · 5492, 4760, 6793, 2918, 8654
// (capabilities) · 4724, 8538, 9494 (graceful restart, both roles) · 4486, 9003 (Cease and its words) · 6608 (FSM
// subcodes) · 9687 (send hold timer).
// 5082 and 2385 are data for the shell.
//
// Known deviations:
// - After a first error the session waits in Active, not in Idle: the growing retry delay bounds its own attempts, and a
//   peer that restarts is not refused meanwhile. Errors that follow keep it in Idle, ever longer (DampPeerOscillations).
// - SendHoldTimer runs only while something waits to be sent, so an idle session without KEEPALIVEs has none.
// - A dial that has not connected is given up as soon as the peer's OPEN came on another connection.
// - Of two connections, the side whose connections survive (§6.8) closes the other's on its first OPEN, while its own is
//   still in OpenSent. Waiting for both OPENs lets the peer reach Established on the one that is about to be closed.
// - A new connection replaces an Established one (RFC 4724 §5) once its OPEN is accepted, not when TCP connects, and
//   only if the session was not just set up: else the late half of a simultaneous connect would end it.

package import BGPWire
package import NetTypes

/// The session with one peer: a value that takes events and answers with effects. It does no I/O and reads no clock, and
/// its jitter comes from a seed: equal configurations and events give equal effects.
package struct PeerSession: Sendable {
    /// What is wanted of the peer.
    package let configuration: PeerConfiguration

    var state = SessionState.idle {
        didSet { if case .established(let up) = state { carrier = up.id } else { carrier = nil } }
    }
    /// The connection that carries an established session. Beside the state, which is much to copy for every UPDATE.
    private(set) var carrier: ConnectionID?
    /// When the last UPDATE passed.
    var lastPassed: MonotonicTime?
    var timers = ArmedTimers()
    var backoff: RetryBackoff
    var damping: OscillationDamping
    /// Until when the session is kept in Idle, if it is.
    var heldUntil: MonotonicTime?
    var lastSerial: UInt64 = 0
    /// The families whose routes a lost session left behind.
    var staleFamilies: [AFISAFI] = []
    /// When the wait for a lost peer is over, or for the End-of-RIB of one that is back; nil where it is.
    var staleDeadline: MonotonicTime?
    /// What the peer has asked for when its restart time is over (RFC 9494), and what of it is under way.
    var longLivedFamilies: [LongLivedFamily] = []
    var longLivedStays: [LongLivedStay] = []
    /// What the session before has left, until this one is started.
    var inherited: KeptRoutes?
    /// Whether what is stale became so by a change of this side's settings: no F bit need speak for it.
    var peerLostNothing = false
    /// The R bit of the next OPEN.
    var isRestarting: Bool
    /// The F bits of the next OPEN.
    var isForwardingPreserved: Bool
    var counters = SessionCounters()
    private var since: MonotonicTime?
    /// Since when there is no session; nil while there is one, and before it is wanted.
    var downSince: MonotonicTime?
    private var lastError: String?
    private var lastErrorAt: MonotonicTime?
    /// Whether the last error says more than those that mostly follow from it.
    private var isErrorKept = false
    /// The last attempt that failed, if any has since the session was up.
    package private(set) var lastFailure: AttemptFailure?

    /// Makes a session at rest, in Idle: nothing happens before `started`. It may take the place of another, with what that
    /// one has kept.
    package init(configuration: PeerConfiguration, keeping kept: KeptRoutes? = nil) {
        self.configuration = configuration
        inherited = kept
        backoff = RetryBackoff(timing: configuration.timing)
        damping = OscillationDamping(timing: configuration.timing)
        isRestarting = configuration.gracefulRestart?.isRestarting ?? false
        isForwardingPreserved = configuration.gracefulRestart?.isForwardingPreserved ?? false
    }

    /// Takes one event and says what is to be done about it, in order.
    ///
    /// Events of connections that the session has closed, and fires of timers it has stopped, change nothing.
    package mutating func handle(_ event: SessionEvent, at now: MonotonicTime) -> [SessionEffect] {
        var turn = Turn(now: now)
        let before = stateName
        switch event {
        case .started: handleStarted(&turn)
        case .stopped(let reason): handleStopped(reason, &turn)
        case .tcpConnected(let id): handleConnected(id, &turn)
        case .tcpConnectFailed(let id, let reason): handleConnectFailed(id, reason, &turn)
        case .tcpClosed(let id, let reason): handleClosed(id, reason, &turn)
        case .messageReceived(let id, let message): handleMessage(message, on: id, &turn)
        case .decodeFailed(let id, let error): handleDecodeFailure(error, on: id, &turn)
        case .sendBlocked(let id): handleSendBlocked(id, &turn)
        case .sendResumed(let id): stop(.sendHold(id), &turn)
        case .timerFired(let kind, let token):
            if timers.consume(kind, token: token) { handleTimer(kind, &turn) }
        case .failureDetected(let reason, let isForwardingLost, let lastHeard):
            handleFailure(reason, isForwardingLost: isForwardingLost, lastHeard: lastHeard, &turn)
        case .reachabilityRestored: handleReachability(&turn)
        case .restartCompleted:
            isRestarting = false
            isForwardingPreserved = true
        }
        let after = stateName
        if after != before {
            since = now
            turn.effects.append(.changedState(after))
        }
        return turn.effects
    }

    /// The session for display. Not for decisions.
    package var status: SessionStatus {
        var negotiated: Negotiated?
        if case .established(let up) = state { negotiated = up.negotiated }
        return SessionStatus(
            state: stateName,
            since: since,
            downSince: downSince,
            lastError: lastError,
            lastErrorAt: lastErrorAt,
            negotiated: negotiated,
            failures: damping.failures,
            heldUntil: heldUntil,
            hasStaleRoutes: !staleFamilies.isEmpty,
            counters: counters)
    }

    /// The shell has sent UPDATEs.
    package mutating func countSent(updates count: UInt64) { counters.sent.updates += count }

    /// The shell has sent a ROUTE-REFRESH.
    package mutating func countSent(_ refresh: RouteRefreshMessage) { counters.sent.count(.routeRefresh(refresh)) }

    /// The rules for OPENs under this configuration.
    var negotiation: Negotiation { Negotiation(configuration: configuration) }

    /// Notes what went wrong, for display.
    mutating func note(_ error: String, isKept: Bool = true, _ turn: Turn) {
        lastError = error
        lastErrorAt = turn.now
        isErrorKept = isKept
    }

    /// Notes why an attempt to come up failed. What a NOTIFICATION has said is not forgotten for a connection that ends:
    /// the peer that has refused one OPEN closes the next connections without a word.
    mutating func noteFailure(_ reason: String, _ sign: AttemptFailure.Sign, _ turn: Turn) {
        if sign == .closed, isErrorKept { return }
        note(reason, isKept: sign == .notification, turn)
        lastFailure = AttemptFailure(number: (lastFailure?.number ?? 0) + 1, reason: reason, sign: sign)
    }

    /// The session is up: what went wrong before it is over.
    mutating func forgetFailures() {
        isErrorKept = false
        lastFailure = nil
        downSince = nil
    }
}

/// One call of `handle`: the moment, and the effects so far.
struct Turn {
    let now: MonotonicTime
    var effects: [SessionEffect] = []
}

// MARK: - Steps that every state uses

extension PeerSession {
    /// Sends a message and counts it.
    mutating func send(_ message: BGPMessage, on id: ConnectionID, _ turn: inout Turn) {
        counters.sent.count(message)
        turn.effects.append(.send(id, message))
    }

    /// Ends a connection, with a NOTIFICATION if there is one to send and an OPEN went before it.
    mutating func close(_ id: ConnectionID, with notification: NotificationMessage? = nil, _ turn: inout Turn) {
        if let notification, !timers.isArmed(.delayOpen(id)) { send(.notification(notification), on: id, &turn) }
        stopTimers(of: id, &turn)
        turn.effects.append(.close(id))
    }

    /// Starts a timer, or starts it anew.
    mutating func start(_ kind: TimerKind, after delay: Duration, _ turn: inout Turn) {
        start(kind, at: turn.now + delay, &turn)
    }

    /// Starts a timer, or starts it anew.
    mutating func start(_ kind: TimerKind, at deadline: MonotonicTime, _ turn: inout Turn) {
        turn.effects.append(.startTimer(timers.arm(kind, deadline: deadline)))
    }

    /// Stops a timer if it runs.
    mutating func stop(_ kind: TimerKind, _ turn: inout Turn) {
        if timers.disarm(kind) { turn.effects.append(.stopTimer(kind)) }
    }

    /// Stops the timers of a connection that is no more.
    mutating func stopTimers(of id: ConnectionID, _ turn: inout Turn) {
        stop(.hold(id), &turn)
        stop(.keepalive(id), &turn)
        stop(.sendHold(id), &turn)
        stop(.delayOpen(id), &turn)
    }

    private mutating func handleTimer(_ kind: TimerKind, _ turn: inout Turn) {
        switch kind {
        case .connectRetry: handleConnectRetryTimer(&turn)
        case .hold(let id): handleHoldTimer(id, &turn)
        case .keepalive(let id): handleKeepaliveTimer(id, &turn)
        case .sendHold(let id): handleSendHoldTimer(id, &turn)
        case .delayOpen(let id): sendOpen(on: id, &turn)
        case .idleHold: handleIdleHoldTimer(&turn)
        case .staleRoutes: handleStaleTimer(&turn)
        }
    }
}

extension MessageCounters {
    /// Counts one message.
    mutating func count(_ message: BGPMessage) {
        switch message {
        case .open: opens += 1
        case .update: updates += 1
        case .notification: notifications += 1
        case .keepalive: keepalives += 1
        case .routeRefresh: refreshes += 1
        }
    }
}
