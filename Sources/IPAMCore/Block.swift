package import NetTypes

/// One node-owned block of addresses: which ordinals are free, whose the others are.
///
/// An ordinal is an address' place in the block, counted from 0. Every ordinal is in exactly one place: free,
/// allocated, reserved, or it is the tunnel's. Ordinal 0 of every block shorter than /32 (/128) is the tunnel's, in
/// any mode, so that a pool's mode can change later without moving a pod.
///
/// The free ordinals are a queue: a released one goes to its end, so that an address is used again as late as possible.
package struct Block: Sendable, Hashable {
    /// The largest block: a /20 or a /116, as Calico limits `blockSize`.
    package static let maximumAddressCount: UInt64 = 4096

    /// The block's network.
    package let cidr: IPPrefix
    /// The boot in which the block file was made: a reboot ends every pod, and with them every allocation.
    package let bootID: String
    /// The free ordinals, the next one to be given out first.
    package internal(set) var free: [UInt32]
    /// The allocated ordinals and their owners.
    package internal(set) var allocated: [UInt32: AttachmentKey]
    /// The ordinals that are given to nobody: the gateway of `apus-ipam`.
    package internal(set) var reserved: Set<UInt32>

    /// A block nobody has an address of yet.
    /// - Throws: `tooLarge` for more than 4096 addresses.
    package init(cidr: IPPrefix, bootID: String) throws(BlockError) {
        guard cidr.addressCount <= Self.maximumAddressCount else { throw .tooLarge(cidr) }
        self.cidr = cidr
        self.bootID = bootID
        free = Array(Self.firstOrdinal(of: cidr)..<UInt32(cidr.addressCount))
        allocated = [:]
        reserved = []
    }

    /// Joins parts that `init(json:)` has checked.
    init(cidr: IPPrefix, bootID: String, free: [UInt32], allocated: [UInt32: AttachmentKey], reserved: Set<UInt32>) {
        self.cidr = cidr
        self.bootID = bootID
        self.free = free
        self.allocated = allocated
        self.reserved = reserved
    }

    /// The name of the file of a network's block: `4-10.244.64.0-26.json`.
    package static func fileName(of cidr: IPPrefix) -> String {
        "\(cidr.family.rawValue)-\(cidr.address)-\(cidr.length).json"
    }

    /// The addresses `key` holds, lowest first.
    package func addresses(of key: AttachmentKey) -> [IPAddress] {
        allocated.filter { $0.value == key }.keys.sorted().compactMap { cidr.address(at: UInt64($0)) }
    }

    /// Who holds `address`; nil if nobody does or it is outside of the block.
    package func owner(of address: IPAddress) -> AttachmentKey? {
        ordinal(of: address).flatMap { allocated[$0] }
    }

    /// Whether no pod has an address of the block.
    package var isUnused: Bool { allocated.isEmpty }

    /// Gives `key` the address that has been free longest, of those that are not kept from pods.
    /// - Throws: `exhausted`.
    package mutating func allocate(
        for key: AttachmentKey, sparing withheld: WithheldAddresses = WithheldAddresses(),
    ) throws(BlockError) -> IPAddress {
        let place = free.firstIndex { cidr.address(at: UInt64($0)).map { !withheld.keeps($0) } ?? false }
        guard let place, let address = cidr.address(at: UInt64(free[place])) else { throw .exhausted(cidr) }
        allocated[free.remove(at: place)] = key
        return address
    }

    /// How many addresses a pod that asks for none may still get.
    package func freeCount(sparing withheld: WithheldAddresses) -> Int {
        guard !withheld.isEmpty else { return free.count }
        return free.count(where: { cidr.address(at: UInt64($0)).map { !withheld.keeps($0) } ?? false })
    }

    /// Gives `key` this very address; nothing happens when it has it already.
    /// - Throws: `outside`, `reserved` (also for the tunnel's), `taken` with the owner.
    package mutating func allocate(_ address: IPAddress, for key: AttachmentKey) throws(BlockError) {
        let ordinal = try freeOrdinal(of: address, for: key)
        free.removeAll { $0 == ordinal }
        allocated[ordinal] = key
    }

    /// Enters what a block that shares addresses with this one has given away or keeps from pods, as far as it is free
    /// here.
    package mutating func enter(_ other: Block) {
        var taken: Set<UInt32> = []
        for (ordinal, key) in other.allocated {
            guard let own = place(of: ordinal, in: other), allocated[own] == nil, !reserved.contains(own) else {
                continue
            }
            allocated[own] = key
            taken.insert(own)
        }
        // Its tunnel's address and its gateway may be in use.
        for ordinal in other.reserved.union(0..<Self.firstOrdinal(of: other.cidr)) {
            guard let own = place(of: ordinal, in: other), allocated[own] == nil else { continue }
            reserved.insert(own)
            taken.insert(own)
        }
        if !taken.isEmpty { free.removeAll { taken.contains($0) } }
    }

    /// Gives pods back what `enter` has kept from them for the sake of a block that is gone, but for this block's own
    /// gateway.
    ///
    /// - Returns: whether there was anything.
    package mutating func leave(_ other: Block) -> Bool {
        let last = UInt32(cidr.addressCount - 1)
        let count = reserved.count
        for ordinal in other.reserved.union(0..<Self.firstOrdinal(of: other.cidr)).sorted() {
            guard let own = place(of: ordinal, in: other), own != Self.gatewayOrdinal(of: cidr), own != last,
                reserved.remove(own) != nil
            else { continue }
            free.append(own)
        }
        return reserved.count != count
    }

    /// Where another block's ordinal is in this one; nil for one that is outside or the tunnel's here.
    private func place(of ordinal: UInt32, in other: Block) -> UInt32? {
        guard let own = other.cidr.address(at: UInt64(ordinal)).flatMap({ self.ordinal(of: $0) }),
            own >= Self.firstOrdinal(of: cidr)
        else { return nil }
        return own
    }

    /// Takes back every address of `key` and returns them; none if it has none.
    @discardableResult
    package mutating func release(_ key: AttachmentKey) -> [IPAddress] {
        let ordinals = allocated.filter { $0.value == key }.keys.sorted()
        for ordinal in ordinals {
            allocated[ordinal] = nil
            free.append(ordinal)
        }
        return ordinals.compactMap { cidr.address(at: UInt64($0)) }
    }

    /// Takes one address of `key` back; false if it does not have it.
    package mutating func release(_ address: IPAddress, of key: AttachmentKey) -> Bool {
        guard let ordinal = ordinal(of: address), allocated[ordinal] == key else { return false }
        allocated[ordinal] = nil
        free.append(ordinal)
        return true
    }

    /// Keeps an address from pods, as the gateway of `apus-ipam`, and returns it. Twice is as good as once.
    ///
    /// It is the last, or the one before where the last is the block's broadcast address (IPv4 up to a /30): the kernel
    /// takes no gateway there. That one is kept from pods, too, unless a pod has it, as its own /32.
    /// - Throws: `reserved` when the block has one address only and it is the tunnel's or the pod's, `taken`.
    package mutating func reserveGateway() throws(BlockError) -> IPAddress {
        guard let ordinal = Self.gatewayOrdinal(of: cidr), let address = cidr.address(at: UInt64(ordinal)) else {
            throw .reserved(cidr.address)
        }
        if let owner = allocated[ordinal] { throw .taken(address, by: owner) }
        let last = UInt32(cidr.addressCount - 1)
        for ordinal in [ordinal, last] where allocated[ordinal] == nil { reserve(ordinal) }
        return address
    }

    /// The address that `reserveGateway` keeps in such a block; nil in one of one address.
    package static func gateway(of cidr: IPPrefix) -> IPAddress? {
        gatewayOrdinal(of: cidr).flatMap { cidr.address(at: UInt64($0)) }
    }

    /// The gateway's place; nil in a block of one address.
    static func gatewayOrdinal(of cidr: IPPrefix) -> UInt32? {
        let last = UInt32(cidr.addressCount - 1)
        guard last > 0 else { return nil }
        return cidr.family == .ipv4 && cidr.addressCount > 2 ? last - 1 : last
    }

    private mutating func reserve(_ ordinal: UInt32) {
        guard reserved.insert(ordinal).inserted else { return }
        free.removeAll { $0 == ordinal }
    }

    /// The lowest ordinal a pod may have: 1, or 0 in a block of one address.
    static func firstOrdinal(of cidr: IPPrefix) -> UInt32 { cidr.isHost ? 0 : 1 }

    private func ordinal(of address: IPAddress) -> UInt32? {
        cidr.ordinal(of: address).flatMap { UInt32(exactly: $0) }
    }

    private func freeOrdinal(of address: IPAddress, for key: AttachmentKey) throws(BlockError) -> UInt32 {
        guard let ordinal = ordinal(of: address) else { throw .outside(address, cidr) }
        guard ordinal >= Self.firstOrdinal(of: cidr), !reserved.contains(ordinal) else { throw .reserved(address) }
        if let owner = allocated[ordinal], owner != key { throw .taken(address, by: owner) }
        return ordinal
    }
}

/// Why a block does not give an address.
package enum BlockError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The block has more than 4096 addresses.
    case tooLarge(IPPrefix)
    /// No ordinal is free.
    case exhausted(IPPrefix)
    /// The address is not in the block.
    case outside(IPAddress, IPPrefix)
    /// The address is never given to a pod.
    case reserved(IPAddress)
    /// A node has the address.
    case nodeAddress(IPAddress)
    /// Somebody else has the address.
    case taken(IPAddress, by: AttachmentKey)

    /// The reason in one line.
    package var description: String {
        switch self {
        case .tooLarge(let cidr): "\(cidr) has more than \(Block.maximumAddressCount) addresses"
        case .exhausted(let cidr): "\(cidr) has no free address"
        case .outside(let address, let cidr): "\(address) is not in \(cidr)"
        case .reserved(let address): "\(address) is reserved"
        case .nodeAddress(let address): "\(address) is the address of a node"
        case .taken(let address, let owner): "\(address) belongs to \(owner)"
        }
    }
}
