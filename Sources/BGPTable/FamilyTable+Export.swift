import NetTypes

extension FamilyTable {
    /// A session with the family is established: the peer is to be told everything.
    mutating func startExport(to slot: PeerSlot) {
        while out.count <= slot { out.append(AdjRIBOut()) }
        if !out[slot].isActive { readerCount += 1 }
        out[slot] = .starting(at: log.nextSequence)
    }

    /// The session is lost: the peer has forgotten what it was told.
    mutating func stopExport(to slot: PeerSlot) {
        guard slot < out.count, out[slot].isActive else { return }
        out[slot] = AdjRIBOut()
        readerCount -= 1
        trimLog()
    }

    /// Walks over everything again: for a ROUTE-REFRESH, or because the export hold has ended.
    mutating func restartFeed(for slot: PeerSlot, isRefresh: Bool) {
        guard slot < out.count, out[slot].isActive else { return }
        out[slot].restartFeed(isRefresh: isRefresh)
    }

    /// Whether `pull` has something to look at for this peer.
    func hasPending(for slot: PeerSlot) -> Bool {
        guard slot < out.count, out[slot].isActive else { return false }
        return out[slot].cursor < log.nextSequence || out[slot].feed != nil
    }

    /// The next updates for a peer, of at most `budget` prefixes, which is reduced by what was used.
    mutating func pull(for slot: PeerSlot, budget: inout Int, speaker: borrowing Speaker) -> [OutgoingUpdate] {
        guard hasPending(for: slot) else { return [] }
        // Taken out while it is worked on, so that its bitmap is changed in place.
        var reader = out[slot]
        out[slot] = AdjRIBOut(isActive: true, cursor: reader.cursor)
        var batch = OutgoingBatch(family: family, target: slot)
        let start = reader.cursor
        readLog(&reader, into: &batch, budget: &budget, speaker: speaker)
        var updates: [OutgoingUpdate] = []
        if walk(&reader, into: &batch, budget: &budget, speaker: speaker) {
            reader.feed = nil
            if !speaker.isExportHeld, !reader.hasSentEndOfRIB {
                reader.hasSentEndOfRIB = true
                updates.append(.endOfRIB(family))
            }
        }
        let isOldest = start <= log.firstSequence
        out[slot] = reader
        if isOldest { trimLog() }
        return batch.updates + updates
    }

    /// Notes a change in the log, if somebody is there to read it.
    mutating func appendToLog(_ id: UInt32) {
        guard readerCount > 0 else { return }
        prefixes[id].logSequence = log.append(id)
        if log.count > 2 * prefixes.count + 1024 {
            log.compact { sequence, id in prefixes[id].logSequence == sequence }
        }
    }

    private mutating func readLog(
        _ reader: inout AdjRIBOut, into batch: inout OutgoingBatch, budget: inout Int, speaker: borrowing Speaker,
    ) {
        for index in log.index(from: reader.cursor)..<log.indices.upperBound {
            let (sequence, id) = log[index]
            if prefixes[id].logSequence == sequence {
                guard budget > 0 else { return }
                export(id, to: &reader, batch: &batch, budget: &budget, speaker: speaker)
            }
            reader.cursor = sequence + 1
        }
        reader.cursor = log.nextSequence
    }

    /// Goes on with the walk; whether it has reached its end.
    private func walk(
        _ reader: inout AdjRIBOut, into batch: inout OutgoingBatch, budget: inout Int, speaker: borrowing Speaker,
    ) -> Bool {
        guard var feed = reader.feed, reader.cursor == log.nextSequence else { return false }
        while feed.position < prefixes.endID, budget > 0 {
            let id = feed.position
            feed.position += 1
            if prefixes[id].logSequence >= feed.since { continue }
            if !feed.isRefresh, reader.sent.contains(id) { continue }
            export(id, to: &reader, batch: &batch, budget: &budget, speaker: speaker)
        }
        reader.feed = feed
        return feed.position >= prefixes.endID
    }

    private func export(
        _ id: UInt32, to reader: inout AdjRIBOut, batch: inout OutgoingBatch, budget: inout Int,
        speaker: borrowing Speaker,
    ) {
        let best = prefixes[id].best
        if best != AdjRIBIn.none, batch.announce(prefixes.prefix(of: id), as: routes[best], speaker: speaker) {
            reader.sent.insert(id)
            budget -= 1
        } else if reader.sent.remove(id) {
            batch.withdraw(prefixes.prefix(of: id))
            budget -= 1
        }
    }

    /// Drops what every peer has read, and frees prefixes that were kept for their withdrawal only.
    private mutating func trimLog() {
        var oldest = log.nextSequence
        for slot in out.indices where out[slot].isActive { oldest = min(oldest, out[slot].cursor) }
        while let (sequence, id) = log.popFirst(below: oldest) {
            guard prefixes[id].logSequence == sequence else { continue }
            prefixes[id].logSequence = 0
            freeIfUnused(id)
        }
    }
}
