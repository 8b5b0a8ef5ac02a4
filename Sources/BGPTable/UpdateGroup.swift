import BGPWire
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

    /// What the members have in common: a role without who they are.
    let role: PeerRole
    /// Stands for the role: two groups of one table have the same number exactly when their roles are equal.
    let kind: Int
    /// Whether the members are told of more than the best path to a prefix.
    let isSentSeveralPaths: Bool
    /// What the group has been told, all steps included.
    var reader: AdjRIBOut
    /// The members' roles, by their slots.
    private(set) var roles: [PeerSlot: PeerRole] = [:]
    /// The number of the step that each takes next. Beside the roles, which are much to copy.
    private var positions: [PeerSlot: Int] = [:]
    /// The steps that somebody has yet to take, and the number of the first.
    private(set) var steps: [UpdateStep] = []
    private(set) var firstStep = 0
    /// The slots of the members, lowest first.
    private(set) var memberSlots: [PeerSlot] = []
    /// Whether any of the changes that it went through last was for its members.
    var isTold = true
    /// Whether no member could take a step when steps were handed out last: each has one on its way.
    var isHeldUp = false
    private var encoder: UpdateEncoder
    /// What became of the set that was told last; one or none.
    var exported: [ExportedSet] = []
    private var slotsByID: [RouterID: [PeerSlot]] = [:]
    private var slotsByAddress: [IPAddress: [PeerSlot]] = [:]

    init(role: PeerRole, kind: Int, family: AddressFamily, reader: AdjRIBOut) {
        self.role = role
        self.kind = kind
        isSentSeveralPaths = role.isSentSeveralPaths(family)
        self.reader = reader
        encoder = UpdateEncoder(role.wireContext)
    }

    /// The number the next step gets.
    var end: Int { firstStep + steps.count }

    /// Whether the group has nothing to do but to wait for changes.
    func isIdle(at cursor: UInt64) -> Bool { reader.progress.cursor == cursor && reader.progress.feed == nil }

    /// The step a member takes next; nil when there is none yet.
    func step(for slot: PeerSlot) -> UpdateStep? {
        guard let position = positions[slot], position < end else { return nil }
        return steps[position - firstStep]
    }

    /// What a member has been told: all that the group has, less the steps that the member has yet to take.
    func reader(of slot: PeerSlot) -> AdjRIBOut {
        var reader = reader
        for step in steps[((positions[slot] ?? end) - firstStep)...].reversed() {
            for change in step.undo.reversed() { reader.restore(change) }
            reader.progress = step.before
        }
        return reader
    }

    /// Who of the members is left out by a telling.
    func excluded(by telling: Telling) -> [PeerSlot] {
        var slots: [PeerSlot] = []
        if positions[PeerSlot(telling.source)] != nil { slots.append(PeerSlot(telling.source)) }
        let others = (telling.originatorID.flatMap { slotsByID[$0] } ?? []) + (slotsByAddress[telling.nextHop] ?? [])
        for slot in others where !slots.contains(slot) { slots.append(slot) }
        if slots.count > 1 { slots.sort() }
        return slots
    }

    /// A peer that knows what the group has been told becomes one of it.
    mutating func insert(_ slot: PeerSlot, role: PeerRole) {
        roles[slot] = role
        positions[slot] = end
        memberSlots.insert(slot, at: memberSlots.firstIndex { $0 > slot } ?? memberSlots.count)
        slotsByID[role.bgpID, default: []].append(slot)
        slotsByAddress[role.peerAddress, default: []].append(slot)
    }

    /// A member leaves; the result is the steps that nobody needs any more.
    mutating func remove(_ slot: PeerSlot) -> ArraySlice<UpdateStep> {
        guard let role = roles.removeValue(forKey: slot) else { return [] }
        positions[slot] = nil
        memberSlots.removeAll { $0 == slot }
        slotsByID[role.bgpID]?.removeAll { $0 == slot }
        slotsByAddress[role.peerAddress]?.removeAll { $0 == slot }
        if slotsByID[role.bgpID]?.isEmpty == true { slotsByID[role.bgpID] = nil }
        if slotsByAddress[role.peerAddress]?.isEmpty == true { slotsByAddress[role.peerAddress] = nil }
        return dropTaken()
    }

    /// Adds a step at the end.
    mutating func append(_ step: UpdateStep) { steps.append(step) }

    /// A member takes its next step, if there is one.
    mutating func takeStep(_ slot: PeerSlot) -> UpdateStep? {
        guard let position = positions[slot], position < end else { return nil }
        positions[slot] = position + 1
        return steps[position - firstStep]
    }

    /// Drops the steps that everybody has taken.
    mutating func dropTaken() -> ArraySlice<UpdateStep> {
        guard !steps.isEmpty else { return [] }
        var first = end
        for position in positions.values where position < first {
            first = position
            if first == firstStep { return [] }
        }
        let dropped = steps[..<(first - firstStep)]
        steps.removeFirst(first - firstStep)
        firstStep = first
        return dropped
    }

    /// The members that are too far behind.
    var laggards: [PeerSlot] {
        guard steps.count > Self.maximumLag, positions.count > 1 else { return [] }
        return positions.filter { end - $0.value > Self.maximumLag }.map(\.key)
    }
}

// What is asked with every message. Nothing is changed: as mutating methods these look at the group where it lies, which
// is much to copy.
extension UpdateGroup {
    /// Puts on the agenda what there is to do.
    mutating func put(on agenda: inout Agenda, end: UInt64) {
        let isBehind = !isIdle(at: end)
        // What its members do not take is not held back by the limit of a step.
        if isBehind, !isHeldUp { agenda.isExportBehind = true }
        guard isBehind || !steps.isEmpty else { return }
        agenda.hasPendingUpdates = true
        if isTold { agenda.expectedAudience += memberSlots.count }
    }

    /// Whether there is something to do or to hand out.
    mutating func isBusy(at end: UInt64) -> Bool { !isIdle(at: end) || !steps.isEmpty }

    /// Whether a filter decides what the members are told.
    mutating func hasExportRules(_ family: AddressFamily) -> Bool { !role.exportFilter.rules(family).isEmpty }

    /// Whether there are steps that somebody has yet to take.
    mutating func hasSteps() -> Bool { !steps.isEmpty }

    /// What the members are told, by the number of it, and how far the group has come.
    mutating func standing() -> (kind: Int, progress: AdjRIBOut.Progress) { (kind, reader.progress) }

    /// Whether a member knows everything there is.
    mutating func isDone(_ slot: PeerSlot, at end: UInt64) -> Bool { isIdle(at: end) && step(for: slot) == nil }

    /// Whether the members are told the same as those of another group, and have been told as much.
    mutating func isAlike(_ kind: Int, _ progress: AdjRIBOut.Progress) -> Bool {
        self.kind == kind && reader.progress == progress
    }

    /// Who the members are, lowest slot first, and what codes their messages.
    mutating func audience() -> (slots: [PeerSlot], encoder: UpdateEncoder) { (memberSlots, encoder) }

    /// Remembers what was encoded last, if it was for members like these.
    mutating func keep(_ encoder: UpdateEncoder) {
        if encoder.context == self.encoder.context { self.encoder = encoder }
    }

    /// The log's number that the member that is furthest behind is to read next.
    mutating func oldestCursor() -> UInt64 { steps.first?.before.cursor ?? reader.progress.cursor }
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
