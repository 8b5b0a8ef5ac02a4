import IPAMCore
import LinuxOS
import NetTypes
import NodeStore

/// Who has one address, for people and for programs.
struct AddressAccount {
    private let address: IPAddress
    private let standing: AddressStanding
    private let node: NodeState
    /// The node that has the block, where it is not this one's.
    private let owner: String?
    /// The names of the records that cannot be read.
    private let unreadable: Set<String>

    init(
        _ address: IPAddress, _ standing: AddressStanding, node: NodeState, owner: String?,
        unreadable: Set<String> = [],
    ) {
        self.address = address
        self.standing = standing
        self.node = node
        self.owner = owner
        self.unreadable = unreadable
    }

    /// Looks the address up in the records.
    init(_ address: IPAddress, _ node: NodeState, _ records: StoreRecords, owner: String?) {
        let standing = AddressStanding(
            address, node: node, blocks: records.blocks, attachments: records.attachments)
        self.init(
            address, standing, node: node, owner: owner, unreadable: Set(records.unreadable.compactMap(\.fileName)))
    }

    /// In words.
    ///
    /// - Parameter now: the time of day, in seconds since 1970.
    func text(now: Int64) -> String {
        switch standing {
        case .held(let key, let record, let block):
            let block = block.map(Self.blockName(node)) ?? "none of this node"
            let names = [("Network", key.network), ("Container", key.containerID), ("Interface", key.ifName)]
            let rows = names + details(record, of: key, now: now) + [("Block", block)]
            return "\(address) is in use.\n" + rows.map { "  \($0.0): \(TextTable.escaped($0.1))\n" }.joined()
        case .free(let block, let isClosed):
            let note = isClosed ? "; the block is closed for new pods" : ""
            return "\(address) is free. It is in the block \(Self.blockName(node)(block))\(note).\n"
        case .reserved(let block, let reason):
            return "\(address) is reserved: \(reason). It is in the block \(Self.blockName(node)(block)).\n"
        case .elsewhere(let pool):
            guard let owner, !owner.isEmpty, owner != node.node else {
                return "\(address) is in the pool \(pool), and in no block of \(node.node).\n"
            }
            return "\(address) is in the pool \(pool), in a block of \(owner): ask there.\n"
        case .outside: return "\(address) is outside of every pool.\n"
        }
    }

    /// For programs.
    var json: JSONObject {
        var object: JSONObject = ["address": .string(address.description), "node": .string(node.node)]
        switch standing {
        case .held(let key, let record, let block):
            object["state"] = "allocated"
            object["network"] = .string(key.network)
            object["containerID"] = .string(key.containerID)
            object["ifName"] = .string(key.ifName)
            object["block"] = block.map { .string($0.description) } ?? .null
            guard let record else { break }
            object["pod"] = record.podName.map { .string($0) } ?? .null
            object["record"] = .string(record.state.rawValue)
            object["hostLink"] = .string(record.hostLink)
            object["hostLinkIndex"] = .int(Int64(record.hostLinkIndex))
            object["addresses"] = .array(record.addresses.map { .string($0.description) })
            object["since"] = .int(WallClock.seconds(at: record.createdAt))
        case .free(let block, let isClosed):
            object["state"] = "free"
            object["block"] = .string(block.description)
            object["closed"] = .bool(isClosed)
        case .reserved(let block, let reason):
            object["state"] = "reserved"
            object["block"] = .string(block.description)
            object["reason"] = .string(reason)
        case .elsewhere(let pool):
            object["state"] = "elsewhere"
            object["pool"] = .string(pool)
            object["owner"] = owner.map { .string($0) } ?? .null
        case .outside: object["state"] = "outside"
        }
        return object
    }

    private func details(_ record: Attachment?, of key: AttachmentKey, now: Int64) -> [(String, String)] {
        guard let record else {
            let isThere = unreadable.contains(key.fileName)
            // Whether a link is there still the records do not tell.
            let state = isThere ? "it cannot be read" : "none: it is leaked, or its pod has lost it"
            return [("Record", "\(state) (apusctl ipam check)")]
        }
        let state =
            switch record.state {
            case .complete: "complete"
            case .pending: "an ADD is at work, or was killed"
            case .deleting: "a DEL is at work, or was killed"
            }
        let link = record.hostLink.isEmpty ? "another plugin's" : "\(record.hostLink), index \(record.hostLinkIndex)"
        return (record.podName.map { [("Pod", $0)] } ?? []) + [
            ("Host link", link), ("Addresses", record.addresses.map(\.address.description).joined(separator: ", ")),
            ("State", state), ("Since", SinceTime.text(WallClock.seconds(at: record.createdAt), now: now)),
        ]
    }

    private static func blockName(_ node: NodeState) -> (IPPrefix) -> String {
        { cidr in
            let pool = node.blocks.first { $0.cidr == cidr }?.pool
            return pool.map { "\(cidr) of the pool \($0)" } ?? "\(cidr), which is not this node's any more"
        }
    }
}
