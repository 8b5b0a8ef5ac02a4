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

    /// Who was told of a prefix before a step. Each telling holds a reference.
    struct Former: Sendable {
        let id: UInt32
        let telling: TellingID
        /// Those of further paths, where several are told.
        var more: [TellingID] = []
    }

    var progress: Progress
    /// Who was told of each prefix, by the prefix's id; what lies beyond was told to nobody. Each entry holds a
    /// reference.
    private(set) var told: [TellingID] = []
    /// How many prefixes each telling stands for.
    private(set) var counts: [TellingID: Int] = [:]
    /// The tellings of further paths to a prefix (RFC 7911), by the prefix's id. Each holds a reference.
    private(set) var more: [UInt32: [TellingID]] = [:]
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

    /// Who was told of each path to a prefix.
    func tellings(of id: UInt32) -> [TellingID] {
        let first = telling(of: id)
        if first == TellingTable.none { return [] }
        return more.isEmpty ? [first] : [first] + (more[id] ?? [])
    }

    /// Sets who was told of each path to a prefix; the references are the caller's to move.
    mutating func setTellings(_ tellings: [TellingID], of id: UInt32) {
        setTelling(tellings.first ?? TellingTable.none, of: id)
        setMore(Array(tellings.dropFirst()), of: id)
    }

    /// Makes what was told of a prefix be what it was before a step.
    mutating func restore(_ former: Former) {
        setTelling(former.telling, of: former.id)
        if !former.more.isEmpty || !more.isEmpty { setMore(former.more, of: former.id) }
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

    private mutating func setMore(_ tellings: [TellingID], of id: UInt32) {
        let former = more.isEmpty ? [] : more[id] ?? []
        guard former != tellings else { return }
        for telling in former { count(telling, by: -1) }
        for telling in tellings { count(telling, by: 1) }
        more[id] = tellings.isEmpty ? nil : tellings
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
