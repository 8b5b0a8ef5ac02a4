/// The path identifiers that peers have given their paths (RFC 7911 §3), each with an identifier of this node's own.
///
/// What this node calls a path when it passes it on has to be unique among the paths to a prefix, whoever sent them, and
/// to stay while the path is there. A path without an identifier is called after its peer's slot; one with another
/// identifier than 0 after its place here. The one is even, the other odd.
struct PathIDTable: Sendable {
    private struct Key: Hashable {
        let peer: UInt32
        let received: UInt32
    }

    private var places: [Key: UInt32] = [:]
    private var rows: [(key: Key, references: Int)] = []
    private var free: [UInt32] = []
    private var last: (key: Key, own: UInt32)?

    /// What a peer's path without an identifier is called.
    static func own(of peer: UInt32) -> UInt32 { (peer &+ 1) << 1 }

    /// What a peer's path is called here; nil when there is none of that identifier.
    func own(of peer: UInt32, received: UInt32) -> UInt32? {
        let key = Key(peer: peer, received: received)
        if let last, last.key == key { return last.own }
        return places[key].map { $0 << 1 | 1 }
    }

    /// What the peer called the path.
    func received(of own: UInt32) -> UInt32 { own & 1 == 0 ? 0 : rows[Int(own >> 1)].key.received }

    /// What a peer's path is called here, with one reference more.
    mutating func retain(peer: UInt32, received: UInt32) -> UInt32 {
        let key = Key(peer: peer, received: received)
        if let last, last.key == key {
            rows[Int(last.own >> 1)].references += 1
            return last.own
        }
        let place: UInt32
        if let known = places[key] {
            place = known
            rows[Int(place)].references += 1
        } else if let reused = free.popLast() {
            place = reused
            rows[Int(place)] = (key, 1)
        } else {
            place = UInt32(rows.count)
            rows.append((key, 1))
        }
        places[key] = place
        last = (key, place << 1 | 1)
        return place << 1 | 1
    }

    /// Gives a reference back; the last one frees the identifier.
    mutating func release(_ own: UInt32) {
        let place = own >> 1
        rows[Int(place)].references -= 1
        guard rows[Int(place)].references == 0 else { return }
        places[rows[Int(place)].key] = nil
        if last?.own == own { last = nil }
        free.append(place)
    }
}
