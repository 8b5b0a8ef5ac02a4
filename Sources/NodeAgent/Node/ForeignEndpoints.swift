import IPAMCore
import NetTypes
import NodeLink
import NodeStore
import Resources

/// The pods whose addresses another IPAM plugin has given, from outside of this node's blocks: each address is announced
/// by itself. The store is the truth; messages say when to look.
struct ForeignEndpoints: Sendable {
    private var addresses: [AttachmentKey: [IPPrefix]] = [:]

    /// Those that the store knows of when the daemon starts.
    init(_ attachments: [Attachment], blocks: [IPPrefix]) {
        for attachment in attachments where attachment.state != .deleting {
            note(attachment.key, attachment.addresses, blocks: blocks)
        }
    }

    /// Whether there is none.
    var isEmpty: Bool { addresses.isEmpty }

    /// A pod has come.
    ///
    /// - Returns: whether it has an address outside of the blocks.
    @discardableResult
    mutating func note(_ key: AttachmentKey, _ addresses: [IPPrefix], blocks: [IPPrefix]) -> Bool {
        let outside = addresses.filter { address in !blocks.contains { $0.contains(address) } }
        self.addresses[key] = outside.isEmpty ? nil : outside
        return !outside.isEmpty
    }

    /// A pod has gone, or its ADD has failed.
    ///
    /// - Returns: whether it was one of these.
    mutating func forget(_ key: AttachmentKey) -> Bool { addresses.removeValue(forKey: key) != nil }

    /// Forgets those whose record is gone: a DEL without a daemon has told nobody.
    mutating func prune(_ isRecorded: (AttachmentKey) -> Bool) {
        addresses = addresses.filter { isRecorded($0.key) }
    }

    /// What is to be announced for them: the addresses in an enabled pool that may leave the node. Blocks may have come
    /// since, and what lies in one is announced with it.
    func announced(pools: [IPPool], blocks: [IPPrefix]) -> [IPPrefix] {
        addresses.values.joined().filter { address in
            !blocks.contains { $0.contains(address) }
                && pools.contains { $0.cidr.contains(address) && !$0.isDisabled && !$0.disableBGPExport }
        }.sorted()
    }

    /// Why an address cannot be a pod's of this node; nil if it can.
    static func objection(
        to addresses: [IPPrefix], node: String, affinities: [BlockAffinity],
    ) -> String? {
        for address in addresses {
            if let other = affinities.first(where: { $0.node != node && $0.cidr.contains(address) }) {
                return "\(address) is in the block \(other.cidr) of node \(other.node)"
            }
        }
        return nil
    }
}

extension Endpoint {
    /// Whose link it is.
    var key: AttachmentKey { AttachmentKey(network: network, containerID: containerID, ifName: ifName) }
}
