import BGPWire
import NetTypes

// OPENs, collisions, and the way to Established.

extension PeerSession {
    mutating func handleMessage(_ message: BGPMessage, on id: ConnectionID, _ turn: inout Turn) {
        switch state {
        case .idle, .held, .connect, .active:
            break
        case .opening(var opening):
            guard var handshake = opening.handshake(on: id) else { return }
            counters.received.count(message)
            handshake.lastReceived = turn.now
            opening.update(handshake)
            if handshake.negotiated == nil {
                handleInOpenSent(message, handshake, opening, &turn)
            } else {
                handleInOpenConfirm(message, handshake, opening, &turn)
            }
        case .established(let up):
            if up.id == id {
                counters.received.count(message)
                handleInEstablished(message, up, &turn)
            } else if let candidate = up.candidate, candidate.id == id {
                counters.received.count(message)
                handleOnCandidate(message, candidate, up, &turn)
            }
        }
    }

    mutating func handleDecodeFailure(_ error: BGPError, on id: ConnectionID, _ turn: inout Turn) {
        switch state {
        case .idle, .held, .connect, .active:
            break
        case .opening(let opening):
            guard opening.handshake(on: id) != nil else { return }
            abort(id, of: opening, error, &turn)
        case .established(let up):
            if up.id == id {
                end(up, error, &turn)
            } else if up.candidate?.id == id {
                refuseCandidate(of: up, error, &turn)
            }
        }
    }

    private mutating func handleInOpenSent(
        _ message: BGPMessage, _ handshake: Handshake, _ opening: Opening, _ turn: inout Turn
    ) {
        switch message {
        case .open(let open):
            do {
                var confirmed = handshake
                let negotiated = try negotiation.agree(on: open, connection: handshake.id)
                confirmed.negotiated = negotiated
                resolve(confirmed, negotiated, in: opening, &turn)
            } catch {
                abort(handshake.id, of: opening, error, &turn)
            }
        case .notification(let notification):
            giveUp(handshake.id, of: opening, told: notification, &turn)
        case .update, .keepalive, .routeRefresh:
            abort(handshake.id, of: opening, .unexpected(message, in: .openSent), &turn)
        }
    }

    private mutating func handleInOpenConfirm(
        _ message: BGPMessage, _ handshake: Handshake, _ opening: Opening, _ turn: inout Turn
    ) {
        switch message {
        case .keepalive:
            establish(handshake, of: opening, &turn)
        case .notification(let notification):
            giveUp(handshake.id, of: opening, told: notification, &turn)
        case .open, .update, .routeRefresh:
            abort(handshake.id, of: opening, .unexpected(message, in: .openConfirm), &turn)
        }
    }

    /// An acceptable OPEN came: settles which of two connections goes on, and confirms this one if it does.
    private mutating func resolve(
        _ handshake: Handshake, _ negotiated: Negotiated, in opening: Opening, _ turn: inout Turn
    ) {
        if let dial = opening.dial {
            stop(.connectRetry, &turn)
            close(dial, &turn)
        }
        let alone = Opening(dial: nil, first: handshake, second: nil)
        guard let rival = opening.rival(of: handshake.id) else {
            state = .opening(alone)
            confirm(negotiated, &turn)
            return
        }
        let surviving: ConnectionID.Direction = negotiation.isDominant(over: negotiated) ? .outgoing : .incoming
        if rival.negotiated != nil {
            if rival.id.direction == surviving {
                close(handshake.id, with: .collision, &turn)
                state = .opening(Opening(dial: nil, first: rival, second: nil))
            } else {
                close(rival.id, with: .collision, &turn)
                state = .opening(alone)
                confirm(negotiated, &turn)
            }
        } else if surviving == .outgoing, rival.id.direction == .outgoing, isFresh(rival, turn) {
            // The peer will not close the rival before it has this side's OPEN on it: see the head of PeerSession.
            close(handshake.id, with: .collision, &turn)
            state = .opening(Opening(dial: nil, first: rival, second: nil))
        } else {
            state = .opening(Opening(dial: nil, first: rival, second: handshake))
            confirm(negotiated, &turn)
        }
    }

    /// Whether a connection without an OPEN is young enough to be expected to get one.
    private func isFresh(_ handshake: Handshake, _ turn: Turn) -> Bool {
        turn.now - handshake.connectedAt <= configuration.timing.collisionWindow
    }

