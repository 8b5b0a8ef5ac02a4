import BGPWire
import NetTypes

/// What routes share: the attributes of an UPDATE and its next hop.
struct AttributeSet: Sendable, Hashable {
    /// TUNNEL_ENCAPSULATION (RFC 9012 §2), which the codec keeps as bytes.
    static let tunnelEncapsulationType: UInt8 = 23

    var attributes: PathAttributes
    /// nil for a route of this node that has none of its own.
    var nextHop: NextHop?

    /// The value of the tunnel encapsulation attribute.
    var tunnelEncapsulation: [UInt8]? {
        attributes.unknown.first { $0.type == Self.tunnelEncapsulationType }?.value
    }

    /// Whether there is anything that `removeTunnelEncapsulation` would take out.
    var hasTunnelEncapsulation: Bool { !attributes.unknown.isEmpty || !attributes.extendedCommunities.isEmpty }

    /// Takes the tunnel encapsulation out, the communities that tell of it too (RFC 9012 §11).
    mutating func removeTunnelEncapsulation() {
        attributes.unknown.removeAll { $0.type == Self.tunnelEncapsulationType }
        attributes.extendedCommunities.removeAll(where: \.isEncapsulation)
    }

    /// The communities that tell of a tunnel.
    private var encapsulationCommunities: [ExtendedCommunity] {
        attributes.extendedCommunities.filter(\.isEncapsulation)
    }

    /// Whether packets go the same way with both.
    func forwards(like other: AttributeSet) -> Bool {
        nextHop == other.nextHop && tunnelEncapsulation == other.tunnelEncapsulation
            && encapsulationCommunities == other.encapsulationCommunities
    }
}

/// The place of a set in the attribute table.
struct AttributeHandle: Sendable, Hashable {
    let rawValue: UInt32

    /// No set.
    static let none = AttributeHandle(rawValue: .max)

    var index: Int { Int(rawValue) }
}

/// Attribute sets, each kept once and named by a handle of 32 bits. Whoever keeps a handle holds a reference.
///
/// Two routes have the same attributes exactly when their handles are equal, so nothing but this table compares sets.
struct AttributeTable: Sendable {
    /// A set on the heap, so that a table that grows moves a pointer.
    private final class Shared: Sendable {
        let set: AttributeSet
        let digest: UInt32
        /// The number of the set among all that there have ever been; a handle is used again, this is not.
        let serial: UInt64

        init(_ set: AttributeSet, digest: UInt32, serial: UInt64) {
            self.set = set
            self.digest = digest
            self.serial = serial
        }
    }

    private var sets: [Shared?] = []
    private var references: [UInt32] = []
    private var index = HashIndex()
    private var free: [AttributeHandle] = []
    private var lastSerial: UInt64 = 0
    /// What the decision process needs of each set, at the handle's place.
    private(set) var fields: [DecisionFields] = []
    private var costs: [IPAddress: InteriorCost] = [:]
    /// The next hops of the sets, each with the number of those.
    private(set) var nextHops: [IPAddress: Int] = [:]
    private var hasOtherNextHops = false

    /// How many sets there are.
    var count: Int { index.count }

    /// The set behind a handle that somebody holds; nil for `.none` and for a handle nobody holds.
    subscript(handle: AttributeHandle) -> AttributeSet? {
        handle.index < sets.count ? sets[handle.index]?.set : nil
    }

    /// What tells a set from all that there have ever been; 0 for a handle nobody holds.
    func serial(of handle: AttributeHandle) -> UInt64 {
        handle.index < sets.count ? sets[handle.index]?.serial ?? 0 : 0
    }

