import BGPWire
import NetTypes

extension FamilyTable {
    /// A session with the family is established: the peer is to be told everything.
    mutating func startExport(to slot: PeerSlot, role: PeerRole) {
        stopExport(to: slot)
        while groupOf.count <= slot { groupOf.append(nil) }
        // Peers that come up together begin together.
        let fresh = AdjRIBOut(startingAt: log.nextSequence)
        let key = role.groupRole
        let place =
            groups.firstIndex { group in
                guard let group, group.reader.progress == fresh.progress, group.steps.isEmpty else { return false }
                return group.reader.tellingCounts.isEmpty && group.role == key
            } ?? insertGroup(role: key, reader: fresh)
        groups[place]?.insert(slot, role: role)
        groupOf[slot] = place
    }

    /// The session is lost: the peer has forgotten what it was told.
    mutating func stopExport(to slot: PeerSlot) {
        guard let place = group(of: slot) else { return }
        leaveGroup(slot, at: place)
        groupOf[slot] = nil
        trimLog()
    }

    /// Walks over everything again: for a ROUTE-REFRESH, or because the export hold has ended.
    mutating func restartFeed(for slot: PeerSlot, isRefresh: Bool) {
        guard let place = group(of: slot).map({ fork(slot, from: $0) }) else { return }
        groups[place]?.reader.restartFeed(isRefresh: isRefresh)
    }

    /// Walks over everything again, for everybody.
    mutating func restartFeeds(isRefresh: Bool = false) {
        for place in groups.indices { groups[place]?.reader.restartFeed(isRefresh: isRefresh) }
    }

    /// Whether there is something to look at for this peer.
    func hasPending(for slot: PeerSlot) -> Bool {
        guard let group = group(of: slot).flatMap({ groups[$0] }) else { return false }
        return group.step(for: slot) != nil || !group.isIdle(at: log.nextSequence)
    }

    /// The group a peer is in; nil for one that is told nothing of the family.
    func group(of slot: PeerSlot) -> Int? { slot < groupOf.count ? groupOf[slot] : nil }

    /// How many prefixes a peer knows from here.
    func advertisedCount(to slot: PeerSlot) -> Int {
        guard let group = group(of: slot).flatMap({ groups[$0] }), let role = group.roles[slot] else { return 0 }
        return group.reader(of: slot).tellingCounts.reduce(0) { sum, entry in
            sum + (tellings[entry.key]?.reaches(slot, role) == true ? entry.value : 0)
        }
    }

    /// Whether a peer has been handed the End-of-RIB.
    func hasSentEndOfRIB(to slot: PeerSlot) -> Bool {
        group(of: slot).flatMap { groups[$0] }?.reader(of: slot).progress.hasSentEndOfRIB ?? false
    }

    /// The next step for a peer, of at most `limit` prefixes if it is to be made first; nil when there is none. With
    /// `isPatient` no second one is made where the first was not for this peer: there may be more, but others of the
    /// group have yet to take what there is.
    mutating func nextStep(
        for slot: PeerSlot, limit: Int, isPatient: Bool = false, speaker: borrowing Speaker,
    ) -> UpdateStep? {
        var made = 0
        while let place = group(of: slot) {
            if let step = groups[place]?.takeStep(slot) {
                if let taken = groups[place]?.dropTaken() { release(taken) }
                trimLogIfOldest(step.before.cursor)
                if groups[place]?.isDone(slot, at: log.nextSequence) == true { join(slot, from: place) }
                if step.concerns(slot) { return step }
            } else if groups[place]?.isDone(slot, at: log.nextSequence) ?? true {
                join(slot, from: place)
                return nil
            } else if isPatient, made > 0, isStepCutShort || groups[place]?.hasSteps() == true {
                return nil
            } else {
                made += 1
                makeStep(at: place, limit: limit, speaker: speaker)
            }
        }
        return nil
    }

    /// Notes a change in the log, if somebody is there to read it.
    mutating func appendToLog(_ id: UInt32, isOfOtherPaths: Bool = false) {
        guard groupCount > 0 else { return }
        // An entry that somebody has yet to read is not to be forgotten for a lesser one.
        let former = prefixes[id].logSequence
        let isLesser = isOfOtherPaths && (former == 0 || log.isOfOtherPaths(sequence: former))
        prefixes[id].logSequence = log.append(id, isOfOtherPaths: isLesser)
        if log.count > 2 * prefixes.count + 1024 {
            log.compact { sequence, id in prefixes[id].logSequence == sequence }
        }
    }
}

