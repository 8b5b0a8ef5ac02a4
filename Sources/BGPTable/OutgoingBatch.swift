import BGPWire
import NetTypes

/// Gathers what goes to one group, parted by attribute set and by who of the group is left out; each set is
/// transformed once.
struct OutgoingBatch {
    private struct Key: Equatable {
        let handle: AttributeHandle
        let source: UInt32
        let verdict: Speaker.ExportVerdict
        let pathID: UInt32

        var spread: UInt32 { UInt32(truncatingIfNeeded: handle.index) &+ source &* 0x9E37_79B1 ^ pathID &* 0x85EB_CA6B }
    }

    /// Where the routes of a set and source go.
    private struct Place {
        let announcement: Int
        let id: TellingID
    }

    /// What one withdrawal is about.
    private struct WithdrawalKey: Equatable {
        let audience: UpdateStep.Audience
        let pathID: UInt32

        var spread: UInt32 {
            switch audience {
            case .allBut(let slots): Self.spread(of: slots) ^ pathID &* 0x9E37_79B1
            case .only(let slots): ~Self.spread(of: slots) ^ pathID &* 0x9E37_79B1
            }
        }

        private static func spread(of slots: [PeerSlot]) -> UInt32 {
            slots.reduce(0) { ($0 &+ UInt32(truncatingIfNeeded: $1)) &* 0x85EB_CA6B }
        }
    }

    /// What is announced, and who of the group is left out.
    private struct Announcing {
        var announcement: OutgoingAnnouncement
        let excluded: [PeerSlot]
    }

    /// What is withdrawn.
    private struct Withdrawing {
        var prefixes: [IPPrefix]
        let key: WithdrawalKey
    }

    private let family: AddressFamily
    private var announcements: [Announcing] = []
    private var announcementIndex = HashIndex()
    private var withdrawals: [Withdrawing] = []
    private var withdrawalIndex = HashIndex()
    /// A place of nil means nowhere.
    private var places: [(key: Key, place: Place?)] = []
    private var placeIndex = HashIndex()
    private var last: (key: Key, place: Place?)?
    /// Where the last withdrawal went: what was told, what is now, and the place of nil for nowhere.
    private var lastWithdrawal: (former: TellingID, now: TellingID, place: Int?)?
    /// Whether filters and pools make no difference to anything that goes to the group.
    private let isPlain: Bool

    /// Makes an empty batch for a group; `hasRules` says whether a filter decides what goes to it.
    init(family: AddressFamily, hasRules: Bool, speaker: borrowing Speaker) {
        self.family = family
        isPlain = !hasRules && !speaker.peers.hasImportFilters && speaker.importPolicy.unexportedPools.isEmpty
    }

    /// The batch as parts of a step, withdrawals first.
    var parts: [UpdateStep.Part] {
        var parts: [UpdateStep.Part] = []
        parts.reserveCapacity(withdrawals.count + announcements.count + 1)
        for withdrawing in withdrawals {
            let (prefixes, key) = (withdrawing.prefixes, withdrawing.key)
            let update: OutgoingUpdate =
                key.pathID == 0
                ? .withdraw(family: family, prefixes: prefixes)
                : .withdrawPaths(family: family, prefixes: prefixes, pathID: key.pathID)
            parts.append(UpdateStep.Part(update: update, audience: key.audience))
        }
        for announcing in announcements where !announcing.announcement.prefixes.isEmpty {
            parts.append(
                UpdateStep.Part(update: .announce(announcing.announcement), audience: .allBut(announcing.excluded)))
        }
        return parts
    }

    /// Takes up a prefix that was told as `former` says and is now told as `now` says, if at all.
    mutating func withdraw(
        _ prefix: IPPrefix, told former: TellingID, now: TellingID, in group: UpdateGroup,
        tellings: borrowing TellingTable,
    ) {
        guard let telling = tellings[former] else { return }
        let unaware = group.excluded(by: telling)
        var place: Int?
        if let next = tellings[now] {
            let losing = group.excluded(by: next).filter { !unaware.contains($0) }
            if !losing.isEmpty { place = withdrawal(WithdrawalKey(audience: .only(losing), pathID: telling.pathID)) }
        } else {
            place = withdrawal(WithdrawalKey(audience: .allBut(unaware), pathID: telling.pathID))
        }
        lastWithdrawal = (former, now, place)
        if let place { withdrawals[place].prefixes.append(prefix) }
    }

    /// Takes a prefix up where the one before it went; false when it is not told, or was not, as that one.
    mutating func withdrawAlike(_ prefix: IPPrefix, told former: TellingID, now: TellingID) -> Bool {
        guard let lastWithdrawal, lastWithdrawal.former == former, lastWithdrawal.now == now else { return false }
        if let place = lastWithdrawal.place { Self.append(prefix, to: &withdrawals[place].prefixes) }
        return true
    }

    /// Takes a prefix up where the one before it went, if its route has the same attributes and comes from the same peer;
    /// nil when it has not, or when filters are to be asked about each prefix.
    mutating func announceAlike(_ prefix: IPPrefix, as best: InRoute) -> TellingID? {
        guard isPlain, let last, last.key.handle == best.handle, last.key.source == best.peer, last.key.pathID == 0
        else { return nil }
        guard let place = last.place else { return TellingTable.none }
        Self.append(prefix, to: &announcements[place.announcement].announcement.prefixes)
        return place.id
    }

