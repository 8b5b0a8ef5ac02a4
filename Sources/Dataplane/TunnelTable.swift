package import NetTypes
package import Netlink

/// The neighbours and forwarding entries of the tunnel devices, and which prefix needs which.
package struct TunnelTable: Sendable {
    /// The place of a neighbour: a link, and an address on it.
    package struct NeighbourKey: Sendable, Hashable, Comparable {
        /// The link's index.
        package let linkIndex: UInt32
        /// The address.
        package let address: IPAddress

        /// Joins the two.
        package init(linkIndex: UInt32, address: IPAddress) {
            self.linkIndex = linkIndex
            self.address = address
        }

        package static func < (left: Self, right: Self) -> Bool {
            (left.linkIndex, left.address) < (right.linkIndex, right.address)
        }
    }

    /// The place of a forwarding entry: a link, and a link-layer address behind it.
    package struct FDBKey: Sendable, Hashable, Comparable {
        /// The link's index.
        package let linkIndex: UInt32
        /// The link-layer address.
        package let macAddress: MACAddress

        /// Joins the two.
        package init(linkIndex: UInt32, macAddress: MACAddress) {
            self.linkIndex = linkIndex
            self.macAddress = macAddress
        }

        package static func < (left: Self, right: Self) -> Bool {
            (left.linkIndex, left.macAddress.rawValue) < (right.linkIndex, right.macAddress.rawValue)
        }
    }

    /// The neighbours.
    package private(set) var neighbours = EntryTable<NeighbourKey, MACAddress>()
    /// The forwarding entries.
    package private(set) var fdb = EntryTable<FDBKey, IPAddress>()
    private var needs: [IPPrefix: Needs] = [:]
    private let protocolNumber: UInt8

    private struct Needs: Hashable {
        var neighbours: [Neighbour]
        var fdb: [FDBEntry]
    }

    /// A table that knows nothing yet.
    ///
    /// - Parameter protocolNumber: what marks a neighbour as Apus' own (NDA_PROTOCOL). Forwarding entries have no such
    ///   mark; they are Apus' own because their device is.
    package init(protocolNumber: UInt8 = 97) {
        self.protocolNumber = protocolNumber
    }

    /// Wants what the route to `prefix` needs, in place of what it needed before; nothing for a plain route.
    package mutating func setDesired(neighbours: [Neighbour], fdb: [FDBEntry], for prefix: IPPrefix) {
        if needs.isEmpty, neighbours.isEmpty, fdb.isEmpty { return }
        let new = Needs(neighbours: neighbours, fdb: fdb)
        let old = needs[prefix]
        guard new != old else { return }
        for neighbour in neighbours { self.neighbours.want(neighbour.macAddress, at: Self.key(neighbour)) }
        for entry in fdb { self.fdb.want(entry.destination, at: Self.key(entry)) }
        for neighbour in old?.neighbours ?? [] { self.neighbours.release(Self.key(neighbour)) }
        for entry in old?.fdb ?? [] { self.fdb.release(Self.key(entry)) }
        needs[prefix] = neighbours.isEmpty && fdb.isEmpty ? nil : new
    }

    /// Takes dumps of the tunnel devices.
    package mutating func adopt(neighbours found: [Neighbour], fdb entries: [FDBEntry]) {
        // What the kernel has asked for by itself is not permanent, and is replaced like a wrong one.
        neighbours.adopt(
            Dictionary(
                found.lazy.filter(\.isPermanent).map { (Self.key($0), $0.macAddress) }, uniquingKeysWith: { $1 }))
        fdb.adopt(Dictionary(entries.map { (Self.key($0), $0.destination) }, uniquingKeysWith: { $1 }))
    }

    /// Takes an event.
    package mutating func observe(_ neighbour: Neighbour, deleted: Bool) {
        let isThere = !deleted && neighbour.isPermanent
        neighbours.observe(isThere ? neighbour.macAddress : nil, at: Self.key(neighbour))
    }

    /// Takes an event: the neighbour has lost its link-layer address, and with it its use.
    package mutating func observeLoss(linkIndex: UInt32, address: IPAddress) {
        neighbours.observe(nil, at: NeighbourKey(linkIndex: linkIndex, address: address))
    }

    /// Takes an event.
    package mutating func observe(_ entry: FDBEntry, deleted: Bool) {
        fdb.observe(deleted ? nil : entry.destination, at: Self.key(entry))
    }

    /// Makes what the kernel refused pending again.
    package mutating func retry() {
        neighbours.retry()
        fdb.retry()
    }

    /// Whether there is nothing to add and nothing left over.
    package var isSettled: Bool { neighbours.isSettled && fdb.isSettled }

    /// What routes are about to need: a route whose neighbour or forwarding entry is missing loses packets.
    package var additions: [TunnelOperation] {
        neighbours.additions.map { .setNeighbour(neighbour($0.key, $0.value)) }
            + fdb.additions.map { .setFDB(entry($0.key, $0.value)) }
    }

    /// What nothing needs any more: neither a wish nor a route of the kernel's, one of an earlier run included.
    ///
    /// - Parameter gateways: the gateways of the kernel's own routes by the tunnel devices.
    package func removals(gateways: Set<NeighbourKey>) -> [TunnelOperation] {
        let neighbourLeftovers = neighbours.leftovers.filter { !gateways.contains($0.key) }
        let leaving = Set(neighbourLeftovers.map(\.key))
        var operations = neighbourLeftovers.map { TunnelOperation.deleteNeighbour(neighbour($0.key, $0.value)) }
        let entries = fdb.leftovers
        guard !entries.isEmpty else { return operations }
        let used = Set(
            neighbours.actual.lazy.filter { !leaving.contains($0.key) }.map {
                FDBKey(linkIndex: $0.key.linkIndex, macAddress: $0.value)
            })
        operations += entries.filter { !used.contains($0.key) }.map { .deleteFDB(entry($0.key, $0.value)) }
        return operations
    }

    /// The kernel has done it.
    package mutating func applied(_ operation: TunnelOperation) {
        switch operation {
        case .setNeighbour(let neighbour): observe(neighbour, deleted: false)
        case .deleteNeighbour(let neighbour): observe(neighbour, deleted: true)
        case .setFDB(let entry): observe(entry, deleted: false)
        case .deleteFDB(let entry): observe(entry, deleted: true)
        }
    }

    /// The kernel has refused it; it waits for `retry`, a dump or another wish.
    package mutating func failed(_ operation: TunnelOperation, _ error: NetlinkError) {
        switch operation {
        case .setNeighbour(let neighbour), .deleteNeighbour(let neighbour):
            neighbours.refuse(Self.key(neighbour), error)
        case .setFDB(let entry), .deleteFDB(let entry): fdb.refuse(Self.key(entry), error)
        }
    }

    /// The prefixes whose routes need something that the kernel has refused: a route that goes before it loses packets.
    ///
    /// - Complexity: O(prefixes) as long as something is refused.
    package var unmet: [IPPrefix: RouteProblem] {
        guard neighbours.isRefused || fdb.isRefused else { return [:] }
        return needs.compactMapValues { problem(of: $0) }
    }

    /// What the kernel has refused of what the route to the prefix needs; nil when nothing.
    package func problem(of prefix: IPPrefix) -> RouteProblem? { needs[prefix].flatMap { problem(of: $0) } }

    private func problem(of needs: Needs) -> RouteProblem? {
        for neighbour in needs.neighbours {
            guard let error = neighbours.refusal(of: Self.key(neighbour)) else { continue }
            return .unmet(.setNeighbour(neighbour), error.code, kernelMessage: error.kernelMessage)
        }
        for entry in needs.fdb {
            guard let error = fdb.refusal(of: Self.key(entry)) else { continue }
            return .unmet(.setFDB(entry), error.code, kernelMessage: error.kernelMessage)
        }
        return nil
    }

    private func neighbour(_ key: NeighbourKey, _ mac: MACAddress) -> Neighbour {
        Neighbour(linkIndex: key.linkIndex, address: key.address, macAddress: mac, protocolNumber: protocolNumber)
    }

    private func entry(_ key: FDBKey, _ destination: IPAddress) -> FDBEntry {
        FDBEntry(linkIndex: key.linkIndex, macAddress: key.macAddress, destination: destination)
    }

    private static func key(_ neighbour: Neighbour) -> NeighbourKey {
        NeighbourKey(linkIndex: neighbour.linkIndex, address: neighbour.address)
    }

    private static func key(_ entry: FDBEntry) -> FDBKey {
        FDBKey(linkIndex: entry.linkIndex, macAddress: entry.macAddress)
    }
}

/// One change of a tunnel device's tables.
package enum TunnelOperation: Sendable, Hashable {
    case setNeighbour(Neighbour)
    case deleteNeighbour(Neighbour)
    case setFDB(FDBEntry)
    case deleteFDB(FDBEntry)

    /// The entry, with the link's name where it is known: `neighbour 10.244.1.0 on vxlan.calico`.
    func text(linkName: (UInt32) -> String?) -> String {
        switch self {
        case .setNeighbour(let neighbour), .deleteNeighbour(let neighbour):
            "neighbour \(neighbour.address) on \(linkName(neighbour.linkIndex) ?? "if\(neighbour.linkIndex)")"
        case .setFDB(let entry), .deleteFDB(let entry):
            "forwarding entry \(entry.macAddress) to \(entry.destination) on "
                + (linkName(entry.linkIndex) ?? "if\(entry.linkIndex)")
        }
    }
}
