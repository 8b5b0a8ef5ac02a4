// Work on the whole table in slices. Whoever owns the table calls `goOn` between other things while `hasSlicesLeft`.
extension RIB {
    /// Up to so many prefixes or routes are gone through at once; beyond, in slices.
    package static let sliceLimit = 8192

    /// Whether there is work that waits for `goOn`.
    package var hasSlicesLeft: Bool { tables.contains(where: \.hasSlicesLeft) }

    /// Goes on with what is under way, over at most `limit` prefixes or routes.
    package mutating func goOn(limit: Int = sliceLimit) {
        var budget = limit
        for table in tables.indices {
            tables[table].review(budget: &budget, speaker: &speaker)
            for slot in tables[table].sweep(budget: &budget, speaker: &speaker) { removeIfGone(slot) }
            if tables[table].isTrimLeft { tables[table].trimLog() }
        }
    }

    /// Judges every learned route anew: at once in a small table, in slices in a large one.
    mutating func reevaluate() {
        beginReview()
        reviewSmallTables()
    }

    /// Every learned route is to be judged anew, in slices. What was begun before begins again, and is done once.
    mutating func beginReview() {
        for table in tables.indices { tables[table].beginReview() }
    }

    /// Judges the routes of small tables anew at once, if they are to be: then what is told next needs no second word.
    package mutating func reviewSmallTables() {
        for table in tables.indices where tables[table].prefixes.endID <= Self.sliceLimit {
            var budget = Self.sliceLimit
            tables[table].review(budget: &budget, speaker: &speaker)
        }
    }

    /// Removes a peer's routes of a table, all of them or those that are stale: few at once, many in slices, as stale
    /// ones meanwhile. Returns how many.
    mutating func drop(routesOf slot: PeerSlot, table: Int, onlyStale: Bool) -> Int {
        let counts = tables[table].routes.counts(of: slot)
        let count = onlyStale ? counts.stale : counts.received
        guard counts.received > Self.sliceLimit, count > 0 else {
            return tables[table].removeRoutes(of: slot, onlyStale: onlyStale, speaker: &speaker)
        }
        if !onlyStale { tables[table].markAllStale(slot) }
        tables[table].beginSweep(of: slot)
        return count
    }

    /// Frees the slot of a peer that is no longer configured when its last route is gone.
    mutating func removeIfGone(_ slot: PeerSlot) {
        guard departing.contains(slot), tables.allSatisfy({ $0.routes.counts(of: slot).received == 0 }) else { return }
        departing.remove(slot)
        speaker.peers.remove(slot)
    }
}