// Making steps.
extension FamilyTable {
    /// How many prefixes a walk looks at, at most, for each that it may tell.
    private static let looksPerPrefix = 8
    /// How many entries of the log are dropped at once.
    private static let trimLimit = 32768

    /// Lets a group go on by at most `limit` prefixes. A step with nothing in it is not kept.
    private mutating func makeStep(at place: Int, limit: Int, speaker: borrowing Speaker) {
        // Taken out while it is worked on, so that it is changed in place.
        guard var group = groups[place].take() else { return }
        let before = group.reader.progress
        var draft = StepDraft(
            batch: OutgoingBatch(family: family, hasRules: group.hasExportRules(family), speaker: speaker),
            budget: limit,
            looks: limit * Self.looksPerPrefix)
        readLog(&group, into: &draft, speaker: speaker)
        if walk(&group, into: &draft, speaker: speaker) {
            group.reader.progress.feed = nil
            if !speaker.isEndOfRIBHeld, !group.reader.progress.hasSentEndOfRIB {
                group.reader.progress.hasSentEndOfRIB = true
                draft.endsRIB = true
            }
        }
        draft.batch.release(&tellings)
        var parts = draft.batch.parts
        if draft.endsRIB { parts.append(UpdateStep.Part(update: .endOfRIB(family), audience: .allBut([]))) }
        group.isTold = !parts.isEmpty
        if parts.isEmpty && group.steps.isEmpty {
            release(draft.undo)
        } else {
            group.append(UpdateStep(parts: parts, before: before, undo: draft.undo))
        }
        let laggards = group.laggards
        groups[place] = consume group
        for slot in laggards { _ = fork(slot, from: place) }
        trimLogIfOldest(before.cursor)
    }

    private mutating func readLog(
        _ group: inout UpdateGroup, into draft: inout StepDraft, speaker: borrowing Speaker,
    ) {
        let entries = log.index(from: group.reader.progress.cursor)..<log.indices.upperBound
        draft.expected = min(entries.count, draft.budget)
        for index in entries {
            let (sequence, id) = log[index]
            let isOfNoConcern = log.isOfOtherPaths(index) && isTold(group, ofOneOnly: id)
            if prefixes[id].logSequence == sequence, !isOfNoConcern {
                guard draft.budget > 0, draft.looks > 0 else {
                    if draft.looks == 0 { isStepCutShort = true }
                    return
                }
                draft.looks -= 1
                export(id, to: &group, into: &draft, speaker: speaker)
            }
            group.reader.progress.cursor = sequence + 1
        }
        group.reader.progress.cursor = log.nextSequence
    }

    /// Goes on with the walk; whether it has reached its end.
    private mutating func walk(
        _ group: inout UpdateGroup, into draft: inout StepDraft, speaker: borrowing Speaker,
    ) -> Bool {
        guard var feed = group.reader.progress.feed, group.reader.progress.cursor == log.nextSequence else {
            return false
        }
        while feed.position < prefixes.endID, draft.budget > 0, draft.looks > 0 {
            let id = feed.position
            feed.position += 1
            draft.looks -= 1
            if prefixes[id].logSequence >= feed.since { continue }
            if !feed.isRefresh, isTold(group, ofAllPathsTo: id) { continue }
            export(id, to: &group, into: &draft, speaker: speaker)
        }
        if draft.looks == 0 { isStepCutShort = true }
        group.reader.progress.feed = feed
        return feed.position >= prefixes.endID
    }

    private mutating func export(
        _ id: UInt32, to group: inout UpdateGroup, into draft: inout StepDraft, speaker: borrowing Speaker,
    ) {
        if group.isSentSeveralPaths {
            return exportPaths(id, to: &group, into: &draft, speaker: speaker)
        }
        let best = prefixes[id].best
        let prefix = prefixes.prefix(of: id)
        let former = group.reader.telling(of: id)
        var now = TellingTable.none
        if best != AdjRIBIn.none {
            // Prefixes of one source come in runs: what is so with one of them is so with the next.
            let known = draft.batch.announceAlike(prefix, as: routes[best])
            now =
                known
                ?? draft.batch.announce(
                    prefix, as: routes[best], to: &group, speaker: speaker, tellings: &tellings)
            tellings.retain(now)
        }
        if former == now {
            if now == TellingTable.none { return }
            tellings.release(now)
        } else {
            if former != TellingTable.none, !draft.batch.withdrawAlike(prefix, told: former, now: now) {
                draft.batch.withdraw(prefix, told: former, now: now, in: group, tellings: tellings)
            }
            group.reader.setTelling(now, of: id)
            if draft.undo.isEmpty { draft.undo.reserveCapacity(draft.expected) }
            draft.undo.append(AdjRIBOut.Former(id: id, telling: former))
        }
        draft.budget -= 1
    }
}

