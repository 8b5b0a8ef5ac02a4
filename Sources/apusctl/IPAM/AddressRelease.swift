import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeStore

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

    private let address: IPAddress
    private let node: NodeKernel
    private let isForced: Bool
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
        let records = try node.store.records()
        let naming = records.attachments.filter { $0.addresses.contains(address.hostPrefix) }.map(\.key)
        let owners = Set(records.blocks.compactMap { $0.owner(of: address) } + naming)
        guard !owners.isEmpty else {
            let account = AddressAccount(address, node.state, records, owner: nil)
            throw CommandFailure(description: account.text(now: SinceTime.now()) + "Nothing was released.")
        }
        let ends = ObservedEnds(try node.ends())
        var dead: [(AttachmentKey, Attachment?)] = []
        for key in owners.sorted() {
            if try node.store.isBusy(key, under: lock) {
                refusals.append("a call is at work on \(key): try again when it has ended")
                continue
            }
            let record = try node.store.attachment(key)
            if isDead(key, record, ends) { dead.append((key, record)) }
        }
        guard !dead.isEmpty else { throw refused() }
        // Whoever lives and has it, too, keeps its connections, and the kernel shows it with them.
        let freed = Set(dead.flatMap { [address] + Self.named(address, by: $0.1) })
            .filter { $0 != address || refusals.isEmpty }.sorted()
        for address in freed { try checkUnused(address) }
        forgetConnections(of: freed)
        var released: [Released] = []
        for (key, record) in dead { released.append(try release(key, record, under: lock)) }
        return released
    }

    /// The addresses that go with the record; none when it stays.
    private static func named(_ address: IPAddress, by record: Attachment?) -> [IPAddress] {
        guard let record, record.addresses.contains(address.hostPrefix) else { return [] }
        return record.addresses.map(\.address)
    }

    private mutating func isDead(_ key: AttachmentKey, _ record: Attachment?, _ ends: ObservedEnds) -> Bool {
        for each in Set([address] + Self.named(address, by: record)).sorted() {
            switch HolderLife(of: key, with: each, record: record, ends: ends) {
            case .gone: break
            case .alive(let reason):
                refusals.append("\(each) is \(key)'s, and \(reason): delete the pod (DEL)")
                return false
            case .unknown(let reason):
                if let holder = VisibleNamespaces.holder(of: each) {
                    refusals.append("\(each) is \(key)'s, and the link \(holder.linkIndex) of \(holder.path) has it")
                    return false
                }
                // A pod that has lost its record and has no link either: the namespaces were looked at.
                guard record != nil, !isForced else { continue }
                refusals.append(
                    "\(each) is \(key)'s, and \(reason): no namespace of this machine shows it; --force releases it")
                return false
            }
        }
        return true
    }

    /// - Throws: when the kernel takes packets for the address somewhere else than to nowhere.
    private mutating func checkUnused(_ address: IPAddress) throws {
        let lookUp = try node.lookUp(address)
        let isOwn = node.state.block(containing: address) != nil
        // Beyond the node's blocks the network of a link, or a router, answers for all there is.
        guard lookUp.kind == .local || isOwn && lookUp.kind == .unicast && lookUp.gateway == nil else { return }
        let link = node.links[lookUp.linkIndex]?.name ?? "link \(lookUp.linkIndex)"
        refusals.append("a route leads to \(address) over \(link) (ip route get \(address))")
        throw refused()
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
