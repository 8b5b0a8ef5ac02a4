import NetTypes

/// Something that fails again and again, of which the log is to say once that it does.
struct Outage: Sendable {
    /// What has not failed for so long is over. One that succeeds now and then in between is still the same.
    static let quietTime = Duration.seconds(60)

    private var lastFailure: MonotonicTime?

    /// Takes note of a failure.
    /// - Returns: whether it is the first.
    mutating func begins(at now: MonotonicTime) -> Bool {
        defer { lastFailure = now }
        return lastFailure.map { $0 + Self.quietTime < now } ?? true
    }
}
