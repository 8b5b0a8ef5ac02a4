/// What the peers of a group have been told of one family, and what they are still to be told. It holds no routes: four
/// octets for each prefix, saying who was told, and how far the change log has been read.
struct AdjRIBOut: Sendable {
    /// A walk over all prefixes, in the order of their ids.
    struct Feed: Sendable, Equatable {
        /// The next id.
        var position: UInt32 = 0
        /// What is in the change log from here on comes by the log, so the walk leaves it out.
        let since: UInt64
        /// Whether prefixes that have been told are told again (RFC 2918).
        let isRefresh: Bool
    }

    /// How far it has come.
    struct Progress: Sendable, Equatable {
        /// The first number of the change log that has not been read.
        var cursor: UInt64
        /// The walk under way.
        var feed: Feed?
        /// Whether the End-of-RIB has been handed out.
        var hasSentEndOfRIB = false
    }

    var progress: Progress
    /// Who was told of each prefix, by the prefix's id; what lies beyond was told to nobody. Each entry holds a
    /// reference.
    private(set) var told: [TellingID] = []
    /// How many prefixes each telling stands for.
    private(set) var counts: [TellingID: Int] = [:]
    private var last: (id: TellingID, count: Int) = (TellingTable.none, 0)

    /// One that has told nothing, with its initial feed before it.
    init(startingAt cursor: UInt64) {
        progress = Progress(cursor: cursor, feed: Feed(since: cursor, isRefresh: false))
    }

    /// Who was told of a prefix.
    func telling(of id: UInt32) -> TellingID { Int(id) < told.count ? told[Int(id)] : TellingTable.none }

    /// Sets who was told of a prefix; the reference is the caller's to move.
    mutating func setTelling(_ telling: TellingID, of id: UInt32) {
        if Int(id) >= told.count {
            guard telling != TellingTable.none else { return }
            told.append(contentsOf: repeatElement(TellingTable.none, count: Int(id) + 1 - told.count))
        }
        let former = told[Int(id)]
        guard former != telling else { return }
        told[Int(id)] = telling
        count(former, by: -1)
        count(telling, by: 1)
    }

    /// How many prefixes each telling stands for, the latest changes included.
    var tellingCounts: [TellingID: Int] {
        var counts = counts
        if last.count != 0 { counts[last.id, default: 0] += last.count }
        return counts
    }

    /// Begins a walk over everything.
    mutating func restartFeed(isRefresh: Bool) {
        let isRefresh = isRefresh || progress.feed?.isRefresh == true
        progress.feed = Feed(since: progress.cursor, isRefresh: isRefresh)
    }

    /// Prefixes of one source come in runs: a run is one change of the dictionary.
    private mutating func count(_ id: TellingID, by step: Int) {
        guard id != TellingTable.none else { return }
        if id == last.id {
            last.count += step
            return
        }
        if last.count != 0 {
            let sum = counts[last.id, default: 0] + last.count
            counts[last.id] = sum == 0 ? nil : sum
        }
        last = (id, step)
    }
}
