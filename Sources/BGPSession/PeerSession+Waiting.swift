import BGPWire
import NetTypes

// What makes a session wait beside its connections: a peer that takes nothing (RFC 9687), an OPEN that is delayed, and a
// stay in Idle after failures (RFC 4271 §8.1.1).

extension PeerSession {
    /// The state as the RFC names it: a connection on which the OPEN is still delayed is in Connect or Active.
    var stateName: SessionStateName {
        guard case .opening(let opening) = state,
            opening.handshakes.allSatisfy({ timers.isArmed(.delayOpen($0.id)) })
        else { return state.name }
        return opening.dial != nil || opening.first.id.direction == .outgoing ? .connect : .active
    }

    // MARK: - Send hold

    /// Something waits for the peer to take it: from here on the peer has SendHoldTime.
    mutating func handleSendBlocked(_ id: ConnectionID, _ turn: inout Turn) {
        guard case .established(let up) = state, up.id == id, !timers.isArmed(.sendHold(id)) else { return }
        let limit = sendHoldTime(of: up.negotiated)
        if limit > .zero { start(.sendHold(id), after: limit, &turn) }
    }

    /// Nothing was taken for too long. The NOTIFICATION will hardly arrive; it costs nothing.
    mutating func handleSendHoldTimer(_ id: ConnectionID, _ turn: inout Turn) {
        guard case .established(let up) = state, up.id == id else { return }
        counters.sendHoldsExpired += 1
        let limit = sendHoldTime(of: up.negotiated)
        end(up, BGPError(NotificationCode.sendHoldTimerExpired, 0, "the peer took nothing for \(limit)"), &turn)
    }

    /// RFC 9687 §4.2: eight minutes or twice the Hold Time, unless configured.
    private func sendHoldTime(of negotiated: Negotiated) -> Duration {
        configuration.sendHoldTime ?? max(.seconds(480), negotiated.holdTime * 2)
    }

    // MARK: - Delayed OPEN

    /// Sends the OPEN.
    mutating func sendOpen(on id: ConnectionID, _ turn: inout Turn) {
        let open = negotiation.open(isRestarting: isRestarting, isForwardingPreserved: isForwardingPreserved)
        send(.open(open), on: id, &turn)
    }

    /// Sends the OPEN if it is yet to be sent: the peer's came.
    mutating func sendDelayedOpen(on id: ConnectionID, _ turn: inout Turn) {
        guard timers.isArmed(.delayOpen(id)) else { return }
        stop(.delayOpen(id), &turn)
        sendOpen(on: id, &turn)
    }

    // MARK: - Idle hold

    /// Counts a failure against the peer, and keeps the session in Idle if it was not the first.
    mutating func holdInIdle(afterUp uptime: Duration, _ turn: inout Turn) {
        let full = damping.failed(afterUp: uptime)
        guard full > .zero else { return }
        let hold = backoff.jittered(full)
        // What watched the session, or what was about to take its place, goes with it.
        for id in state.connections { close(id, with: .rejected, &turn) }
        stop(.connectRetry, &turn)
        counters.holds += 1
        heldUntil = turn.now + hold
        state = .held
        start(.idleHold, after: hold, &turn)
    }

    /// The stay in Idle is over.
    mutating func handleIdleHoldTimer(_ turn: inout Turn) {
        guard case .held = state else { return }
        heldUntil = nil
        if configuration.isPassive { state = .active } else { dial(&turn) }
    }
}

extension NotificationMessage {
    /// The connection is not wanted now.
    fileprivate static let rejected = NotificationMessage(cease: CeaseSubcode.connectionRejected)
}
