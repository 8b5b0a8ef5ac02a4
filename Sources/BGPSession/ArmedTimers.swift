import NetTypes

/// Which timers run, until when, and with which token: what tells a fire that counts from one that came too late.
struct ArmedTimers: Sendable, Equatable {
    private var armed: [TimerKind: SessionTimer] = [:]
    private var lastToken: UInt64 = 0

    /// Notes that a timer starts.
    mutating func arm(_ kind: TimerKind, deadline: MonotonicTime) -> SessionTimer {
        lastToken &+= 1
        let timer = SessionTimer(kind: kind, token: lastToken, deadline: deadline)
        armed[kind] = timer
        return timer
    }

    /// Notes that a timer stops; whether it ran.
    mutating func disarm(_ kind: TimerKind) -> Bool {
        armed.removeValue(forKey: kind) != nil
    }

    /// Whether a timer runs.
    func isArmed(_ kind: TimerKind) -> Bool { armed[kind] != nil }

    /// Takes a fire; whether the timer ran under this token. It runs no more then.
    mutating func consume(_ kind: TimerKind, token: UInt64) -> Bool {
        guard armed[kind]?.token == token else { return false }
        armed[kind] = nil
        return true
    }
}
