package import BGPWire
package import NetTypes

// The session that is up, its end, and what becomes of the peer's routes (RFC 4724 §4.2, the receiving speaker).

/// How a session ended, as far as the peer's routes depend on it.
enum LossCause: Sendable {
    /// TCP ended, or a new connection took its place.
    case connection
    /// A NOTIFICATION was sent or received: routes stay only if both sides set the N bit (RFC 8538 §4).
    case notification
    /// A NOTIFICATION after which nothing stays.
    case hardReset
}

extension PeerSession {
    /// Takes note of an UPDATE that nothing follows from but that its routes go to the RIB: what nearly every message is.
    /// It does what `handle` does and makes no list of effects for it.
    ///
    /// - Returns: whether it was such a one; if not, nothing has happened, and the message is to be handled.
    package mutating func passes(_ update: UpdateMessage, on id: ConnectionID, at now: MonotonicTime) -> Bool {
        guard carrier == id, staleFamilies.isEmpty || update.endOfRIB == nil else { return false }
        counters.received.updates += 1
        lastPassed = now
        return true
    }

    mutating func handleInEstablished(_ message: BGPMessage, _ session: Established, _ turn: inout Turn) {
        var up = session
        up.lastReceived = turn.now
        state = .established(up)
        switch message {
        case .update(let update):
            turn.effects.append(.deliver(update))
            if let family = update.endOfRIB { endStaleWait(for: family, &turn) }
        case .keepalive:
            break
        case .routeRefresh(let refresh):
            guard up.negotiated.honours(refresh) else { break }
            // Without an End-of-RIB to wait for, what is stale from before is judged by the end of the refresh.
            if refresh.subtype == .begin, up.negotiated.peerGracefulRestart == nil {
                endStaleWait(for: refresh.family, &turn)
            }
            turn.effects.append(.deliverRefresh(refresh))
        case .notification(let notification):
            close(up.id, &turn)
            lose(up, "received \(notification)", by: notification.isHardReset ? .hardReset : .notification, &turn)
        case .open:
            end(up, .unexpected(message, in: .established), &turn)
        }
    }

    /// Something came on the connection that is watched beside the session.
    mutating func handleOnCandidate(
        _ message: BGPMessage, _ candidate: Handshake, _ session: Established, _ turn: inout Turn
    ) {
        switch message {
        case .open(let open):
            do {
                let negotiated = try negotiation.agree(on: open, connection: candidate.id)
                if isRestart(candidate, beside: session) {
                    replace(session, by: candidate, negotiated, &turn)
                } else {
                    dropCandidate(of: session, with: .collision, &turn)
                }
            } catch {
                refuseCandidate(of: session, error, &turn)
            }
        case .notification:
            dropCandidate(of: session, with: nil, &turn)
        case .update, .keepalive, .routeRefresh:
            refuseCandidate(of: session, .unexpected(message, in: .openSent), &turn)
        }
    }

    /// The peer restarted: its new connection takes the place of the session, whose routes stay as stale ones.
    private mutating func replace(
        _ up: Established, by candidate: Handshake, _ negotiated: Negotiated, _ turn: inout Turn
    ) {
        // The old connection is dead on the peer's side: there is nobody to send a NOTIFICATION to.
        close(up.id, &turn)
        lose(up, "the peer restarted", by: .connection, &turn)
        // One that fails again and again is kept in Idle: the new connection has gone with it.
        guard case .opening = state else { return }
        var confirmed = candidate
        confirmed.negotiated = negotiated
        confirmed.lastReceived = turn.now
        state = .opening(Opening(dial: nil, first: confirmed, second: nil))
        confirm(negotiated, &turn)
    }

    /// Ends the connection that is watched beside the session; the session stays.
    private mutating func dropCandidate(
        of session: Established, with notification: NotificationMessage?, _ turn: inout Turn
    ) {
        guard let candidate = session.candidate else { return }
        var up = session
        up.candidate = nil
        close(candidate.id, with: notification, &turn)
        state = .established(up)
    }

