import BGPWire
import NetTypes

// Starting, stopping, dialling and accepting.

extension PeerSession {
    mutating func handleStarted(_ turn: inout Turn) {
        guard case .idle = state else { return }
        backoff.reset()
        damping.reset()
        downSince = downSince ?? inherited?.downSince ?? turn.now
        takeOverRoutes(&turn)
        if configuration.isPassive {
            state = .active
        } else if configuration.startDelay > .zero {
            state = .active
            start(.connectRetry, after: configuration.startDelay, &turn)
        } else {
            dial(&turn)
        }
    }

    mutating func handleStopped(_ reason: StopReason, _ turn: inout Turn) {
        switch state {
        case .idle, .active:
            break
        case .held:
            heldUntil = nil
            stop(.idleHold, &turn)
        case .connect(let dial):
            close(dial, &turn)
        case .opening(let opening):
            if let dial = opening.dial { close(dial, &turn) }
            for handshake in opening.handshakes { close(handshake.id, with: reason.notification, &turn) }
        case .established(let up):
            if let candidate = up.candidate { close(candidate.id, with: reason.notification, &turn) }
            // A plain Cease would let a peer that set the N bit keep the routes (RFC 8538 §4).
            let isHard = reason.dropsRoutes && up.negotiated.keepsRoutesOnNotification
            close(up.id, with: isHard ? reason.notification?.asHardReset : reason.notification, &turn)
            reportLoss(of: up, reason.description, by: reason.cause, &turn)
        }
        stop(.connectRetry, &turn)
        if reason == .tooManyPrefixes || reason == .outOfResources { note(reason.description, turn) }
        if reason.dropsRoutes { dropStaleRoutes(because: reason.description, &turn) }
        state = .idle
    }

    mutating func handleConnected(_ id: ConnectionID, _ turn: inout Turn) {
        // Said twice of one connection, it is no news.
        guard !state.connections.contains(id) else { return }
        switch (state, id.direction) {
        case (.connect(let dial), .outgoing) where dial == id:
            stop(.connectRetry, &turn)
            state = .opening(Opening(dial: nil, first: beginHandshake(on: id, &turn), second: nil))
        case (.connect(let dial), .incoming):
            state = .opening(Opening(dial: dial, first: beginHandshake(on: id, &turn), second: nil))
        case (.active, .incoming):
            stop(.connectRetry, &turn)
            state = .opening(Opening(dial: nil, first: beginHandshake(on: id, &turn), second: nil))
        case (.opening(var opening), .outgoing) where opening.dial == id:
            stop(.connectRetry, &turn)
            opening.dial = nil
            opening.second = beginHandshake(on: id, &turn)
            state = .opening(opening)
        case (.opening(let opening), .incoming):
            accept(id, beside: opening, &turn)
        case (.established(var up), .incoming):
            if let earlier = up.candidate { close(earlier.id, &turn) }
            up.candidate = beginHandshake(on: id, &turn)
            state = .established(up)
        case (.idle, _), (.held, _), (.connect, .outgoing), (.active, .outgoing), (.opening, .outgoing),
            (.established, .outgoing):
            // Not wanted, or a dial that was given up.
            close(id, &turn)
        }
    }

    /// Takes a connection from the peer while others exchange OPENs. A peer that dials anew has given up its earlier
    /// connection, whether the news of that has come or not: there is one connection per direction.
    private mutating func accept(_ id: ConnectionID, beside opening: Opening, _ turn: inout Turn) {
        var opening = opening
        let handshake = beginHandshake(on: id, &turn)
        if let earlier = opening.handshakes.first(where: { $0.id.direction == .incoming }) {
            close(earlier.id, &turn)
            if let outgoing = opening.rival(of: earlier.id) {
                opening.first = outgoing
                opening.second = handshake
            } else {
                opening.first = handshake
            }
        } else {
            opening.second = handshake
        }
        state = .opening(opening)
    }

    mutating func handleConnectFailed(_ id: ConnectionID, _ reason: String, _ turn: inout Turn) {
        switch state {
        case .connect(let dial) where dial == id:
            noteFailure("connecting failed: \(reason)", .unconnected, turn)
            retryLater(&turn)
        case .opening(var opening) where opening.dial == id:
            stop(.connectRetry, &turn)
            opening.dial = nil
            state = .opening(opening)
        case .idle, .held, .connect, .active, .opening, .established:
            break
        }
    }

    mutating func handleClosed(_ id: ConnectionID, _ reason: String, _ turn: inout Turn) {
        switch state {
        case .opening(let opening) where opening.handshake(on: id) != nil:
            // The other connection goes on, and nothing has gone wrong.
            if opening.rival(of: id) == nil {
                noteFailure("connection closed in \(stateName): \(reason)", .closed, turn)
            }
            stopTimers(of: id, &turn)
            leave(id, of: opening, &turn)
        case .established(var up) where up.candidate?.id == id:
            stopTimers(of: id, &turn)
            up.candidate = nil
            state = .established(up)
        case .established(let up) where up.id == id:
            stopTimers(of: id, &turn)
            lose(up, "connection closed: \(reason)", by: .connection, &turn)
        case .connect, .opening, .idle, .held, .active, .established:
            // A dial that ends before it connected has failed.
            handleConnectFailed(id, reason, &turn)
        }
    }

