import NetTypes

/// When the own tables of nftables are looked at, and how soon they are mended.
///
/// The kernel tells that rules have changed, not whose, and the own writing is heard of as well: after any change the own
/// tables are looked at, which takes a dump of them. A change is answered at once; the next looks are as far apart as
/// `interval`, further where a look takes long, and where somebody alters the tables again and again (`MendPace`).
struct FilterPace: Sendable {
    private enum Table: Sendable { case own }

    /// Looks are at least so far apart, however often others change their rules.
    private static let interval: Duration = .milliseconds(20)
    /// Packets pass by the rules while they are not mended: the first pause is short.
    private static let firstPause: Duration = .milliseconds(320)

    private var isSuspect = false
    private var lastLook: MonotonicTime?
    /// How long the last look took.
    private var duration = Duration.zero
    /// At most such a part of the time goes into looks: with thousands of nodes one takes 20 ms of the thread that routes
    /// wait for.
    private static let share = 10
    private var pace = MendPace<Table>(firstPause: firstPause)

    /// When to look; nil while nothing was heard since the last look.
    var due: MonotonicTime? {
        guard isSuspect else { return nil }
        let earliest = lastLook.map { $0 + max(Self.interval, duration * Self.share) } ?? MonotonicTime(nanoseconds: 0)
        return max(earliest, pace.due(for: .own) ?? earliest)
    }

    /// Takes the news that rules, whosever they are, may have been changed.
    mutating func suspect() { isSuspect = true }

    /// Whether to look now. Who is told so looks.
    mutating func takeDue(at now: MonotonicTime) -> Bool {
        guard let due, now >= due else { return false }
        isSuspect = false
        lastLook = now
        return true
    }

    /// Takes the news that the look is over.
    mutating func looked(until now: MonotonicTime) { duration = lastLook.map { now - $0 } ?? .zero }

    /// Takes the news that a look has found the tables altered, and they were mended.
    ///
    /// - Returns: whether this is the one time in a quarrel that it is told of.
    mutating func mended(at now: MonotonicTime) -> Bool { pace.answer(on: .own, at: now) == .nowInConflict }
}