    /// Ends the connection that is watched beside the session because of what came on it; the session stays.
    mutating func refuseCandidate(of session: Established, _ error: BGPError, _ turn: inout Turn) {
        note("sent \(error) on a second connection", turn)
        dropCandidate(of: session, with: error.notification, &turn)
    }

    /// Whether a further connection shows that the peer restarted (RFC 4724 §5), and is not the late half of a
    /// simultaneous connect.
    private func isRestart(_ candidate: Handshake, beside up: Established) -> Bool {
        guard let restart = up.negotiated.peerGracefulRestart, !restart.families.isEmpty else { return false }
        return candidate.connectedAt - up.establishedAt > configuration.timing.collisionWindow
    }

    /// The hold timer is not set anew with each message: when it fires, the last message tells how long is left.
    mutating func checkHoldTime(of up: Established, _ turn: inout Turn) {
        let deadline = max(up.lastReceived, lastPassed ?? up.lastReceived) + up.negotiated.holdTime
        if deadline > turn.now {
            start(.hold(up.id), at: deadline, &turn)
        } else {
            let error = BGPError.holdTimerExpired("nothing came for \(up.negotiated.holdTime)")
            // Who asks to be waited for so long means just this: a peer that says nothing any more.
            end(up, error, by: up.negotiated.keptLong.isEmpty ? .notification : .connection, &turn)
        }
    }

    /// The peer is not reached any more: an established session ends, and its routes go (RFC 5882 §4.3, RFC 9384). Not if
    /// it was last reached before the session came up: then the session is news of the peer, and the loss is not.
    mutating func handleFailure(
        _ reason: String, isForwardingLost: Bool, lastHeard: MonotonicTime, _ turn: inout Turn,
    ) {
        if case .established(let up) = state {
            guard lastHeard >= up.establishedAt else { return }
            let notification = NotificationMessage(cease: CeaseSubcode.bfdDown)
            close(up.id, with: up.negotiated.keepsRoutesOnNotification ? notification.asHardReset : notification, &turn)
            lose(up, reason, by: .hardReset, &turn)
        } else if isForwardingLost {
            dropStaleRoutes(because: reason, &turn)
        }
    }

    /// Ends the session with a NOTIFICATION.
    mutating func end(
        _ up: Established, _ error: BGPError, by cause: LossCause = .notification, _ turn: inout Turn,
    ) {
        close(up.id, with: error.notification, &turn)
        lose(up, "sent \(error)", by: cause, &turn)
    }

    /// The session is down, its connection closed already: a watched connection takes over, or the retries begin.
    mutating func lose(_ up: Established, _ reason: String, by cause: LossCause, _ turn: inout Turn) {
        note(reason, isKept: cause != .connection, turn)
        reportLoss(of: up, reason, by: cause, &turn)
        let uptime = turn.now - up.establishedAt
        let wasStable = uptime >= configuration.timing.retryMaximum
        if cause == .connection || wasStable { backoff.reset() }
        if let candidate = up.candidate {
            state = .opening(Opening(dial: nil, first: candidate, second: nil))
        } else {
            retryLater(&turn)
        }
        // A peer that restarts and whose routes stay meanwhile does not oscillate.
        if cause != .connection || staleFamilies.isEmpty { holdInIdle(afterUp: uptime, &turn) }
    }

