package import NetTypes

/// The states as RFC 4271 §8.2.2 names them, in order of progress.
package enum SessionStateName: String, Sendable, Hashable, Comparable, CaseIterable, CustomStringConvertible {
    case idle = "Idle"
    case connect = "Connect"
    case active = "Active"
    case openSent = "OpenSent"
    case openConfirm = "OpenConfirm"
    case established = "Established"

    /// The RFC's spelling.
    package var description: String { rawValue }

    /// The place in the order of progress.
    private var rank: Int {
        switch self {
        case .idle: 0
        case .connect: 1
        case .active: 2
        case .openSent: 3
        case .openConfirm: 4
        case .established: 5
        }
    }

    package static func < (left: SessionStateName, right: SessionStateName) -> Bool { left.rank < right.rank }
}

/// An attempt to come up that failed.
package struct AttemptFailure: Sendable, Equatable {
    /// How that showed.
    package enum Sign: Sendable {
        /// A NOTIFICATION went, or came.
        case notification
        /// No connection came about.
        case unconnected
        /// A connection ended or took too long, and nobody said why.
        case closed
    }

    /// How many have failed since the session was up.
    package let number: UInt64
    /// Why, in words.
    package let reason: String
    /// How it showed.
    package let sign: Sign

    /// Describes a failure.
    package init(number: UInt64, reason: String, sign: Sign) {
        self.number = number
        self.reason = reason
        self.sign = sign
    }
}

/// A session as people want to see it.
package struct SessionStatus: Sendable, Equatable {
    /// The state; of two connections at once, that of the one which got further.
    package var state: SessionStateName
    /// When it entered that state; nil before the first event.
    package var since: MonotonicTime?
    /// Since when there is no session, however often it has been tried since; nil while there is one.
    package var downSince: MonotonicTime?
    /// The last thing that went wrong, in words; kept after recovery.
    package var lastError: String?
    /// When that was.
    package var lastErrorAt: MonotonicTime?
    /// What was agreed; nil unless Established.
    package var negotiated: Negotiated?
    /// The failures that are held against the peer, which decide how long it stays in Idle after the next one.
    package var failures: Int
    /// Until when it stays in Idle because of them; nil when it does not.
    package var heldUntil: MonotonicTime?
    /// Whether a lost peer's routes are being kept.
    package var hasStaleRoutes: Bool
    /// Counts since the session value was made.
    package var counters: SessionCounters
}

/// Counts of a session. UPDATEs and refreshes that the shell sends it has to tell of.
package struct SessionCounters: Sendable, Equatable {
    /// Times the session came up.
    package var established: UInt64 = 0
    /// Times it went down again.
    package var lost: UInt64 = 0
    /// Times it was kept in Idle because it failed again and again.
    package var holds: UInt64 = 0
    /// Times it ended because the peer took nothing of what was sent (RFC 9687).
    package var sendHoldsExpired: UInt64 = 0
    /// Messages received, by type.
    package var received = MessageCounters()
    /// Messages sent, by type.
    package var sent = MessageCounters()

    /// Nothing yet.
    package init() {}
}

/// Counts by message type.
package struct MessageCounters: Sendable, Equatable {
    /// OPENs.
    package var opens: UInt64 = 0
    /// UPDATEs.
    package var updates: UInt64 = 0
    /// NOTIFICATIONs.
    package var notifications: UInt64 = 0
    /// KEEPALIVEs.
    package var keepalives: UInt64 = 0
    /// ROUTE-REFRESHes.
    package var refreshes: UInt64 = 0

    /// Nothing yet.
    package init() {}
}