    /// Answers an acceptable OPEN and starts the agreed timers.
    mutating func confirm(_ negotiated: Negotiated, _ turn: inout Turn) {
        let id = negotiated.connection
        sendDelayedOpen(on: id, &turn)
        send(.keepalive, on: id, &turn)
        if negotiated.holdTime > .zero {
            start(.hold(id), after: negotiated.holdTime, &turn)
            start(.keepalive(id), after: backoff.jittered(negotiated.keepaliveInterval), &turn)
        } else {
            stop(.hold(id), &turn)
        }
    }

    /// The first KEEPALIVE came: the session is up, and no other connection is needed.
    private mutating func establish(_ handshake: Handshake, of opening: Opening, _ turn: inout Turn) {
        guard let negotiated = handshake.negotiated else { return }
        if let rival = opening.rival(of: handshake.id) {
            close(rival.id, with: .collision, &turn)
        }
        state = .established(
            Established(
                negotiated: negotiated, establishedAt: turn.now, lastReceived: turn.now, candidate: nil))
        counters.established += 1
        forgetFailures()
        isForwardingPreserved = true
        keepStaleRoutesStillForwarded(by: negotiated, &turn)
        turn.effects.append(.establish(negotiated))
    }

    /// Ends a connection because of what the peer sent on it.
    private mutating func abort(
        _ id: ConnectionID, of opening: Opening, _ error: BGPError, _ turn: inout Turn
    ) {
        noteFailure("sent \(error)", .notification, turn)
        close(id, with: error.notification, &turn)
        leave(id, of: opening, &turn)
        if case .active = state { holdInIdle(afterUp: .zero, &turn) }
    }

    /// Drops a connection on which the peer sent a NOTIFICATION.
    private mutating func giveUp(
        _ id: ConnectionID, of opening: Opening, told notification: NotificationMessage, _ turn: inout Turn
    ) {
        // A collision that leaves the other connection is nothing that went wrong.
        if opening.rival(of: id) == nil {
            noteFailure("received \(notification)", notification.saysWhy ? .notification : .closed, turn)
        }
        close(id, &turn)
        leave(id, of: opening, &turn)
        // A Cease says nothing against this side; the growing retry delay sees to it.
        if case .active = state, notification.code != NotificationCode.cease { holdInIdle(afterUp: .zero, &turn) }
    }

    /// The hold timer of a connection that is not Established, or a check of one that is.
    mutating func handleHoldTimer(_ id: ConnectionID, _ turn: inout Turn) {
        switch state {
        case .idle, .held, .connect, .active:
            break
        case .opening(let opening):
            guard let handshake = opening.handshake(on: id) else { return }
            let awaited = handshake.negotiated == nil ? "OPEN" : "KEEPALIVE"
            abort(id, of: opening, .holdTimerExpired("no \(awaited) came"), &turn)
        case .established(let up):
            if up.candidate?.id == id {
                refuseCandidate(of: up, .holdTimerExpired("no OPEN came"), &turn)
            } else if up.id == id {
                checkHoldTime(of: up, &turn)
            }
        }
    }

    /// Sends the next KEEPALIVE, in OpenConfirm and in Established.
    mutating func handleKeepaliveTimer(_ id: ConnectionID, _ turn: inout Turn) {
        let negotiated: Negotiated? =
            switch state {
            case .idle, .held, .connect, .active: nil
            case .opening(let opening): opening.handshake(on: id)?.negotiated
            case .established(let up): up.id == id ? up.negotiated : nil
            }
        guard let negotiated else { return }
        send(.keepalive, on: id, &turn)
        start(.keepalive(id), after: backoff.jittered(negotiated.keepaliveInterval), &turn)
    }
}

extension BGPError {
    /// A message that the state has no place for (RFC 6608 §3); the data is its type.
    static func unexpected(_ message: BGPMessage, in state: SessionStateName) -> BGPError {
        let (type, name): (UInt8, String) =
            switch message {
            case .open: (1, "OPEN")
            case .update: (2, "UPDATE")
            case .notification: (3, "NOTIFICATION")
            case .keepalive: (4, "KEEPALIVE")
            case .routeRefresh: (5, "ROUTE-REFRESH")
            }
        let subcode: UInt8 =
            switch state {
            case .idle, .connect, .active: 0
            case .openSent: FSMSubcode.unexpectedInOpenSent
            case .openConfirm: FSMSubcode.unexpectedInOpenConfirm
            case .established: FSMSubcode.unexpectedInEstablished
            }
        return BGPError(NotificationCode.finiteStateMachine, subcode, data: [type], "\(name) in \(state)")
    }

    /// The peer was silent for too long (RFC 4271 §6.5).
    static func holdTimerExpired(_ reason: String) -> BGPError {
        BGPError(NotificationCode.holdTimerExpired, 0, reason)
    }
}
