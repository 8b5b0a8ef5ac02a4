package import BGPWire
package import NetTypes

/// What happened to a peer: the input of ``PeerSession/handle(_:at:)``.
package enum SessionEvent: Sendable, Equatable {
    /// The operator, or the daemon's start, wants the session (ManualStart and its kin).
    case started
    /// The session is no longer wanted. Nothing is sent or dialled afterwards until the next `started`.
    case stopped(StopReason)
    /// A connection exists: one that the session asked for by `connect`, or one that the peer opened.
    case tcpConnected(ConnectionID)
    /// An attempt asked for by `connect` failed; the reason in words ("Connection refused").
    case tcpConnectFailed(ConnectionID, reason: String)
    /// A connection ended without the session having closed it; the reason in words ("Connection reset by peer").
    case tcpClosed(ConnectionID, reason: String)
    /// A whole message arrived.
    case messageReceived(ConnectionID, BGPMessage)
    /// Bytes arrived that end the session (RFC 4271 §6.1–6.3, the `sessionReset` of RFC 7606).
    case decodeFailed(ConnectionID, BGPError)
    /// What was sent waits in this process: the peer's window and the kernel's buffer are full. Said again it is no news.
    case sendBlocked(ConnectionID)
    /// Some of what waited is with the kernel. If not all of it is, `sendBlocked` follows.
    case sendResumed(ConnectionID)
    /// A timer that `startTimer` set ran out. A fire that comes after the timer was stopped or set anew is ignored.
    case timerFired(TimerKind, token: UInt64)
    /// Something beside the session has found that nothing is forwarded to the peer any more (BFD, RFC 5882); the reason
    /// in words. `isForwardingLost` is false where the finder dies with the peer's control plane: then routes that are
    /// kept for a restart stay. `lastHeard` is when the finder last reached the peer: what it has lost since may be a peer
    /// that has restarted and whose new session is up.
    case failureDetected(String, isForwardingLost: Bool, lastHeard: MonotonicTime)
    /// Something shows that peers can be reached again that could not: no reason to wait with the next attempt.
    case reachabilityRestored
    /// This speaker's own restart is over (its Loc-RIB is complete again): later OPENs carry no R bit (RFC 4724 §4.1).
    case restartCompleted
}

/// Why a session is stopped from this side, which decides what the peer is told.
package enum StopReason: Sendable, Hashable {
    /// Cease/Administrative Shutdown with a message for the peer's operator (RFC 9003); the peer drops the routes.
    case shutdown(message: String)
    /// Cease/Administrative Reset with a message; a `started` is expected to follow.
    case reset(message: String)
    /// Cease/Peer De-configured: the peer was taken out of the configuration.
    case deconfigured
    /// Cease/Other Configuration Change: the session must be negotiated anew; a `started` is expected to follow.
    case reconfigured
    /// Cease/Maximum Number of Prefixes Reached (RFC 4486).
    case tooManyPrefixes
    /// Cease/Out of Resources (RFC 4486).
    case outOfResources
    /// This process ends and another takes over: TCP is closed without a word, so that peers keep the routes (RFC 4724).
    case restarting
    /// Another session with other settings takes this one's place: TCP is closed without a word, too.
    case replaced
}