    /// The set's handle, with one reference more, which the caller owns.
    mutating func intern(_ set: AttributeSet) -> AttributeHandle {
        let digest = set.digest
        if let place = index.find(digest, { sets[Int($0)]?.set == set }) {
            references[Int(place)] += 1
            return AttributeHandle(rawValue: place)
        }
        lastSerial += 1
        let shared = Shared(set, digest: digest, serial: lastSerial)
        let handle: AttributeHandle
        if let reused = free.popLast() {
            handle = reused
            sets[handle.index] = shared
            references[handle.index] = 1
            fields[handle.index] = decisionFields(of: set)
        } else {
            handle = AttributeHandle(rawValue: UInt32(sets.count))
            sets.append(shared)
            references.append(1)
            fields.append(decisionFields(of: set))
        }
        index.insert(handle.rawValue, hash: digest)
        count(set.nextHop?.address, by: 1)
        return handle
    }

    /// The handle of a set changed by a filter, with one reference more, which the caller owns; nil for no set.
    mutating func changed(_ handle: AttributeHandle, by operations: [RouteFilter.Operation]) -> AttributeHandle? {
        guard var set = self[handle] else { return nil }
        operations.apply(to: &set.attributes)
        return intern(set)
    }

    /// Adds a reference.
    mutating func retain(_ handle: AttributeHandle) {
        guard handle != .none else { return }
        references[handle.index] += 1
    }

    /// Gives a reference back; the last one frees the set.
    mutating func release(_ handle: AttributeHandle) {
        guard handle != .none else { return }
        references[handle.index] -= 1
        guard references[handle.index] == 0, let shared = sets[handle.index] else { return }
        index.remove(handle.rawValue, hash: shared.digest)
        sets[handle.index] = nil
        free.append(handle)
        count(shared.set.nextHop?.address, by: -1)
    }

    private mutating func count(_ nextHop: IPAddress?, by step: Int) {
        guard let nextHop else { return }
        let count = nextHops[nextHop, default: 0] + step
        nextHops[nextHop] = count == 0 ? nil : count
        if count == 0 || count == step { hasOtherNextHops = true }
    }

    /// Whether the next hops may be other ones since this was asked last.
    mutating func takeHasOtherNextHops() -> Bool {
        defer { hasOtherNextHops = false }
        return hasOtherNextHops
    }

    /// Whether a route leads to the set's next hop.
    func isNextHopReachable(_ handle: AttributeHandle) -> Bool {
        fields[handle.index].interiorCost != .max
    }

    /// Replaces the interior costs of all next hops; whether that of any set differs.
    mutating func setInteriorCosts(_ costs: [IPAddress: InteriorCost]) -> Bool {
        self.costs = costs
        var differs = false
        for (index, shared) in sets.enumerated() {
            guard let shared else { continue }
            let cost = interiorCost(of: shared.set)
            if fields[index].interiorCost == cost { continue }
            fields[index].interiorCost = cost
            differs = true
        }
        return differs
    }

    private func interiorCost(of set: AttributeSet) -> UInt32 {
        switch set.nextHop.flatMap({ costs[$0.address] }) {
        case .reachable(let cost)?: min(cost, .max - 1)
        case .unreachable?: .max
        case nil: 0
        }
    }

    private func decisionFields(of set: AttributeSet) -> DecisionFields {
        let attributes = set.attributes
        return DecisionFields(
            localPref: attributes.localPref ?? 100,
            asPathLength: UInt32(clamping: attributes.asPath.length),
            med: attributes.med ?? 0,
            neighbourAS: attributes.asPath.firstAS?.rawValue ?? 0,
            interiorCost: interiorCost(of: set),
            originatorID: attributes.originatorID?.rawValue ?? 0,
            clusterListLength: UInt32(clamping: attributes.clusterList.count),
            origin: attributes.origin.rawValue,
            isLongLivedStale: attributes.communities.contains(.llgrStale),
        )
    }
}

/// What the node's own routing says of a next hop (RFC 4271 §9.1.2.1).
package enum InteriorCost: Sendable, Hashable {
    /// It can be reached at this cost; lower is better.
    case reachable(UInt32)
    /// It cannot be reached.
    case unreachable
}
