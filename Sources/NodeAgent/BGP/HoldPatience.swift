import NetTypes

/// How long a hold timer that has run out waits before it is believed: what the peer sent in time may lie unread.
///
/// A loop that was busy runs its timers before it looks at its sockets. So a timer that fires late runs once more, until
/// it fires in time: then the loop has looked. Nor is the peer to blame while its connection is not read.
struct HoldPatience: Sendable, Equatable {
    /// A timer that is not later than this is in time.
    static let lateness: Duration = .milliseconds(50)
    /// How long the loop is given to look at its sockets.
    static let respite: Duration = .milliseconds(100)
    /// How often that is granted to a loop that is late again and again; it has looked in between.
    static let limit = 20

    private var deadline: MonotonicTime
    private var granted = 0

    /// The patience with a timer that is to fire at `deadline`.
    init(deadline: MonotonicTime) {
        self.deadline = deadline
    }

    /// How long the timer that fires now is to run once more; nil when the time is over.
    mutating func more(at now: MonotonicTime, readsAreHeld: Bool) -> Duration? {
        let isLate = now - deadline > Self.lateness && granted < Self.limit
        guard isLate || readsAreHeld else { return nil }
        if !readsAreHeld { granted += 1 }
        deadline = now + Self.respite
        return Self.respite
    }
}