/// A step in the making.
struct StepDraft {
    var batch: OutgoingBatch
    var budget: Int
    /// How many prefixes may still be looked at, told or not.
    var looks: Int
    var undo: [AdjRIBOut.Former] = []
    /// How many prefixes will be told, if all that are looked at are.
    var expected = 0
    var endsRIB = false
}

// Who is in which group.
extension FamilyTable {
    /// Whether a group has something to do or to hand out.
    mutating func isBusy(_ place: Int) -> Bool { groups[place]?.isBusy(at: log.nextSequence) ?? false }

    private mutating func insertGroup(role: PeerRole, reader: AdjRIBOut) -> Int {
        let known = groups.lazy.compactMap { $0 }.first { $0.role == role }?.kind
        if known == nil { groupKinds += 1 }
        let group = UpdateGroup(role: role, kind: known ?? groupKinds, family: family, reader: reader)
        groupCount += 1
        if group.isSentSeveralPaths { severalPathGroupCount += 1 }
        if let place = groups.firstIndex(where: { $0 == nil }) {
            groups[place] = group
            return place
        }
        groups.append(group)
        return groups.count - 1
    }

    private mutating func leaveGroup(_ slot: PeerSlot, at place: Int) {
        release(groups[place]?.remove(slot) ?? [])
        guard let group = groups[place], group.memberSlots.isEmpty else { return }
        for (id, count) in group.reader.tellingCounts { tellings.release(id, count: count) }
        groups[place] = nil
        groupCount -= 1
        if group.isSentSeveralPaths { severalPathGroupCount -= 1 }
    }

    /// Puts a member into a group of its own that knows what the member knows. Returns the group's place.
    private mutating func fork(_ slot: PeerSlot, from place: Int) -> Int {
        guard let group = groups[place], let role = group.roles[slot], group.memberSlots.count > 1 else {
            return place
        }
        let reader = group.reader(of: slot)
        for (id, count) in reader.tellingCounts { tellings.retain(id, count: count) }
        leaveGroup(slot, at: place)
        let new = insertGroup(role: group.role, reader: reader)
        groups[new]?.insert(slot, role: role)
        groupOf[slot] = new
        return new
    }

    /// Puts a member that knows everything into the first group of its kind that knows everything.
    private mutating func join(_ slot: PeerSlot, from place: Int) {
        guard place > 0, groupCount > 1, let (kind, progress) = groups[place]?.standing() else { return }
        for other in groups.indices.prefix(place) where groups[other]?.isAlike(kind, progress) == true {
            guard let role = groups[place]?.roles[slot] else { return }
            leaveGroup(slot, at: place)
            groups[other]?.insert(slot, role: role)
            groupOf[slot] = other
            return
        }
    }

    /// Puts a member whose role is another now into a group of that role, which knows what the member knows, and walks
    /// over everything again.
    mutating func changeRole(of slot: PeerSlot, to role: PeerRole) {
        guard let place = group(of: slot), let group = groups[place], role.families.contains(family) else { return }
        let reader = group.reader(of: slot)
        for (id, count) in reader.tellingCounts { tellings.retain(id, count: count) }
        leaveGroup(slot, at: place)
        let new = insertGroup(role: role.groupRole, reader: reader)
        groups[new]?.insert(slot, role: role)
        groupOf[slot] = new
        groups[new]?.reader.restartFeed(isRefresh: true)
    }

    private mutating func release(_ undo: [AdjRIBOut.Former]) {
        for place in undo.indices {
            tellings.release(undo[place].telling)
            if undo[place].more.isEmpty { continue }
            for telling in undo[place].more { tellings.release(telling) }
        }
    }

    private mutating func release(_ steps: ArraySlice<UpdateStep>) {
        for step in steps {
            release(step.undo)
        }
    }

    private mutating func trimLogIfOldest(_ cursor: UInt64) {
        if cursor <= log.firstSequence { trimLog() }
    }

    /// Drops what every peer has read, and frees prefixes that were kept for their withdrawal only; the rest, if it is
    /// much, when it is called again.
    mutating func trimLog() {
        var oldest = log.nextSequence
        for place in groups.indices { oldest = min(oldest, groups[place]?.oldestCursor() ?? oldest) }
        var left = Self.trimLimit
        while left > 0, let (sequence, id) = log.popFirst(below: oldest) {
            left -= 1
            guard prefixes[id].logSequence == sequence else { continue }
            prefixes[id].logSequence = 0
            freeIfUnused(id)
        }
        isTrimLeft = left == 0
    }
}
