package import NetTypes

/// Plain routes: `10.244.1.0/26 via 192.168.1.2 dev eth0 proto 97`, no device, no overhead.
///
/// The wire must carry pod addresses as they are, so the next hop has to be on a link of this node, or reachable
/// through a router that knows the pods' blocks itself.
package struct BGPMode: ModePlugin {
    /// Makes the plugin.
    package init() {}

    package var mode: EncapsulationMode { .bgp }

    package func device(for family: AddressFamily) -> TunnelDevice? { nil }

    package func overheadBytes(over family: AddressFamily) -> UInt32 { 0 }

    /// A node without an address of the block's family is reached by its other one (RFC 8950).
    package func announcement(of block: IPPrefix, from nodeAddresses: [CIDRAddress]) -> Announcement {
        let own = nodeAddresses.first { $0.address.family == block.family }
        guard let own = own ?? (block.family == .ipv4 ? nodeAddresses.first : nil) else {
            return .withheld(reason: "block \(block) not announced: the node has no \(block.family.rawValue) address")
        }
        return .nextHop(own.address)
    }

    package func forwarding(
        to block: IPPrefix, via remote: RemoteNode, in context: ForwardingContext,
    ) -> ForwardingAnswer {
        switch context.resolve(remote.nextHop) {
        case .hops(let hops):
            .ready(Forwarding(route: Route(to: block, hops: hops, protocolNumber: context.protocolNumber)))
        case .unresolved(let obstacle, let reason):
            .notYet(obstacle, reason: reason)
        }
    }
}
