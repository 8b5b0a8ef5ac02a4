import NetTypes

/// One known peer.
struct PeerRow: Sendable {
    let id: PeerID
    /// What the last session meant.
    var role: PeerRole
    /// Whether a session is established.
    var isUp: Bool
    /// The families whose End-of-RIB has come in this session.
    var endOfRIBReceived: Set<AddressFamily>
}

/// The peers in dense slots. A slot is given again after its peer is removed; slot 0 is this node.
struct PeerTable: Sendable {
    /// This node's own slot.
    static let local: PeerSlot = 0

    private var rows: [PeerRow?] = [nil]
    private var slots: [PeerID: PeerSlot] = [:]
    private var free: [PeerSlot] = []
    /// What the decision process needs of each peer, at its slot; the fields of the route are to be filled in.
    private(set) var ranks: [RouteRank] = [
        RouteRank(fields: DecisionFields(), isLocal: true, isExternal: false, bgpID: 0, peerAddress: nil)
    ]

    /// The row of a slot; nil for this node's own and for one that is free.
    subscript(slot: PeerSlot) -> PeerRow? { slot < rows.count ? rows[slot] : nil }

    /// The id of the peer at a slot; nil for this node's own and for one that is free.
    func id(at slot: PeerSlot) -> PeerID? { slot < rows.count ? rows[slot]?.id : nil }

    /// The slots in use, by the ids of their peers.
    var occupied: [PeerSlot] { slots.sorted { $0.key < $1.key }.map(\.value) }

    /// The slot of a peer; nil for one that is not known.
    func slot(of id: PeerID) -> PeerSlot? { slots[id] }

    /// Puts a peer whose session is established into its slot, a new one if need be.
    mutating func insert(_ id: PeerID, role: PeerRole) -> PeerSlot {
        let row = PeerRow(id: id, role: role, isUp: true, endOfRIBReceived: [])
        let rank = Self.rank(of: role)
        let slot: PeerSlot
        if let known = slots[id] ?? free.popLast() {
            slot = known
            rows[slot] = row
            ranks[slot] = rank
        } else {
            slot = rows.count
            rows.append(row)
            ranks.append(rank)
        }
        slots[id] = slot
        return slot
    }

    /// Changes what the session of a peer means; who the peer is stays.
    mutating func setRole(_ role: PeerRole, of slot: PeerSlot) {
        rows[slot]?.role = role
        ranks[slot] = Self.rank(of: role)
    }

    /// The session of the peer is lost.
    mutating func setDown(_ slot: PeerSlot) {
        rows[slot]?.isUp = false
        rows[slot]?.endOfRIBReceived = []
    }

    /// The peer has sent the End-of-RIB of a family.
    mutating func setEndOfRIBReceived(_ family: AddressFamily, from slot: PeerSlot) {
        rows[slot]?.endOfRIBReceived.insert(family)
    }

    /// Frees the slot of a peer that has no routes any more.
    mutating func remove(_ slot: PeerSlot) {
        guard let id = rows[slot]?.id else { return }
        slots[id] = nil
        rows[slot] = nil
        free.append(slot)
    }

    /// The part of a route's rank that its peer decides.
    static func rank(of role: PeerRole) -> RouteRank {
        RouteRank(
            fields: DecisionFields(), isLocal: false, isExternal: role.kind == .eBGP,
            bgpID: role.bgpID.rawValue, peerAddress: role.peerAddress)
    }
}
