import NetTypes

/// Which peers of a group are not told of a route: the one that sent it, the one it began at (RFC 4456 §8), and the one
/// that it leads to (RFC 4271 §5.1.3). Everybody else in the group is.
struct Telling: Sendable, Hashable {
    /// The slot the route came from; this node's own leaves nobody out.
    var source: UInt32
    /// ORIGINATOR_ID as received.
    var originatorID: RouterID?
    /// The next hop that is told.
    var nextHop: IPAddress
    /// The identifier of the path (RFC 7911); 0 for those who are told of one path to each prefix.
    var pathID: UInt32 = 0
    /// The set of attributes that such a path was told with, by its serial, which no later set has; 0 where the path has
    /// no identifier.
    var serial: UInt64 = 0

    /// Whether the peer is told.
    func reaches(_ slot: PeerSlot, _ role: PeerRole) -> Bool {
        slot != PeerSlot(source) && nextHop != role.peerAddress
            && (originatorID == nil || originatorID != role.bgpID)
    }
}

/// The place of a telling in its table; 0 says that nobody was told.
typealias TellingID = UInt32

/// Tellings, each kept once and counted, as attribute sets are.
struct TellingTable: Sendable {
    /// The id of a prefix nobody was told of.
    static let none: TellingID = 0

    private var tellings: [Telling?] = [nil]
    private var references: [Int] = [0]
    private var ids: [Telling: TellingID] = [:]
    private var free: [TellingID] = []

    /// How many there are.
    var count: Int { ids.count }

    /// The telling of an id that somebody holds.
    subscript(id: TellingID) -> Telling? { tellings[Int(id)] }

    /// The id of a telling, with one reference more, which the caller owns.
    mutating func intern(_ telling: Telling) -> TellingID {
        if let id = ids[telling] {
            references[Int(id)] += 1
            return id
        }
        let id = free.popLast() ?? TellingID(tellings.count)
        if Int(id) == tellings.count {
            tellings.append(telling)
            references.append(1)
        } else {
            tellings[Int(id)] = telling
            references[Int(id)] = 1
        }
        ids[telling] = id
        return id
    }

    /// Adds references.
    mutating func retain(_ id: TellingID, count: Int = 1) {
        if id != Self.none { references[Int(id)] += count }
    }

    /// Gives references back; the last one frees the telling.
    mutating func release(_ id: TellingID, count: Int = 1) {
        guard id != Self.none else { return }
        references[Int(id)] -= count
        guard references[Int(id)] == 0, let telling = tellings[Int(id)] else { return }
        tellings[Int(id)] = nil
        ids[telling] = nil
        free.append(id)
    }
}
