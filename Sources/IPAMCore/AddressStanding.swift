package import NetTypes

/// What an address is to this node.
package enum AddressStanding: Sendable, Hashable {
    /// A pod has it, or a record says so: the key, its record if there is one, the block that gave it.
    case held(AttachmentKey, Attachment?, block: IPPrefix?)
    /// Nobody has it; whether its block gives new addresses.
    case free(block: IPPrefix, isClosed: Bool)
    /// It is kept from pods, and why.
    case reserved(block: IPPrefix, String)
    /// It is in a pool, and in none of this node's blocks.
    case elsewhere(pool: String)
    /// No pool holds it.
    case outside

    /// Looks an address up. What a block says counts before what a record says.
    package init(_ address: IPAddress, node: NodeState, blocks: [Block], attachments: [Attachment]) {
        let inside = blocks.filter { $0.cidr.contains(address) }
        for block in inside {
            guard let key = block.owner(of: address) else { continue }
            self = .held(key, attachments.first { $0.key == key }, block: block.cidr)
            return
        }
        let naming = attachments.filter { $0.addresses.contains(address.hostPrefix) }
        if let attachment = naming.first(where: { $0.state == .complete }) ?? naming.first {
            self = .held(attachment.key, attachment, block: inside.first?.cidr)
            return
        }
        let owned = node.block(containing: address)
        guard let cidr = owned?.cidr ?? inside.first?.cidr else {
            let pool = node.pools.first { $0.cidr.contains(address) }
            self = pool.map { .elsewhere(pool: $0.name) } ?? .outside
            return
        }
        if let reason = Self.reason(for: address, in: cidr, inside.first { $0.cidr == cidr }, node.withheld) {
            self = .reserved(block: cidr, reason)
        } else {
            self = .free(block: cidr, isClosed: owned?.isClosed ?? true)
        }
    }

    private static func reason(
        for address: IPAddress, in cidr: IPPrefix, _ block: Block?, _ withheld: WithheldAddresses,
    ) -> String? {
        if address == cidr.address, !cidr.isHost { return "the address of the node's tunnel device" }
        if let ordinal = cidr.ordinal(of: address).flatMap({ UInt32(exactly: $0) }),
            block?.reserved.contains(ordinal) ?? false
        {
            return address == Block.gateway(of: cidr) ? "the gateway that apus-ipam gives" : "kept from pods"
        }
        if withheld.nodes.contains(address) { return "the address of a node" }
        return withheld.keeps(address) ? "held back by an IPReservation" : nil
    }
}
