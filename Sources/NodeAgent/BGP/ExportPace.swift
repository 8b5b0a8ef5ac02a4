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
    // In nanoseconds: they are reckoned with for every message.
    private static let gatheringPerPeer: Int64 = 25_000
    private static let longestGathering: Int64 = 10_000_000
    private static let pausePerPeer: Int64 = 1_000_000
    private static let longestPause: Int64 = 50_000_000
    /// How many exports may go before the pause of the first is over.
    private static let credit: Int64 = 2

    /// When the first of the changes that are not out yet was seen.
    private var firstSeen: Int64?
    /// When every pause so far is over, and how long the last was.
    private var paid: Int64 = 0
    private var pause: Int64 = 0
    /// Whether more would have gone out but for the limit of a step.
    private var isBehind = false

    /// How long what there is to tell `audience` peers has to wait; not at all if it is not above zero.
    mutating func delay(at now: MonotonicTime, audience: Int) -> Duration {
        if isBehind { return .zero }
        let now = Int64(clamping: now.nanoseconds)
        let first = firstSeen ?? now
        firstSeen = first
        let gathering = audience < Self.smallAudience ? 0 : Self.gatheringPerPeer * Int64(audience)
        let gathered = first + min(Self.longestGathering, gathering)
        return .nanoseconds(max(gathered, paid - pause * Self.credit) - now)
    }

    /// Something went out to so many peers. While a step's limit holds more of it back there is no pause.
    mutating func sent(toPeers count: Int, at now: MonotonicTime, hasMore: Bool) {
        isBehind = hasMore
        firstSeen = nil
        guard !hasMore else { return }
        pause = min(Self.longestPause, Self.pausePerPeer * Int64(count))
        paid = max(paid, Int64(clamping: now.nanoseconds)) + pause
    }
}
