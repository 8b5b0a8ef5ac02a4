import NetTypes

/// Peers that are told the same in the same words: one walk over the changes and one encoding serve them all.
///
/// The group goes ahead as far as its quickest member; the steps that slower ones have yet to take are kept. A member
/// that falls `maximumLag` steps behind leaves and forms a group of its own, in which what it missed collapses to the
/// latest state. One that has just joined is a group of its own as well; once it knows all that the others know, it is
/// one of them.
struct UpdateGroup: Sendable {
    /// The steps that are kept for slow members.
    static let maximumLag = 32

    /// A member and the number of the step it takes next.
    struct Member: Sendable {
        let role: PeerRole
        var position: Int
    }

    /// What the members have in common: a role without who they are.
    let role: PeerRole
    /// What the group has been told, all steps included.
    var reader: AdjRIBOut
    /// The members, by their slots.
    private(set) var members: [PeerSlot: Member] = [:]
    /// The steps that somebody has yet to take, and the number of the first.
    private(set) var steps: [UpdateStep] = []
    private(set) var firstStep = 0
    /// The slots of the members, lowest first.
    private(set) var memberSlots: [PeerSlot] = []
    private var slotsByID: [RouterID: [PeerSlot]] = [:]
    private var slotsByAddress: [IPAddress: [PeerSlot]] = [:]

    init(role: PeerRole, reader: AdjRIBOut) {
        self.role = role
        self.reader = reader
    }

    /// The number the next step gets.
    var end: Int { firstStep + steps.count }

    /// How far the member that is furthest behind has read.
    var oldestProgress: AdjRIBOut.Progress { steps.first?.before ?? reader.progress }

    /// Whether the group has nothing to do but to wait for changes.
    func isIdle(at cursor: UInt64) -> Bool { reader.progress.cursor == cursor && reader.progress.feed == nil }

    /// The step a member takes next; nil when there is none yet.
    func step(for slot: PeerSlot) -> UpdateStep? {
        guard let member = members[slot], member.position < end else { return nil }
        return steps[member.position - firstStep]
    }

    /// What a member has been told: all that the group has, less the steps that the member has yet to take.
    func reader(of slot: PeerSlot) -> AdjRIBOut {
        var reader = reader
        for step in steps[((members[slot]?.position ?? end) - firstStep)...].reversed() {
            for change in step.undo.reversed() { reader.restore(change) }
            reader.progress = step.before
        }
        return reader
    }

    /// Who of the members is left out by a telling.
    func excluded(by telling: Telling) -> [PeerSlot] {
        var slots: [PeerSlot] = []
        if members[PeerSlot(telling.source)] != nil { slots.append(PeerSlot(telling.source)) }
        let others = (telling.originatorID.flatMap { slotsByID[$0] } ?? []) + (slotsByAddress[telling.nextHop] ?? [])
        for slot in others where !slots.contains(slot) { slots.append(slot) }
        if slots.count > 1 { slots.sort() }
        return slots
    }

    /// A peer that knows what the group has been told becomes one of it.
    mutating func insert(_ slot: PeerSlot, role: PeerRole) {
        members[slot] = Member(role: role, position: end)
        memberSlots.insert(slot, at: memberSlots.firstIndex { $0 > slot } ?? memberSlots.count)
        slotsByID[role.bgpID, default: []].append(slot)
        slotsByAddress[role.peerAddress, default: []].append(slot)
    }

    /// A member leaves; the result is the steps that nobody needs any more.
    mutating func remove(_ slot: PeerSlot) -> ArraySlice<UpdateStep> {
        guard let member = members.removeValue(forKey: slot) else { return [] }
        memberSlots.removeAll { $0 == slot }
        slotsByID[member.role.bgpID]?.removeAll { $0 == slot }
        slotsByAddress[member.role.peerAddress]?.removeAll { $0 == slot }
        if slotsByID[member.role.bgpID]?.isEmpty == true { slotsByID[member.role.bgpID] = nil }
        if slotsByAddress[member.role.peerAddress]?.isEmpty == true { slotsByAddress[member.role.peerAddress] = nil }
        return dropTaken()
    }

    /// Adds a step at the end.
    mutating func append(_ step: UpdateStep) { steps.append(step) }

    /// A member has taken its next step.
    mutating func advance(_ slot: PeerSlot) { members[slot]?.position += 1 }

    /// Drops the steps that everybody has taken.
    mutating func dropTaken() -> ArraySlice<UpdateStep> {
        guard !steps.isEmpty else { return [] }
        var first = end
        for member in members.values where member.position < first {
            first = member.position
            if first == firstStep { return [] }
        }
        let dropped = steps[..<(first - firstStep)]
        steps.removeFirst(first - firstStep)
        firstStep = first
        return dropped
    }

    /// The members that are too far behind.
    var laggards: [PeerSlot] {
        guard steps.count > Self.maximumLag, members.count > 1 else { return [] }
        return members.filter { end - $0.value.position > Self.maximumLag }.map(\.key)
    }
}

extension PeerRole {
    /// An identifier that no router has: it is no unicast address.
    private static let nobody = RouterID(IPv4Address(255, 255, 255, 255))

    /// The role without who the peer is: peers for which it is equal are told the same.
    var groupRole: PeerRole {
        var role = self
        if let nobody = Self.nobody { role.bgpID = nobody }
        role.peerAddress = .v4(IPv4Address(rawValue: 0))
        role.peerAS = kind == .iBGP ? localAS : ASNumber(0)
        role.importFilter = RouteFilter()
        role.allowedOwnAS = 0
        role.maximumPrefixes = nil
        return role
    }
}
