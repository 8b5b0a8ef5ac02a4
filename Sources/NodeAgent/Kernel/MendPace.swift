import NetTypes

/// How soon what somebody keeps altering is mended again.
///
/// One change is answered at once, and so are the first few. Another program that sets its own value back whenever it
/// sees ours, as a network daemon or a node's script may, would keep both busy for ever: from then on it is answered
/// after 1, 2, 4 … 64 seconds. Whatever stays as it was left for longer than that starts afresh.
struct MendPace<Key: Hashable & Sendable>: Sendable {
    /// What to do about something that is not as it should be.
    enum Answer: Sendable, Equatable {
        /// Mend it.
        case now
        /// Mend it, and say that somebody is at work against it: this is told once in a quarrel.
        case nowInConflict
        /// Leave it. `takeDue` tells when to look again.
        case later
    }

    private struct Quarrel: Sendable {
        var count = 0
        var last: MonotonicTime
        var due: MonotonicTime
    }

    /// How many times in a row a thing is mended at once.
    static var patience: Int { 4 }
    private static var longestPause: Duration { .seconds(64) }
    /// What has been quiet for so long is forgotten.
    private static var memory: Duration { .seconds(10) }
    /// How many things are remembered before the quiet ones are dropped.
    private static var capacity: Int { 256 }

    private let firstPause: Duration
    private var quarrels: [Key: Quarrel] = [:]
    private var waiting: Set<Key> = []

    /// - Parameter firstPause: the pause after the last answer that is given at once; the next are twice as long each.
    init(firstPause: Duration = .seconds(1)) {
        self.firstPause = firstPause
    }

    /// When the first of what was left is due; nil while nothing is.
    var due: MonotonicTime? { waiting.lazy.map { due(for: $0) ?? MonotonicTime(nanoseconds: 0) }.min() }

    /// Until when a thing is left as it is; nil for one that nobody has altered.
    func due(for key: Key) -> MonotonicTime? { quarrels[key]?.due }

    /// Takes the news that a thing is not as it should be.
    mutating func answer(on key: Key, at now: MonotonicTime) -> Answer {
        var quarrel = quarrels[key] ?? Quarrel(last: now, due: now)
        guard now >= quarrel.due else {
            waiting.insert(key)
            return .later
        }
        waiting.remove(key)
        if isOver(quarrel, at: now) { quarrel.count = 0 }
        quarrel.count += 1
        quarrel.last = now
        quarrel.due = now + pause(after: quarrel.count)
        if quarrels.count >= Self.capacity { quarrels = quarrels.filter { !isOver($0.value, at: now) } }
        quarrels[key] = quarrel
        return quarrel.count == Self.patience ? .nowInConflict : .now
    }

    /// Whether a thing was mended so often that it has to wait, for who only finds out by mending whether it need be.
    /// `takeDue` tells when to look again.
    mutating func mustWait(_ key: Key, at now: MonotonicTime) -> Bool {
        guard let quarrel = quarrels[key], now < quarrel.due else { return false }
        waiting.insert(key)
        return true
    }

    /// Whether something that was left may be mended now. Who is told so looks at everything again: what has meanwhile
    /// gone, or is as it should be, is waited for no more.
    mutating func takeDue(at now: MonotonicTime) -> Bool {
        guard waiting.contains(where: { key in quarrels[key].map { now >= $0.due } ?? true }) else { return false }
        waiting = []
        return true
    }

    private func pause(after count: Int) -> Duration {
        count < Self.patience ? .zero : min(firstPause * (1 << min(count - Self.patience, 16)), Self.longestPause)
    }

    private func isOver(_ quarrel: Quarrel, at now: MonotonicTime) -> Bool {
        now - quarrel.last > Self.memory + pause(after: quarrel.count) * 2
    }
}