    /// Says that the session is down and which of the peer's routes stay.
    mutating func reportLoss(of up: Established, _ reason: String, by cause: LossCause, _ turn: inout Turn) {
        counters.lost += 1
        downSince = turn.now
        let isKept =
            switch cause {
            case .connection: true
            case .notification: up.negotiated.keepsRoutesOnNotification
            case .hardReset: false
            }
        let kept = isKept ? up.negotiated.keptFamilies() : []
        let keptLong = isKept ? up.negotiated.keptLong : []
        // What was stale before is not kept through a second loss (RFC 4724 §4.2), unless it is to be kept long.
        if !hasKeptLong || keptLong.isEmpty { dropStaleRoutes(because: "the session was lost again", &turn) }
        let restartTime = kept.isEmpty ? 0 : up.negotiated.peerGracefulRestart?.restartTime ?? 0
        turn.effects.append(
            .sessionLost(
                SessionLoss(reason: reason, keptFamilies: kept, restartTime: .seconds(Int(restartTime)))))
        guard !kept.isEmpty else { return }
        let gone = up.negotiated.families.filter { !kept.contains($0) }
        if !gone.isEmpty { turn.effects.append(.sweepStale(gone, reason: "the peer does not preserve the family")) }
        forgetStale(gone)
        staleFamilies = kept
        longLivedFamilies = keptLong
        staleDeadline = turn.now + .seconds(Int(restartTime))
        watchStaleRoutes(&turn)
    }

    /// The peer is back: drops the stale routes of the families it did not forward meanwhile; the others wait for its
    /// End-of-RIB, within a limit. A long wait that is under way is not prolonged by this (RFC 9494 §4.2).
    mutating func keepStaleRoutesStillForwarded(by negotiated: Negotiated, _ turn: inout Turn) {
        longLivedFamilies = []
        let isForwardedStill = peerLostNothing && !negotiated.isPeerRestarting
        peerLostNothing = false
        guard !staleFamilies.isEmpty else { return }
        let kept = staleFamilies.filter { family in
            negotiated.families.contains(family) && (isForwardedStill || negotiated.hasPreservedForwarding(family))
        }
        let gone = staleFamilies.filter { !kept.contains($0) }
        forgetStale(gone)
        if !gone.isEmpty {
            turn.effects.append(.sweepStale(gone, reason: "the peer did not preserve its forwarding state"))
        }
        staleDeadline = turn.now + configuration.timing.endOfRIBLimit
        watchStaleRoutes(&turn)
    }

    /// Drops whatever is stale.
    mutating func dropStaleRoutes(because reason: String, _ turn: inout Turn) {
        guard !staleFamilies.isEmpty else { return }
        let gone = staleFamilies
        forgetStale(gone)
        watchStaleRoutes(&turn)
        turn.effects.append(.sweepStale(gone, reason: reason))
    }

    /// The RIB sweeps on the marker itself; here the wait for it ends.
    private mutating func endStaleWait(for family: AFISAFI, _ turn: inout Turn) {
        guard !staleFamilies.isEmpty else { return }
        forgetStale([family])
        // While others are awaited the timer runs on: that it may fire for nothing costs less than to set it anew.
        if staleFamilies.isEmpty { watchStaleRoutes(&turn) }
    }
}

extension Negotiated {
    /// Whether a ROUTE-REFRESH means something. A family that was not agreed on is ignored (RFC 2918 §4), a marker or a
    /// subtype nobody agreed on as well (RFC 7313 §5).
    fileprivate func honours(_ refresh: RouteRefreshMessage) -> Bool {
        guard families.contains(refresh.family) else { return false }
        switch refresh.subtype {
        case .request: return true
        case .begin, .end: return hasEnhancedRouteRefresh
        case .unknown: return false
        }
    }
}

extension NotificationMessage {
    /// Another connection serves (RFC 4271 §6.8).
    static let collision = NotificationMessage(cease: CeaseSubcode.connectionCollisionResolution)

    /// Whether it says what is wrong: a connection that another one has made needless, or that is not wanted now because
    /// others failed, is none of it.
    var saysWhy: Bool {
        code != NotificationCode.cease
            || subcode != CeaseSubcode.connectionCollisionResolution && subcode != CeaseSubcode.connectionRejected
    }

    /// Whether routes go even though the N bit was agreed on (RFC 8538 §3).
    var isHardReset: Bool { code == NotificationCode.cease && subcode == CeaseSubcode.hardReset }
}
