package import IPAMCore
import NetTypes

/// Holds the blocks' records, the attachments and the kernel's links against each other.
///
/// It is a pure comparison of what was read: a call that was at work meanwhile shows up as a finding about its key, and
/// whoever has read tells by the locks which those are.
package struct StoreAudit: Sendable {
    /// All that was found, in the order of addresses and keys.
    package private(set) var findings: [AuditFinding] = []

    private let blocks: [Block]
    private let attachments: [AttachmentKey: Attachment]
    private let ends: ObservedEnds
    private let isSettled: Bool

    /// Compares.
    ///
    /// - Parameters:
    ///   - busy: the keys that a call is at work on: nothing is said of them.
    ///   - isSettled: whether the store knows of every pod; if not, the next ADD enters them.
    package init(
        blocks: [Block], attachments: [Attachment], ends: [ObservedEnd], busy: Set<AttachmentKey> = [],
        isSettled: Bool = true,
    ) {
        self.blocks = blocks
        self.attachments = Dictionary(attachments.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        self.ends = ObservedEnds(ends)
        self.isSettled = isSettled
        let twice = checkHolders()
        checkBlocks(but: twice)
        for attachment in attachments.sorted(by: { $0.key < $1.key }) { check(attachment, but: twice) }
        checkEnds()
        findings.removeAll { !$0.keys.isDisjoint(with: busy) }
    }

    /// Addresses that two have. What an ADD that was killed names is not its own, unless the block says so.
    private mutating func checkHolders() -> Set<IPAddress> {
        var owners: [IPAddress: AttachmentKey] = [:]
        var holders: [IPAddress: Set<AttachmentKey>] = [:]
        for block in blocks {
            for (ordinal, key) in block.allocated {
                guard let address = block.cidr.address(at: UInt64(ordinal)) else { continue }
                owners[address] = key
                holders[address, default: []].insert(key)
            }
        }
        for attachment in attachments.values where attachment.state == .complete {
            for prefix in attachment.addresses { holders[prefix.address, default: []].insert(attachment.key) }
        }
        let twice = holders.filter { $0.value.count > 1 }
        for (address, keys) in twice.sorted(by: { $0.key < $1.key }) {
            let owner = owners[address].map { "; its block says \($0)'s" } ?? ""
            let names = keys.sorted().map(\.description).joined(separator: " and ")
            findings.append(
                AuditFinding(
                    .heldTwice, "\(address) is held by \(keys.count): \(names)\(owner)",
                    remedy: "DEL and ADD for all of them but one: each is given another address", keys: keys,
                    addresses: [address]))
        }
        return Set(twice.keys)
    }

    private mutating func checkBlocks(but twice: Set<IPAddress>) {
        for block in blocks.sorted(by: { $0.cidr < $1.cidr }) {
            for (ordinal, key) in block.allocated.sorted(by: { $0.key < $1.key }) {
                guard let address = block.cidr.address(at: UInt64(ordinal)), !twice.contains(address) else { continue }
                guard let attachment = attachments[key] else {
                    // A link of the key is the greater matter, and named with its addresses.
                    guard ends.end(markedBy: key) == nil else { continue }
                    add(
                        .leaked, "\(address) is allocated to \(key), of which there is no record",
                        "apusctl ipam release --force \(address), or \(Self.collection(of: key))", key, [address])
                    continue
                }
                if !attachment.addresses.contains(address.hostPrefix) {
                    add(
                        .unnamed, "\(address) is allocated to \(key), whose record does not name it",
                        "apusctl ipam release \(address)", key, [address])
                }
            }
        }
    }

    private mutating func check(_ attachment: Attachment, but twice: Set<IPAddress>) {
        let end = ends.end(of: attachment)
        guard attachment.state == .complete else { return checkAbandoned(attachment, end) }
        for address in attachment.addresses.map(\.address) where !twice.contains(address) {
            // Of blocks that share addresses, after a change of their size, one knows.
            let inside = blocks.filter { $0.cidr.contains(address) }
            guard let block = inside.first, !inside.contains(where: { $0.owner(of: address) == attachment.key }) else {
                continue
            }
            add(
                .unallocated,
                "\(address) is \(attachment.key)'s, and \(block.cidr) allocates it to nobody: another pod may be given it",
                "move the block's record away (blocks/\(Block.fileName(of: block.cidr)) of the run directory): "
                    + "the next ADD makes it again of the attachments",
                attachment.key, [address])
        }
        // Without a name the link is another plugin's, and its own to look after.
        if !attachment.hostLink.isEmpty { checkLink(of: attachment, end) }
    }

    private mutating func checkAbandoned(_ attachment: Attachment, _ end: ObservedEnd?) {
        let key = attachment.key
        let verb = attachment.state == .pending ? "ADD" : "DEL"
        let held = attachment.addresses.map(\.address)
        let names = held.map(\.description).joined(separator: ", ")
        var remedy = Self.collection(of: key)
        // What it names may have been given to another since.
        if end == nil, let own = held.first(where: { blocks.owners(of: $0).contains(key) }) {
            // Without a name the link would be another plugin's.
            let force = attachment.hostLink.isEmpty ? "--force " : ""
            remedy = "apusctl ipam release \(force)\(own), or \(remedy)"
        }
        let link = end.map { ", with the link \($0.name)" } ?? ""
        add(
            .abandoned,
            "\(key): \(held.isEmpty ? "" : "\(names): ")its \(verb) was killed and nobody has gone on with it\(link)",
            remedy, key, held)
    }

    private mutating func checkLink(of attachment: Attachment, _ end: ObservedEnd?) {
        let key = attachment.key
        let held = attachment.addresses.map(\.address)
        let names = held.map(\.description).joined(separator: ", ")
        guard let end else {
            let remedy = Self.collection(of: key)
            return add(
                .linkGone, "\(names) is leaked: the link \(attachment.hostLink) of \(key) is gone, and no DEL has come",
                held.first { !blocks.giveToOthers($0, than: key) }
                    .map { "apusctl ipam release \($0), or \(remedy)" } ?? remedy, key, held)
        }
        guard end.key == key else {
            return add(
                .aliasChanged, "the link \(end.name) of \(key) does not bear its alias any more: a DEL leaves it alone",
                LinkAlias(key).map { "ip link set \(end.name) alias \($0)" } ?? Self.collection(of: key), key, held)
        }
        guard end.isUp else {
            return add(
                .linkDown, "the link \(end.name) of \(key) is down, so that nothing leads to \(names)",
                "ip link set \(end.name) up; apusd puts back the routes that it took along", key, held)
        }
        for prefix in attachment.addresses where !end.addresses.contains(prefix) {
            add(
                .routeMissing, "there is no route to \(prefix.address) of \(key) over its link \(end.name)",
                "apusd puts it back within a second while it runs (ip route get \(prefix.address))", key,
                [prefix.address])
        }
        for address in held where !end.neighbours.contains(address) {
            add(
                .neighbourMissing, "\(address) of \(key) is no permanent neighbour on its link \(end.name)",
                "apusd puts it back within a second while it runs (ip neigh show dev \(end.name))", key, [address])
        }
        checkRoutes(of: end, recorded: attachment.addresses)
    }

    private mutating func checkRoutes(of end: ObservedEnd, recorded: [IPPrefix]) {
        for prefix in end.addresses where !recorded.contains(prefix) {
            let owner = end.key.map { "the record of \($0) does not name it" } ?? "the link is no pod's"
            add(
                .strayRoute, "the route to \(prefix) leads over \(end.name), and \(owner)",
                "ip route del \(prefix) dev \(end.name)", end.key, [prefix.address])
        }
    }

    private mutating func checkEnds() {
        let recorded = Set(attachments.values.compactMap { ends.end(of: $0)?.index })
        for end in ends.all {
            guard let key = end.key else {
                if !recorded.contains(end.index) { checkRoutes(of: end, recorded: []) }
                continue
            }
            let held = end.addresses.map(\.address)
            guard let attachment = attachments[key] else {
                let names = held.isEmpty ? "" : ", with \(held.map(\.description).joined(separator: ", "))"
                add(
                    .linkUnrecorded, "there is no record of \(key), and its link \(end.name) is there\(names)",
                    isSettled
                        ? Self.collection(of: key)
                        : "the store was emptied: apusd, or the next ADD, enters the pod again", key, held)
                continue
            }
            if let own = ends.end(of: attachment), own.index != end.index {
                add(
                    .linkTwice, "the link \(end.name) says that it is of \(key), which has \(own.name)",
                    "ip link del \(end.name)", key, held)
            }
        }
    }

    private mutating func add(
        _ kind: AuditFinding.Kind, _ problem: String, _ remedy: String, _ key: AttachmentKey?, _ addresses: [IPAddress],
    ) {
        findings.append(
            AuditFinding(kind, problem, remedy: remedy, keys: Set([key].compactMap(\.self)), addresses: addresses))
    }

    /// Who removes what is left of a key.
    private static func collection(of key: AttachmentKey) -> String {
        "a DEL of the container, or GC of the network \(key.network)"
    }
}
