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
        let telling: Telling
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

    private let family: AddressFamily
    private var announcements: [(announcement: OutgoingAnnouncement, excluded: [PeerSlot])] = []
    private var announcementIndex = HashIndex()
    private var withdrawals: [(prefixes: [IPPrefix], key: WithdrawalKey)] = []
    private var withdrawalIndex = HashIndex()
    /// A place of nil means nowhere.
    private var places: [(key: Key, place: Place?)] = []
    private var placeIndex = HashIndex()
    private var last: (key: Key, place: Place?)?

    /// Makes an empty batch.
    init(family: AddressFamily) {
        self.family = family
    }

    /// The batch as parts of a step, withdrawals first.
    var parts: [UpdateStep.Part] {
        withdrawals.map { prefixes, key in
            UpdateStep.Part(
                update: key.pathID == 0
                    ? .withdraw(family: family, prefixes: prefixes)
                    : .withdrawPaths(family: family, prefixes: prefixes, pathID: key.pathID),
                audience: key.audience)
        }
            + announcements.filter { !$0.announcement.prefixes.isEmpty }.map { announcement, excluded in
                UpdateStep.Part(update: .announce(announcement), audience: .allBut(excluded))
            }
    }

    /// Takes up a prefix that was told as `former` says and is now told as `telling` says, if at all.
    mutating func withdraw(_ prefix: IPPrefix, told former: Telling, now telling: Telling?, in group: UpdateGroup) {
        let unaware = group.excluded(by: former)
        guard let telling else {
            return withdraw(prefix, WithdrawalKey(audience: .allBut(unaware), pathID: former.pathID))
        }
        let losing = group.excluded(by: telling).filter { !unaware.contains($0) }
        if !losing.isEmpty { withdraw(prefix, WithdrawalKey(audience: .only(losing), pathID: former.pathID)) }
    }

    /// Takes up a prefix with its best route, or with one of several under its own path identifier. The result says who
    /// is told, with a reference for the caller; nil when the group shall not see that route.
    mutating func announce(
        _ prefix: IPPrefix, as best: InRoute, pathID: UInt32 = 0, to group: UpdateGroup, speaker: borrowing Speaker,
        tellings: inout TellingTable,
    ) -> (telling: Telling, id: TellingID)? {
        let key = Key(
            handle: best.handle, source: best.peer,
            verdict: verdict(on: prefix, as: best, to: group, speaker: speaker), pathID: pathID)
        guard let place = place(of: key, in: group, speaker: speaker, tellings: &tellings) else { return nil }
        announcements[place.announcement].announcement.prefixes.append(prefix)
        tellings.retain(place.id)
        return (place.telling, place.id)
    }

    /// Gives back what the batch held itself.
    mutating func release(_ tellings: inout TellingTable) {
        for case let (_, place?) in places { tellings.release(place.id) }
        places = []
        placeIndex = HashIndex()
        last = nil
    }

    /// What filters and policy say; nobody is asked where no filter and no pool makes a difference.
    private func verdict(
        on prefix: IPPrefix, as best: InRoute, to group: UpdateGroup, speaker: borrowing Speaker,
    ) -> Speaker.ExportVerdict {
        let rules = group.role.exportFilter.rules(family)
        let isPlain = !speaker.peers.hasImportFilters && speaker.importPolicy.unexportedPools.isEmpty
        if rules.isEmpty, isPlain { return .usual }
        guard let set = speaker.attributes[best.handle] else { return .rejected }
        return speaker.exportVerdict(
            of: prefix, set, isLocal: PeerSlot(best.peer) == PeerTable.local, to: group.role, rules: rules)
    }

    private mutating func withdraw(_ prefix: IPPrefix, _ key: WithdrawalKey) {
        let spread = key.spread
        if let place = withdrawalIndex.find(spread, { withdrawals[Int($0)].key == key }) {
            withdrawals[Int(place)].prefixes.append(prefix)
        } else {
            withdrawalIndex.insert(UInt32(withdrawals.count), hash: spread)
            withdrawals.append(([prefix], key))
        }
    }

    private mutating func place(
        of key: Key, in group: UpdateGroup, speaker: borrowing Speaker, tellings: inout TellingTable,
    ) -> Place? {
        if let last, last.key == key { return last.place }
        let place: Place?
        let spread = key.spread
        if let known = placeIndex.find(spread, { places[Int($0)].key == key }) {
            place = places[Int(known)].place
        } else {
            place = newPlace(of: key, in: group, speaker: speaker, tellings: &tellings)
            placeIndex.insert(UInt32(places.count), hash: spread)
            places.append((key, place))
        }
        last = (key, place)
        return place
    }

    private mutating func newPlace(
        of key: Key, in group: UpdateGroup, speaker: borrowing Speaker, tellings: inout TellingTable,
    ) -> Place? {
        let source = PeerSlot(key.source)
        guard source == PeerTable.local || !speaker.isExportHeld, var set = speaker.attributes[key.handle],
            key.verdict != .rejected
        else { return nil }
        if case .accepted(let rule) = key.verdict,
            case .accept(let operations) = group.role.exportFilter.rules(family)[rule].action
        {
            operations.apply(to: &set.attributes)
        }
        guard
            let outgoing = ExportPolicy.outgoing(
                set, from: speaker.peers[source]?.role, to: group.role, family: family,
                clusterID: speaker.identity.clusterID),
            let nextHop = outgoing.nextHop
        else { return nil }
        let isInternal = group.role.kind == .iBGP && source != PeerTable.local
        let telling = Telling(
            source: key.source, originatorID: isInternal ? set.attributes.originatorID : nil, nextHop: nextHop.address,
            pathID: key.pathID)
        let excluded = group.excluded(by: telling)
        let place = place(of: outgoing, via: nextHop, pathID: key.pathID, excluded: excluded)
        return Place(announcement: place, telling: telling, id: tellings.intern(telling))
    }

    /// Where the routes of a set go that is told to all but `excluded`: sets that became equal go together.
    private mutating func place(
        of set: AttributeSet, via nextHop: NextHop, pathID: UInt32, excluded: [PeerSlot],
    ) -> Int {
        let digest = set.digest
        let known = announcementIndex.find(digest) { place in
            let (announcement, others) = announcements[Int(place)]
            return others == excluded && announcement.pathID == pathID && announcement.nextHop == nextHop
                && announcement.attributes == set.attributes
        }
        if let known { return Int(known) }
        announcementIndex.insert(UInt32(announcements.count), hash: digest)
        let announcement = OutgoingAnnouncement(
            family: family, attributes: set.attributes, nextHop: nextHop, prefixes: [], pathID: pathID)
        announcements.append((announcement, excluded))
        return announcements.count - 1
    }
}
