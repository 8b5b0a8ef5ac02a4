import NetTypes

/// How long a session that keeps failing stays in Idle (RFC 4271 §8.1.1, DampPeerOscillations and IdleHoldTime).
///
/// The first failure costs nothing: it may be the only one. Each further one doubles the wait, up to a bound. For each
/// period that a session was up without interruption half of what is held against the peer is forgotten.
struct OscillationDamping: Sendable, Equatable {
    private let minimum: Duration
    private let maximum: Duration
    private let halfLife: Duration
    /// The failures that are held against the peer.
    private(set) var failures = 0

    init(timing: SessionTiming) {
        minimum = timing.idleHoldMinimum
        maximum = timing.idleHoldMaximum
        halfLife = timing.idleHoldHalfLife
    }

    /// One more failure, of a session that was up for so long; zero if it was not up at all.
    ///
    /// - Returns: how long to stay in Idle, before jitter; zero for not at all.
    mutating func failed(afterUp uptime: Duration) -> Duration {
        var forgiven = uptime
        while failures > 0, forgiven >= halfLife {
            failures /= 2
            forgiven -= halfLife
        }
        failures = min(failures + 1, 62)
        guard failures > 1, maximum > .zero else { return .zero }
        var hold = minimum
        for _ in 2..<failures where hold < maximum { hold *= 2 }
        return min(hold, maximum)
    }

    /// Nothing is held against the peer any more.
    mutating func reset() {
        failures = 0
    }
}
