import NetTypes

/// How long to wait before the next attempt: twice as long after each failure, between two bounds, with jitter.
struct RetryBackoff: Sendable, Equatable {
    private let minimum: Duration
    private let maximum: Duration
    private var failures = 0
    private var generator: UInt64

    init(timing: SessionTiming) {
        minimum = timing.retryMinimum
        maximum = timing.retryMaximum
        generator = timing.jitterSeed
    }

    /// The wait after one more failure.
    mutating func delayAfterFailure() -> Duration {
        var delay = minimum
        for _ in 0..<failures where delay < maximum { delay *= 2 }
        failures = min(failures + 1, 62)
        return jittered(min(delay, maximum))
    }

    /// The next failure counts as the first again.
    mutating func reset() {
        failures = 0
    }

    /// A duration times a factor from 0.75 to 1 (RFC 4271 §10), so that many peers do not act at one instant.
    mutating func jittered(_ duration: Duration) -> Duration {
        duration * 3 / 4 + duration * Int(next() >> 54) / 4096
    }

    /// SplitMix64: equal seeds give equal sessions, which a replay needs.
    private mutating func next() -> UInt64 {
        generator &+= 0x9E37_79B9_7F4A_7C15
        var value = generator
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
