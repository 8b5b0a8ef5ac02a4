/// The place of a peer in the table; 0 is this node itself.
typealias PeerSlot = Int

/// One route of the Adj-RIB-In: integers only, 28 bytes.
struct InRoute: Sendable {
    /// The prefix, by its dense id.
    var prefix: UInt32
    /// The peer's slot.
    var peer: UInt32
    /// The attribute set; the route holds a reference.
    var handle: AttributeHandle
    /// The next route to the same prefix.
    var nextOfPrefix: UInt32
    /// The next and the previous route of the same peer.
    var nextOfPeer: UInt32
    var previousOfPeer: UInt32
    /// The raw value of `Ineligibility`; 0 for a route that takes part in the decision.
    var refusal: UInt8
    /// Whether the route is kept from a lost session (RFC 4724 §4.2).
    var isStale: Bool
}

/// The routes of all peers to the prefixes of one family, indexed by prefix and by peer.
///
/// A route is a row here and a link in two lists; the heads of the prefix lists are kept in the prefix table.
struct AdjRIBIn: Sendable {
    /// The end of a list.
    static let none = UInt32.max

    /// The most paths to a prefix that are taken from one peer (RFC 7911). Each arrival looks at all of them; no peer has
    /// reason to know more ways to one prefix.
    static let maximumPaths = 1024

    /// What a peer has here.
    struct Counts: Sendable {
        var received = 0
        var refused = 0
        var stale = 0
    }

    private var rows: [InRoute] = []
    /// The identifier of each route's path by `PathIDTable`, 0 for one that came without; empty while all did.
    private var pathIDs: [UInt32] = []
    private var pathIDTable = PathIDTable()
    private var free: [UInt32] = []
    private var heads: [UInt32] = []
    private var counts: [Counts] = []
    /// Where the sweep of a peer's stale routes goes on, or `none` at its end, by slot; absent where none is under way.
    private(set) var sweeps: [PeerSlot: UInt32] = [:]

    /// The route at a place that a list has named.
    subscript(index: UInt32) -> InRoute { rows[Int(index)] }

    /// The first route of a peer, or `none`.
    func firstRoute(of peer: PeerSlot) -> UInt32 { peer < heads.count ? heads[peer] : Self.none }

    /// What a peer has here.
    func counts(of peer: PeerSlot) -> Counts { peer < counts.count ? counts[peer] : Counts() }

    /// The peer's route with a path identifier in the list that begins at `head`, or `none`.
    ///
    /// - Complexity: O(routes to the prefix)
    func find(_ peer: PeerSlot, pathID: UInt32 = 0, from head: UInt32) -> UInt32 {
        var index = head
        if pathIDs.isEmpty {
            guard pathID == 0 else { return Self.none }
            while index != Self.none, rows[Int(index)].peer != UInt32(peer) { index = rows[Int(index)].nextOfPrefix }
            return index
        }
        guard let own = pathID == 0 ? 0 : pathIDTable.own(of: UInt32(peer), received: pathID) else { return Self.none }
        while index != Self.none, rows[Int(index)].peer != UInt32(peer) || pathIDs[Int(index)] != own {
            index = rows[Int(index)].nextOfPrefix
        }
        return index
    }

    /// Whether the list that begins at `head` holds all the paths of the peer that are taken. Those that are stale give way.
    ///
    /// - Complexity: O(routes to the prefix)
    func isFull(of peer: PeerSlot, from head: UInt32) -> Bool {
        var count = 0
        var index = head
        while index != Self.none, count < Self.maximumPaths {
            let row = rows[Int(index)]
            if row.peer == UInt32(peer), !row.isStale { count += 1 }
            index = row.nextOfPrefix
        }
        return count == Self.maximumPaths
    }

    /// What the path of a route is called when it is passed on: unique among the routes to its prefix.
    func ownPathID(of index: UInt32) -> UInt32 {
        let own = pathIDs.isEmpty ? 0 : pathIDs[Int(index)]
        return own == 0 ? PathIDTable.own(of: rows[Int(index)].peer) : own
    }

    /// The path identifier that a route came with; 0 for one without.
    func receivedPathID(of index: UInt32) -> UInt32 {
        pathIDs.isEmpty ? 0 : pathIDTable.received(of: pathIDs[Int(index)])
    }

