import IPAMCore
import NetTypes
import NodeLink
import NodeStore
import Resources

/// The pods whose addresses another IPAM plugin has given, from outside of this node's blocks: each address is announced
/// by itself. The store is the truth; messages say when to look.
struct ForeignEndpoints: Sendable {
    /// What the coming or going of pods means for the addresses that are held.
    struct Change: Sendable, Equatable {
        /// Held from now on.
        var came: [IPPrefix] = []
        /// Held by nobody any more.
        var went: [IPPrefix] = []

        /// Whether nothing changes.
        var isEmpty: Bool { came.isEmpty && went.isEmpty }
    }

    private var addresses: [AttachmentKey: [IPPrefix]] = [:]
    /// How many pods hold an address: two, while one pod goes and another has come with its address already.
    private var holders: [IPPrefix: Int] = [:]

    /// Those that the store knows of when the daemon starts.
    init(_ attachments: [Attachment], blocks: [IPPrefix]) {
        for attachment in attachments where attachment.state != .deleting {
            note(attachment.key, attachment.addresses, blocks: blocks)
        }
    }

    /// Whether there is none.
    var isEmpty: Bool { addresses.isEmpty }

    /// A pod has come, or has other addresses now; those in the blocks do not count.
    ///
    /// - Complexity: O(addresses of the pod × blocks)
    @discardableResult
    mutating func note(_ key: AttachmentKey, _ addresses: [IPPrefix], blocks: [IPPrefix]) -> Change {
        let outside = addresses.filter { address in !blocks.contains { $0.contains(address) } }
        let before = self.addresses.updateValue(outside, forKey: key) ?? []
        if outside.isEmpty { self.addresses[key] = nil }
        return hold(outside, insteadOf: before)
    }

    /// A pod has gone, or its ADD has failed.
    @discardableResult
    mutating func forget(_ key: AttachmentKey) -> Change {
        hold([], insteadOf: addresses.removeValue(forKey: key) ?? [])
    }

    /// Forgets those whose record is gone: a DEL without a daemon has told nobody.
    mutating func prune(_ isRecorded: (AttachmentKey) -> Bool) {
        for key in addresses.keys where !isRecorded(key) { forget(key) }
    }

    /// What is to be announced for them: the addresses in an enabled pool that may leave the node. Blocks may have come
    /// since, and what lies in one is announced with it.
    func announced(pools: [IPPool], blocks: [IPPrefix]) -> [IPPrefix] {
        holders.keys.filter { Self.isAnnounced($0, pools: pools, blocks: blocks) }.sorted()
    }

    /// Whether an address is one to announce by itself.
    static func isAnnounced(_ address: IPPrefix, pools: [IPPool], blocks: [IPPrefix]) -> Bool {
        !blocks.contains { $0.contains(address) }
            && pools.contains { $0.cidr.contains(address) && !$0.isDisabled && !$0.disableBGPExport }
    }

    /// Those that are not announced because every pool that holds them is disabled, by the name of the first.
    func withheld(pools: [IPPool], blocks: [IPPrefix]) -> [String: [IPPrefix]] {
        var withheld: [String: [IPPrefix]] = [:]
        for address in holders.keys where !blocks.contains(where: { $0.contains(address) }) {
            let holding = pools.filter { $0.cidr.contains(address) }
            guard let first = holding.first, holding.allSatisfy(\.isDisabled) else { continue }
            withheld[first.name, default: []].append(address)
        }
        return withheld
    }

    private mutating func hold(_ new: [IPPrefix], insteadOf old: [IPPrefix]) -> Change {
        for address in new { holders[address, default: 0] += 1 }
        for address in old { holders[address, default: 0] -= 1 }
        let went = old.filter { holders[$0] == 0 }
        for address in went { holders[address] = nil }
        return Change(came: new.filter { !old.contains($0) && holders[$0] == 1 }, went: went)
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
