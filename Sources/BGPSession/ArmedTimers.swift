import NetTypes

/// Which timers run, and with which token: what tells a fire that counts from one that came too late.
struct ArmedTimers: Sendable, Equatable {
    private var tokens: [TimerKind: UInt64] = [:]
    private var lastToken: UInt64 = 0

    /// Notes that a timer starts.
    mutating func arm(_ kind: TimerKind, deadline: MonotonicTime) -> SessionTimer {
        lastToken &+= 1
        tokens[kind] = lastToken
        return SessionTimer(kind: kind, token: lastToken, deadline: deadline)
    }

    /// Notes that a timer stops; whether it ran.
    mutating func disarm(_ kind: TimerKind) -> Bool {
        tokens.removeValue(forKey: kind) != nil
    }

    /// Whether a timer runs.
    func isArmed(_ kind: TimerKind) -> Bool { tokens[kind] != nil }

    /// Takes a fire; whether the timer ran under this token. It runs no more then.
    mutating func consume(_ kind: TimerKind, token: UInt64) -> Bool {
        guard tokens[kind] == token else { return false }
        tokens[kind] = nil
        return true
    }
}