    /// The wait is over, or the dial took too long (RFC 4271 §8.2.2, event 9).
    mutating func handleConnectRetryTimer(_ turn: inout Turn) {
        switch state {
        case .active:
            dial(&turn)
        case .connect(let attempt):
            noteFailure("connecting failed: timed out", .closed, turn)
            close(attempt, &turn)
            dial(&turn)
        case .opening(var opening):
            guard let attempt = opening.dial else { return }
            close(attempt, &turn)
            opening.dial = nil
            state = .opening(opening)
        case .idle, .held, .established:
            break
        }
    }

    /// The peer may be reached again: it is dialled at once, and anew where a dial is under way, of which the packets come
    /// ever more rarely. A session that is kept in Idle has failed otherwise, and stays there.
    mutating func handleReachability(_ turn: inout Turn) {
        guard !configuration.isPassive else { return }
        switch state {
        case .active:
            backoff.reset()
            dial(&turn)
        case .connect(let attempt):
            backoff.reset()
            close(attempt, &turn)
            dial(&turn)
        case .idle, .held, .opening, .established:
            break
        }
    }

    /// Removes a connection that is no more from those that exchange OPENs; tries again later if it was the last.
    mutating func leave(_ id: ConnectionID, of opening: Opening, _ turn: inout Turn) {
        state = opening.removing(id)
        if case .active = state { retryLater(&turn) }
    }

    /// Waits in Active for the peer, and for the time of the next attempt.
    mutating func retryLater(_ turn: inout Turn) {
        state = .active
        guard !configuration.isPassive else { return }
        start(.connectRetry, after: backoff.delayAfterFailure(), &turn)
    }

    /// Dials, and limits the time that may take.
    mutating func dial(_ turn: inout Turn) {
        lastSerial += 1
        let id = ConnectionID.outgoing(lastSerial)
        turn.effects.append(.connect(id))
        start(.connectRetry, after: configuration.timing.connectTimeout, &turn)
        state = .connect(dial: id)
    }

    /// Sends the OPEN on a fresh connection, at once or after DelayOpenTime, and waits for the peer's.
    private mutating func beginHandshake(on id: ConnectionID, _ turn: inout Turn) -> Handshake {
        if configuration.delayOpenTime > .zero {
            start(.delayOpen(id), after: configuration.delayOpenTime, &turn)
        } else {
            sendOpen(on: id, &turn)
        }
        start(.hold(id), after: configuration.timing.openTimeout, &turn)
        return Handshake(id: id, connectedAt: turn.now)
    }
}

extension StopReason: CustomStringConvertible {
    /// What the peer is told; nil when it is told nothing.
    var notification: NotificationMessage? {
        switch self {
        case .shutdown(let message): .cease(CeaseSubcode.administrativeShutdown, because: message)
        case .reset(let message): .cease(CeaseSubcode.administrativeReset, because: message)
        case .deconfigured: NotificationMessage(cease: CeaseSubcode.peerDeconfigured)
        case .reconfigured: NotificationMessage(cease: CeaseSubcode.otherConfigurationChange)
        case .tooManyPrefixes: NotificationMessage(cease: CeaseSubcode.maximumPrefixes)
        case .outOfResources: NotificationMessage(cease: CeaseSubcode.outOfResources)
        case .restarting, .replaced: nil
        }
    }

    /// Whether routes go on both sides, whatever was agreed about restarts.
    var dropsRoutes: Bool {
        switch self {
        case .shutdown, .deconfigured, .tooManyPrefixes, .outOfResources: true
        case .reset, .reconfigured, .restarting, .replaced: false
        }
    }

    /// How the session ends by this, as far as the peer's routes depend on it.
    var cause: LossCause {
        switch self {
        case .shutdown, .deconfigured, .tooManyPrefixes, .outOfResources: .hardReset
        case .reset, .reconfigured: .notification
        case .restarting, .replaced: .connection
        }
    }

    /// The reason in words.
    package var description: String {
        switch self {
        case .shutdown(let message): message.isEmpty ? "shut down" : "shut down: \(message)"
        case .reset(let message): message.isEmpty ? "reset" : "reset: \(message)"
        case .deconfigured: "peer removed from the configuration"
        case .reconfigured: "configuration changed"
        case .tooManyPrefixes: "too many prefixes"
        case .outOfResources: "out of resources"
        case .restarting: "this daemon restarts"
        case .replaced: "its settings changed"
        }
    }
}

extension NotificationMessage {
    /// The same meaning with routes dropped though the N bit was agreed on (RFC 8538 §3.1).
    var asHardReset: NotificationMessage {
        NotificationMessage(cease: CeaseSubcode.hardReset, data: [code, subcode] + data)
    }
}