    /// Where a second one follows there are many.
    @inline(__always)
    private static func append(_ prefix: IPPrefix, to prefixes: inout [IPPrefix]) {
        if prefixes.count == 1 { prefixes.reserveCapacity(32) }
        prefixes.append(prefix)
    }

    /// Takes up a prefix with its best route, or with one of several under its own path identifier. The result says who
    /// is told, and holds no reference; `TellingTable.none` when the group shall not see that route. What is `known` from
    /// earlier is not told again.
    mutating func announce(
        _ prefix: IPPrefix, as best: InRoute, pathID: UInt32 = 0, unless known: Set<TellingID> = [],
        to group: inout UpdateGroup, speaker: borrowing Speaker, tellings: inout TellingTable,
    ) -> TellingID {
        let key = Key(
            handle: best.handle, source: best.peer,
            verdict: verdict(on: prefix, as: best, to: group, speaker: speaker), pathID: pathID)
        guard let place = place(of: key, in: &group, speaker: speaker, tellings: &tellings) else {
            return TellingTable.none
        }
        if !known.contains(place.id) { announcements[place.announcement].announcement.prefixes.append(prefix) }
        return place.id
    }

    /// Gives back what the batch held itself.
    mutating func release(_ tellings: inout TellingTable) {
        for case let (_, place?) in places { tellings.release(place.id) }
        places = []
        placeIndex = HashIndex()
        last = nil
        lastWithdrawal = nil
    }

    /// What filters and policy say; nobody is asked where no filter and no pool makes a difference.
    private func verdict(
        on prefix: IPPrefix, as best: InRoute, to group: UpdateGroup, speaker: borrowing Speaker,
    ) -> Speaker.ExportVerdict {
        if isPlain { return .usual }
        let rules = group.role.exportFilter.rules(family)
        guard let set = speaker.attributes[best.handle] else { return .rejected }
        return speaker.exportVerdict(
            of: prefix, set, isLocal: PeerSlot(best.peer) == PeerTable.local, to: group.role, rules: rules)
    }

    /// The place of a withdrawal.
    private mutating func withdrawal(_ key: WithdrawalKey) -> Int {
        let spread = key.spread
        if let place = withdrawalIndex.find(spread, { withdrawals[Int($0)].key == key }) { return Int(place) }
        withdrawalIndex.insert(UInt32(withdrawals.count), hash: spread)
        withdrawals.append(Withdrawing(prefixes: [], key: key))
        return withdrawals.count - 1
    }

    private mutating func place(
        of key: Key, in group: inout UpdateGroup, speaker: borrowing Speaker, tellings: inout TellingTable,
    ) -> Place? {
        if let last, last.key == key { return last.place }
        let place: Place?
        let spread = key.spread
        if let known = placeIndex.find(spread, { places[Int($0)].key == key }) {
            place = places[Int(known)].place
        } else {
            place = newPlace(of: key, in: &group, speaker: speaker, tellings: &tellings)
            placeIndex.insert(UInt32(places.count), hash: spread)
            places.append((key, place))
        }
        last = (key, place)
        return place
    }

    private mutating func newPlace(
        of key: Key, in group: inout UpdateGroup, speaker: borrowing Speaker, tellings: inout TellingTable,
    ) -> Place? {
        let source = PeerSlot(key.source)
        guard source == PeerTable.local || !speaker.isExportHeld, let set = speaker.attributes[key.handle],
            key.verdict != .rejected
        else { return nil }
        var operations: [RouteFilter.Operation] = []
        if case .accepted(let rule) = key.verdict,
            case .accept(let some) = group.role.exportFilter.rules(family)[rule].action
        {
            operations = some
        }
        guard
            let outgoing = group.outgoing(
                set, changedBy: operations, from: speaker.peers.source(source), family: family,
                clusterID: speaker.identity.clusterID),
            let nextHop = outgoing.nextHop
        else { return nil }
        let isInternal = group.role.kind == .iBGP && source != PeerTable.local
        let telling = Telling(
            source: key.source, originatorID: isInternal ? set.attributes.originatorID : nil, nextHop: nextHop.address,
            pathID: key.pathID, serial: key.pathID == 0 ? 0 : speaker.attributes.serial(of: key.handle))
        let excluded = group.excluded(by: telling)
        let place = place(of: outgoing, via: nextHop, pathID: key.pathID, excluded: excluded)
        return Place(announcement: place, id: tellings.intern(telling))
    }

    /// Where the routes of a set go that is told to all but `excluded`: sets that became equal go together.
    private mutating func place(
        of set: AttributeSet, via nextHop: NextHop, pathID: UInt32, excluded: [PeerSlot],
    ) -> Int {
        let digest = set.digest
        let known = announcementIndex.find(digest) { place in
            let announcement = announcements[Int(place)].announcement
            return announcements[Int(place)].excluded == excluded && announcement.pathID == pathID
                && announcement.nextHop == nextHop
                && announcement.attributes == set.attributes
        }
        if let known { return Int(known) }
        announcementIndex.insert(UInt32(announcements.count), hash: digest)
        let announcement = OutgoingAnnouncement(
            family: family, attributes: set.attributes, nextHop: nextHop, prefixes: [], pathID: pathID)
        announcements.append(Announcing(announcement: announcement, excluded: excluded))
        return announcements.count - 1
    }
}
