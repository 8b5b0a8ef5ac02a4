import NetTypes

/// When routes of an earlier run go that nobody can speak for any more.
///
/// The time runs from the first configuration on: before it no peer can have been asked, however long it takes to come.
struct StaleTimer: Sendable {
    private var start: MonotonicTime?
    private var hasFired = false

    /// A configuration has been taken.
    mutating func configured(at now: MonotonicTime) { start = start ?? now }

    /// Whether the time is over. It is so once, and not on the strength of a configuration that was not read whole.
    mutating func fires(at now: MonotonicTime, with configuration: KernelConfiguration?) -> Bool {
        guard !hasFired, let start, let configuration, configuration.isWhole, now >= start + configuration.staleTime
        else { return false }
        hasFired = true
        return true
    }
}
