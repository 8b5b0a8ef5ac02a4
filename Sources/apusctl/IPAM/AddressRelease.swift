import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeStore
import PodPlan

/// The release of one leaked address, by what a DEL does: connections forgotten, the block first, the record after it.
///
/// Two pods must never have one address. So all of it happens under the store's lock, where nobody begins with a key, and
/// nothing is released that a call is at work on, or that the kernel shows with anybody: by a link, a route, or in a
/// namespace.
struct AddressRelease {
    /// Whose what is now free was.
    struct Released {
        /// Whose it was.
        let key: AttachmentKey
        /// The record that is gone with it; nil when there was none, or it stays, with the key's other addresses.
        let record: Attachment?
        /// The addresses that are free now.
        let addresses: [IPAddress]
    }

    /// How long after an ADD of apus-ipam its caller may still be about to put the address on a link, which nobody sees.
    private static let configurationTime = Duration.seconds(60)

    private let address: IPAddress
    private let node: NodeKernel
    private let isForced: Bool
    private var blocks: [Block] = []
    private var ends = ObservedEnds([])
    private var refusals: [String] = []

    /// - Parameter isForced: whether to release, too, what only the namespaces that are to be seen tell to be dead.
    init(of address: IPAddress, on node: NodeKernel, isForced: Bool) {
        self.address = address
        self.node = node
        self.isForced = isForced
    }

    /// Releases what is dead.
    /// - Throws: `CommandFailure` naming why nothing was released.
    mutating func run() throws -> [Released] {
        let lock = try node.store.lock(deadline: NodeAudit.lockTimeout)
        // A block that cannot be read may give the address to anybody.
        _ = try node.store.block(containing: address)
        // Who is at work is asked before anything is looked at: a call ends without the lock, and what it did shows then.
        var idle: Set<AttachmentKey> = []
        for key in owners(in: try node.store.records()) where try !node.store.isBusy(key, under: lock) {
            idle.insert(key)
        }
        let records = try node.store.records()
        blocks = records.blocks
        ends = ObservedEnds(try node.ends())
        let owners = owners(in: records)
        guard !owners.isEmpty else {
            let account = AddressAccount(address, node.state, records, owner: nil)
            throw CommandFailure(description: account.text(now: SinceTime.now()) + "Nothing was released.")
        }
        var dead: [(AttachmentKey, Attachment?)] = []
        for key in owners.sorted() {
            guard idle.contains(key) else {
                refusals.append("a call is at work on \(key): try again when it has ended")
                continue
            }
            let record = try node.store.attachment(key)
            if isDead(key, record) { dead.append((key, record)) }
        }
        guard !dead.isEmpty else { throw refused() }
        // Whoever lives and has it, too, keeps its connections, and the kernel shows it with them.
        let own = dead.flatMap { key, record in named(by: record).filter { !blocks.giveToOthers($0, than: key) } }
        let freed = Set(own).filter { $0 != address || refusals.isEmpty }.sorted()
        for address in freed { try checkUnused(address) }
        forgetConnections(of: freed)
        var released: [Released] = []
        for (key, record) in dead { released.append(try release(key, record, under: lock)) }
        return released
    }

    /// Whose the address is, by blocks and by records.
    private func owners(in records: StoreRecords) -> Set<AttachmentKey> {
        let naming = records.attachments.filter { $0.addresses.contains(address.hostPrefix) }.map(\.key)
        return records.blocks.owners(of: address).union(naming)
    }

    /// The address, and those that go with the record; none of these when it stays.
    private func named(by record: Attachment?) -> Set<IPAddress> {
        guard let record, record.addresses.contains(address.hostPrefix) else { return [address] }
        return Set(record.addresses.map(\.address))
    }

