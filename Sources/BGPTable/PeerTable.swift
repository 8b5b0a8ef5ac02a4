import BGPWire
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

/// What of a peer decides which of its routes are usable at all.
struct RouteEntry: Sendable {
    let localAS: ASNumber
    let allowedOwnAS: Int
    let wireContext: WireContext
}

/// The peers in dense slots. A slot is given again after its peer is removed; slot 0 is this node.
struct PeerTable: Sendable {
    /// This node's own slot.
    static let local: PeerSlot = 0

    /// Whether a peer has, or has had, a filter that may let in what the pools do not hold.
    private(set) var hasImportFilters = false
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

    /// Whether a peer, with a session or without, is in the own AS.
    var hasInternal: Bool { rows.contains { $0?.role.kind == .iBGP } }

    // Parts of a row: the whole is much to copy for every UPDATE.

    /// Whether the peer at a slot has a session.
    func isUp(_ slot: PeerSlot) -> Bool { slot < rows.count ? rows[slot]?.isUp ?? false : false }

    /// The families of the peer's session.
    func families(of slot: PeerSlot) -> Set<AddressFamily> { slot < rows.count ? rows[slot]?.role.families ?? [] : [] }

    /// What the peer's filters say of the routes that it sends.
    func importFilter(of slot: PeerSlot) -> RouteFilter? { slot < rows.count ? rows[slot]?.role.importFilter : nil }

    /// The most prefixes that the peer may send; nil for any number.
    func maximumPrefixes(of slot: PeerSlot) -> Int? { slot < rows.count ? rows[slot]?.role.maximumPrefixes : nil }

    /// Whether the tunnel encapsulation attribute is taken from the peer.
    func carriesTunnelEncapsulation(_ slot: PeerSlot) -> Bool {
        slot < rows.count ? rows[slot]?.role.carriesTunnelEncapsulation ?? false : false
    }

    /// What decides which routes of the peer at a slot are usable at all; nil for this node's own.
    func entry(_ slot: PeerSlot) -> RouteEntry? {
        guard slot < rows.count, let localAS = rows[slot]?.role.localAS, let context = rows[slot]?.role.wireContext
        else { return nil }
        return RouteEntry(localAS: localAS, allowedOwnAS: rows[slot]?.role.allowedOwnAS ?? 0, wireContext: context)
    }

    /// What decides where the routes of the peer at a slot may go; nil for this node's own.
    func source(_ slot: PeerSlot) -> RouteSource? {
        guard slot < rows.count, let kind = rows[slot]?.role.kind, let bgpID = rows[slot]?.role.bgpID
        else { return nil }
        let isReflectorClient = rows[slot]?.role.isReflectorClient ?? false
        return RouteSource(kind: kind, isReflectorClient: isReflectorClient, bgpID: bgpID)
    }

    /// The slots in use, by the ids of their peers.
    var occupied: [PeerSlot] { slots.sorted { $0.key < $1.key }.map(\.value) }

    /// The slot of a peer; nil for one that is not known.
    func slot(of id: PeerID) -> PeerSlot? { slots[id] }

    /// Puts a peer whose session is established into its slot, a new one if need be.
    mutating func insert(_ id: PeerID, role: PeerRole) -> PeerSlot {
        let row = PeerRow(id: id, role: role, isUp: true, endOfRIBReceived: [])
        if role.importFilter != RouteFilter() { hasImportFilters = true }
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
        if role.importFilter != RouteFilter() { hasImportFilters = true }
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
