import BGPWire
import NetTypes

/// Gathers what goes to one group, parted by attribute set and by who of the group is left out; each set is
/// transformed once.
struct OutgoingBatch {
    private struct Key: Hashable {
        let handle: AttributeHandle
        let source: UInt32
    }

    /// Where the routes of a set and source go.
    private struct Place {
        let announcement: Int
        let telling: Telling
        let id: TellingID
    }

    private struct PlaceKey: Hashable {
        let set: AttributeSet
        let excluded: [PeerSlot]
    }

    private let family: AddressFamily
    private var announcements: [(announcement: OutgoingAnnouncement, excluded: [PeerSlot])] = []
    private var withdrawals: [(prefixes: [IPPrefix], audience: UpdateStep.Audience)] = []
    private var withdrawalPlaces: [UpdateStep.Audience: Int] = [:]
    /// A value of nil means nowhere.
    private var places: [Key: Place?] = [:]
    private var announcementPlaces: [PlaceKey: Int] = [:]
    private var last: (key: Key, place: Place?)?

    /// Makes an empty batch.
    init(family: AddressFamily) {
        self.family = family
    }

    /// The batch as parts of a step, withdrawals first.
    var parts: [UpdateStep.Part] {
        withdrawals.map { withdrawal in
            UpdateStep.Part(
                update: .withdraw(family: family, prefixes: withdrawal.prefixes), audience: withdrawal.audience)
        }
            + announcements.filter { !$0.announcement.prefixes.isEmpty }.map { announcement, excluded in
                UpdateStep.Part(update: .announce(announcement), audience: .allBut(excluded))
            }
    }

    /// Takes up a prefix that was told as `former` says and is now told as `telling` says, if at all.
    mutating func withdraw(_ prefix: IPPrefix, told former: Telling, now telling: Telling?, in group: UpdateGroup) {
        let unaware = group.excluded(by: former)
        guard let telling else { return withdraw(prefix, from: .allBut(unaware)) }
        let losing = group.excluded(by: telling).filter { !unaware.contains($0) }
        if !losing.isEmpty { withdraw(prefix, from: .only(losing)) }
    }

    /// Takes up a prefix with its best route. The result says who is told, with a reference for the caller; nil when
    /// the group shall not see that route.
    mutating func announce(
        _ prefix: IPPrefix, as best: InRoute, to group: UpdateGroup, speaker: borrowing Speaker,
        tellings: inout TellingTable,
    ) -> (telling: Telling, id: TellingID)? {
        let key = Key(handle: best.handle, source: best.peer)
        guard let place = place(of: key, in: group, speaker: speaker, tellings: &tellings) else { return nil }
        announcements[place.announcement].announcement.prefixes.append(prefix)
        tellings.retain(place.id)
        return (place.telling, place.id)
    }

    /// Gives back what the batch held itself.
    mutating func release(_ tellings: inout TellingTable) {
        for case let place? in places.values { tellings.release(place.id) }
        places = [:]
        last = nil
    }

    private mutating func withdraw(_ prefix: IPPrefix, from audience: UpdateStep.Audience) {
        if let place = withdrawalPlaces[audience] {
            withdrawals[place].prefixes.append(prefix)
        } else {
            withdrawalPlaces[audience] = withdrawals.count
            withdrawals.append(([prefix], audience))
        }
    }

    private mutating func place(
        of key: Key, in group: UpdateGroup, speaker: borrowing Speaker, tellings: inout TellingTable,
    ) -> Place? {
        if let last, last.key == key { return last.place }
        let place: Place?
        if let known = places[key] {
            place = known
        } else {
            place = newPlace(of: key, in: group, speaker: speaker, tellings: &tellings)
            places[key] = .some(place)
        }
        last = (key, place)
        return place
    }

    private mutating func newPlace(
        of key: Key, in group: UpdateGroup, speaker: borrowing Speaker, tellings: inout TellingTable,
    ) -> Place? {
        let source = PeerSlot(key.source)
        guard source == PeerTable.local || !speaker.isExportHeld, let set = speaker.attributes[key.handle],
            let outgoing = ExportPolicy.outgoing(
                set, from: speaker.peers[source]?.role, to: group.role, family: family,
                clusterID: speaker.identity.clusterID),
            let nextHop = outgoing.nextHop
        else { return nil }
        let isInternal = group.role.kind == .iBGP && source != PeerTable.local
        let telling = Telling(
            source: key.source, originatorID: isInternal ? set.attributes.originatorID : nil, nextHop: nextHop.address)
        let excluded = group.excluded(by: telling)
        let placeKey = PlaceKey(set: outgoing, excluded: excluded)
        let announcement = announcementPlaces[placeKey] ?? announcements.count
        if announcement == announcements.count {
            announcementPlaces[placeKey] = announcement
            announcements.append(
                (
                    OutgoingAnnouncement(
                        family: family, attributes: outgoing.attributes, nextHop: nextHop, prefixes: []), excluded
                ))
        }
        return Place(announcement: announcement, telling: telling, id: tellings.intern(telling))
    }
}