    /// Adds a route in front of both its lists and returns its place, the prefix list's new head.
    mutating func insert(
        prefix: UInt32, peer: PeerSlot, pathID: UInt32 = 0, handle: AttributeHandle, refusal: Ineligibility?,
        before head: UInt32,
    ) -> UInt32 {
        while heads.count <= peer {
            heads.append(Self.none)
            counts.append(Counts())
        }
        let row = InRoute(
            prefix: prefix, peer: UInt32(peer), handle: handle, nextOfPrefix: head, nextOfPeer: heads[peer],
            previousOfPeer: Self.none, refusal: refusal?.rawValue ?? 0, isStale: false)
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
            rows[Int(index)] = row
        } else {
            index = UInt32(rows.count)
            rows.append(row)
        }
        if pathID != 0 || !pathIDs.isEmpty { setPathID(pathID, of: index, peer) }
        if heads[peer] != Self.none { rows[Int(heads[peer])].previousOfPeer = index }
        heads[peer] = index
        counts[peer].received += 1
        if refusal != nil { counts[peer].refused += 1 }
        return index
    }

    /// Replaces attributes and standing of a route; it is fresh afterwards.
    mutating func update(_ index: UInt32, handle: AttributeHandle, refusal: Ineligibility?) {
        setStale(index, false)
        setRefusal(index, refusal)
        rows[Int(index)].handle = handle
    }

    /// Replaces the attributes alone.
    mutating func setHandle(_ index: UInt32, _ handle: AttributeHandle) { rows[Int(index)].handle = handle }

    /// Says why a route takes no part in the decision, or that it does.
    mutating func setRefusal(_ index: UInt32, _ refusal: Ineligibility?) {
        let peer = Int(rows[Int(index)].peer)
        if rows[Int(index)].refusal != 0 { counts[peer].refused -= 1 }
        if refusal != nil { counts[peer].refused += 1 }
        rows[Int(index)].refusal = refusal?.rawValue ?? 0
    }

    /// Marks a route as kept from a lost session, or as fresh.
    mutating func setStale(_ index: UInt32, _ isStale: Bool) {
        guard rows[Int(index)].isStale != isStale else { return }
        counts[Int(rows[Int(index)].peer)].stale += isStale ? 1 : -1
        rows[Int(index)].isStale = isStale
    }

    /// Makes the sweep of a peer's stale routes go on at a route; nil ends it.
    mutating func setSweep(of peer: PeerSlot, at index: UInt32?) { sweeps[peer] = index }

    /// Takes a route out of both its lists; the result is the head of the prefix list that began at `head`.
    mutating func remove(_ index: UInt32, from head: UInt32) -> UInt32 {
        setStale(index, false)
        setRefusal(index, nil)
        if !pathIDs.isEmpty, pathIDs[Int(index)] != 0 {
            pathIDTable.release(pathIDs[Int(index)])
            pathIDs[Int(index)] = 0
        }
        let row = rows[Int(index)]
        let peer = Int(row.peer)
        counts[peer].received -= 1
        if !sweeps.isEmpty, sweeps[peer] == index { sweeps[peer] = row.nextOfPeer }
        if row.previousOfPeer == Self.none {
            heads[peer] = row.nextOfPeer
        } else {
            rows[Int(row.previousOfPeer)].nextOfPeer = row.nextOfPeer
        }
        if row.nextOfPeer != Self.none { rows[Int(row.nextOfPeer)].previousOfPeer = row.previousOfPeer }
        free.append(index)
        if head == index { return row.nextOfPrefix }
        var before = head
        while rows[Int(before)].nextOfPrefix != index { before = rows[Int(before)].nextOfPrefix }
        rows[Int(before)].nextOfPrefix = row.nextOfPrefix
        return head
    }

    private mutating func setPathID(_ received: UInt32, of index: UInt32, _ peer: PeerSlot) {
        let own = received == 0 ? 0 : pathIDTable.retain(peer: UInt32(peer), received: received)
        if pathIDs.count < rows.count {
            pathIDs.append(contentsOf: repeatElement(0, count: rows.count - pathIDs.count))
        }
        pathIDs[Int(index)] = own
    }
}
