package import BGPWire
package import NetTypes

/// What the shell has to do, in the order given: the output of ``PeerSession/handle(_:at:)``.
package enum SessionEffect: Sendable, Equatable {
    /// Open a TCP connection to the peer and report it under this name, as connected or as failed.
    case connect(ConnectionID)
    /// Close the connection once what was sent is written; give up the attempt if it does not exist yet.
    /// No event about it is expected afterwards; late ones are ignored.
    case close(ConnectionID)
    /// Write the message.
    case send(ConnectionID, BGPMessage)
    /// Set a timer. It replaces the one of the same kind.
    case startTimer(SessionTimer)
    /// Forget the timer of this kind.
    case stopTimer(TimerKind)
    /// The session is up. Its `wireContext` holds for every later message of its connection, so it must be in force
    /// before the next message is decoded: an UPDATE may follow in the same segment.
    case establish(Negotiated)
    /// Hand the UPDATE to the RIB.
    case deliver(UpdateMessage)
    /// Send the Adj-RIB-Out of the family again, or mind the RFC 7313 markers.
    case deliverRefresh(RouteRefreshMessage)
    /// The session is down; the peer's routes go, or stay as stale ones.
    case sessionLost(SessionLoss)
    /// Drop what is still stale of these families; the reason in words.
    case sweepStale([AFISAFI], reason: String)
    /// Keep what is still stale of these families on, as the last choice (RFC 9494 §4.2).
    case keepStaleLong([AFISAFI])
    /// The state as the RFC names it is now this one.
    case changedState(SessionStateName)
}

/// The clocks of a session.
package enum TimerKind: Sendable, Hashable {
    /// ConnectRetryTimer: the wait before a dial, and the limit of one.
    case connectRetry
    /// HoldTimer of one connection.
    case hold(ConnectionID)
    /// KeepaliveTimer of one connection.
    case keepalive(ConnectionID)
    /// SendHoldTimer of one connection (RFC 9687). It runs while something waits for the peer to take it.
    case sendHold(ConnectionID)
    /// DelayOpenTimer of one connection. While it runs no OPEN has been sent there.
    case delayOpen(ConnectionID)
    /// IdleHoldTimer: how long a session that keeps failing stays in Idle.
    case idleHold
    /// How long a lost peer's routes stay: its Restart Time, then the time of RFC 9494 or, when it is back, the limit for
    /// its End-of-RIB (RFC 4724 §4.2).
    case staleRoutes
}

/// A timer to set.
package struct SessionTimer: Sendable, Hashable {
    /// Which one.
    package let kind: TimerKind
    /// Tells this setting of the timer from earlier ones; goes back in `timerFired`.
    package let token: UInt64
    /// When it fires.
    package let deadline: MonotonicTime

    /// Describes a timer.
    package init(kind: TimerKind, token: UInt64, deadline: MonotonicTime) {
        self.kind = kind
        self.token = token
        self.deadline = deadline
    }
}

/// Why an established session ended and what becomes of the peer's routes.
package struct SessionLoss: Sendable, Equatable {
    /// The reason in words, for logs and status.
    package let reason: String
    /// The families whose routes stay as stale ones, because the peer said that it keeps forwarding (RFC 4724, 8538).
    package let keptFamilies: [AFISAFI]
    /// How long the peer may take to come back; zero when nothing is kept. The session runs the timer itself.
    package let restartTime: Duration

    /// Whether any routes stay.
    package var keepsRoutes: Bool { !keptFamilies.isEmpty }

    /// Describes a loss.
    package init(reason: String, keptFamilies: [AFISAFI], restartTime: Duration) {
        self.reason = reason
        self.keptFamilies = keptFamilies
        self.restartTime = restartTime
    }
}
