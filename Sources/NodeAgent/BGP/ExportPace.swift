import NetTypes

/// When the next routes may go out. A change goes at once; those that follow within a time that grows with the number
/// of peers they go to are gathered, so that a storm of changes costs a large reflector no more than a part of its time.
struct ExportPace: Sendable, Equatable {
    /// The most prefixes of one step.
    static let stepLimit = 16384
    private static let pausePerPeer: Duration = .microseconds(250)
    private static let longestPause: Duration = .milliseconds(50)

    /// Nothing goes out before.
    private(set) var due = MonotonicTime(nanoseconds: 0)

    /// Whether something may go out.
    func mayGo(at now: MonotonicTime) -> Bool { now >= due }

    /// Something went out to so many peers. While a step's limit holds more of it back there is no pause.
    mutating func sent(toPeers count: Int, at now: MonotonicTime, hasMore: Bool) {
        due = hasMore ? now : now + min(Self.longestPause, Self.pausePerPeer * count)
    }
}
