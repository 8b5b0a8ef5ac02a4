import BGPWire
import NetTypes

/// Gathers what goes to one peer, grouped by attribute set, each set transformed once.
struct OutgoingBatch {
    private struct Key: Hashable {
        let handle: AttributeHandle
        let source: UInt32
    }

    private let family: AddressFamily
    private let target: PeerSlot
    private var withdrawn: [IPPrefix] = []
    private var announcements: [OutgoingAnnouncement] = []
    /// Where the routes of a source and set go; a value of nil means nowhere.
    private var places: [Key: Int?] = [:]
    private var placesBySet: [AttributeSet: Int] = [:]
    private var last: (key: Key, place: Int?)?

    /// Makes an empty batch.
    init(family: AddressFamily, target: PeerSlot) {
        self.family = family
        self.target = target
    }

    /// The batch as updates, withdrawals first.
    var updates: [OutgoingUpdate] {
        (withdrawn.isEmpty ? [] : [.withdraw(family: family, prefixes: withdrawn)])
            + announcements.filter { !$0.prefixes.isEmpty }.map { .announce($0) }
    }

    /// Takes up a prefix that the peer may no longer use.
    mutating func withdraw(_ prefix: IPPrefix) {
        withdrawn.append(prefix)
    }

    /// Takes up a prefix with its best route; false when this peer shall not see that route.
    mutating func announce(_ prefix: IPPrefix, as best: InRoute, speaker: borrowing Speaker) -> Bool {
        guard let place = place(of: Key(handle: best.handle, source: best.peer), speaker: speaker) else {
            return false
        }
        announcements[place].prefixes.append(prefix)
        return true
    }

    private mutating func place(of key: Key, speaker: borrowing Speaker) -> Int? {
        if let last, last.key == key { return last.place }
        let place = places[key] ?? newPlace(of: key, speaker: speaker)
        places[key] = .some(place)
        last = (key, place)
        return place
    }

    private mutating func newPlace(of key: Key, speaker: borrowing Speaker) -> Int? {
        let source = PeerSlot(key.source)
        guard source != target, source == PeerTable.local || !speaker.isExportHeld,
            let role = speaker.peers[target]?.role, let set = speaker.attributes[key.handle],
            let outgoing = ExportPolicy.outgoing(
                set, from: speaker.peers[source]?.role, to: role, family: family,
                clusterID: speaker.identity.clusterID),
            let nextHop = outgoing.nextHop
        else { return nil }
        if let known = placesBySet[outgoing] { return known }
        placesBySet[outgoing] = announcements.count
        announcements.append(
            OutgoingAnnouncement(family: family, attributes: outgoing.attributes, nextHop: nextHop, prefixes: []))
        return announcements.count - 1
    }
}