    private mutating func isDead(_ key: AttachmentKey, _ record: Attachment?) -> Bool {
        for each in named(by: record).sorted() {
            let isOthers = blocks.giveToOthers(each, than: key)
            switch HolderLife(of: key, with: each, isOthers: isOthers, record: record, ends: ends) {
            case .gone: break
            case .alive(let reason):
                refusals.append("\(each) is \(key)'s, and \(reason): delete the pod (DEL)")
                return false
            case .unknown(let reason):
                // Where others have it is no matter of the key's.
                let search = isOthers ? VisibleNamespaces.Search() : VisibleNamespaces.search(for: each)
                guard let objection = objection(to: record, reason, search) else { continue }
                refusals.append("\(each) is \(key)'s, and \(objection)")
                return false
            }
        }
        return true
    }

    /// What is against a release of what only the namespaces can tell of.
    private func objection(
        to record: Attachment?, _ reason: String, _ search: VisibleNamespaces.Search,
    ) -> String? {
        if let holder = search.holder { return "the link \(holder.linkIndex) of \(holder.path) has it" }
        if search.isConfined {
            return "\(reason): the namespaces outside of this container cannot be seen and may have it; run apusctl on"
                + " the host, or in a container with hostPID: true (--pid=host)"
        }
        if !isForced {
            let doubt =
                search.unreadable.isEmpty
                ? "no namespace of this machine shows it" : "\(search.unreadableText) cannot be read and may have it"
            return "\(reason): \(doubt); --force releases it"
        }
        guard let record else { return nil }
        let age = BootClock.now() - record.createdAt
        guard age < Self.configurationTime else { return nil }
        let wait = min(Self.configurationTime - age, Self.configurationTime).components.seconds + 1
        return "\(reason), which may not have configured it yet, for its ADD is young: try again in \(wait) s"
    }

    /// - Throws: when the kernel takes packets for the address somewhere else than to nowhere.
    private mutating func checkUnused(_ address: IPAddress) throws {
        let lookUp = try node.lookUp(address)
        guard try lookUp.kind == .local || lookUp.kind == .unicast && leads(to: address, lookUp) else { return }
        let name = ends.all.first { $0.index == lookUp.linkIndex }?.name ?? node.links[lookUp.linkIndex]?.name
        let link = name ?? "link \(lookUp.linkIndex)"
        refusals.append("a route leads to \(address) over \(link) (ip route get \(address))")
        throw refused()
    }

    /// Whether a route is about the address, and not about all there is.
    private func leads(to address: IPAddress, _ lookUp: RouteLookup) throws -> Bool {
        let route = try node.routes(to: address, over: lookUp.linkIndex).last
        // A link that has come meanwhile may be a pod's.
        let isPair = node.links[lookUp.linkIndex].map { $0.kind == "veth" } ?? true
        let isOwn = node.state.block(containing: address) != nil
        if let route, route.destination.isHost { return isPair || isOwn }
        // Beyond the node's blocks the network of a link, or a router, answers for all there is.
        return isOwn && lookUp.gateway == nil && route?.destination.length != 0
    }

    private func refused() -> CommandFailure {
        CommandFailure(description: refusals.joined(separator: "\n") + "\nNothing was released.")
    }

    private func forgetConnections(of addresses: [IPAddress]) {
        do throws(NetlinkError) {
            try node.forgetConnections(of: addresses)
        } catch {
            ProcessIO.writeStandardError("apusctl: connections not flushed: \(error)\n")
        }
    }

    private func release(
        _ key: AttachmentKey, _ record: Attachment?, under lock: borrowing StoreLock,
    ) throws -> Released {
        guard let record, record.addresses.contains(address.hostPrefix) else {
            let isReleased = try node.store.takeBack(address, of: key, under: lock)
            return Released(key: key, record: nil, addresses: isReleased ? [address] : [])
        }
        switch try node.store.find(key, under: lock) {
        case .found(let file):
            return Released(key: key, record: record, addresses: try node.store.release(file, under: lock))
        case .none: break
        case .busy: break
        }
        throw CommandFailure(description: "the record of \(key) has changed meanwhile: try again")
    }
}
