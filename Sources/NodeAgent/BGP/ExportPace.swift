import NetTypes

/// When the next routes may go out, so that a storm of changes costs a large reflector no more than a part of its time.
///
/// Where many are told, the changes of the first moments are gathered: what they come from, a cluster that has come up
/// or a node that is gone, is more than one message. After that each export is paid for by a pause that grows with the
/// number of peers it went to. A few may go on credit; where few are told nothing waits.
struct ExportPace: Sendable, Equatable {
    /// The most prefixes of one step.
    static let stepLimit = 8192
    /// How many peers are told without gathering.
    private static let smallAudience = 16
    private static let gatheringPerPeer: Duration = .microseconds(25)
    private static let longestGathering: Duration = .milliseconds(10)
    private static let pausePerPeer: Duration = .milliseconds(1)
    private static let longestPause: Duration = .milliseconds(50)
    /// How many exports may go before the pause of the first is over.
    private static let credit = 2

    /// When the first of the changes that are not out yet was seen.
    private var firstSeen: MonotonicTime?
    /// When every pause so far is over, and how long the last was.
    private var paid = MonotonicTime(nanoseconds: 0)
    private var pause = Duration.zero
    /// Whether more would have gone out but for the limit of a step.
    private var isBehind = false

    /// How long what there is to tell `audience` peers has to wait; not at all if it is not above zero.
    mutating func delay(at now: MonotonicTime, audience: Int) -> Duration {
        if isBehind { return .zero }
        let first = firstSeen ?? now
        firstSeen = first
        let gathering = audience < Self.smallAudience ? .zero : Self.gatheringPerPeer * audience
        let gathered = first + min(Self.longestGathering, gathering)
        return max(gathered - now, paid - now - pause * Self.credit)
    }

    /// Something went out to so many peers. While a step's limit holds more of it back there is no pause.
    mutating func sent(toPeers count: Int, at now: MonotonicTime, hasMore: Bool) {
        isBehind = hasMore
        firstSeen = nil
        guard !hasMore else { return }
        pause = min(Self.longestPause, Self.pausePerPeer * count)
        paid = max(paid, now) + pause
    }
}
