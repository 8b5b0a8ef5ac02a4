package import NetTypes

/// One way to carry packets between nodes. A plugin is a pure value: it answers questions, others act on the answers.
///
/// `apus` asks for the overhead and the hand-off, `apusd` for the device, the announcement and the forwarding. Adding a
/// mode is adding one file with one conforming type and one row in `ModeRegistry.builtIn`.
package protocol ModePlugin: Sendable {
    /// The mode that the plugin implements.
    var mode: EncapsulationMode { get }

    /// The tunnel device that must exist before any forwarding; nil when there is none.
    var device: TunnelDevice? { get }

    /// The bytes that encapsulation takes from the host's MTU when the outer packet is of `family`.
    func overheadBytes(over family: AddressFamily) -> UInt32

    /// What this node, which has `nodeAddresses`, tells the others about its own block.
    func announcement(of block: IPPrefix, from nodeAddresses: [CIDRAddress]) -> Announcement

    /// How this node reaches the remote `block` whose BGP next hop is `nextHop`.
    func forwarding(to block: IPPrefix, via nextHop: IPAddress, in context: ForwardingContext) -> ForwardingAnswer
}

extension ModePlugin {
    /// What `apus` tells the daemon about an endpoint in a pool of this mode, on a node whose underlay is `family`.
    package func handOff(over family: AddressFamily = .ipv4) -> EndpointHandOff {
        EndpointHandOff(mode: mode, overheadBytes: overheadBytes(over: family))
    }
}

/// The route that keeps a packet for a free address of an own block on the node: `blackhole BLOCK proto 97`.
///
/// It is the same in every mode. nil for a /32 or /128 block: there the blackhole would be the pod's own prefix.
package func blackholeRoute(for ownBlock: IPPrefix, protocolNumber: UInt8 = 97) -> Route? {
    guard !ownBlock.isHost else { return nil }
    return Route(to: ownBlock, kind: .blackhole, protocolNumber: protocolNumber)
}
