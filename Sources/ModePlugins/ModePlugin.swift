package import NetTypes

/// One way to carry packets between nodes. A plugin is a pure value: it answers questions, others act on the answers.
///
/// `apus` asks for the overhead and the hand-off, `apusd` for the device, the announcement and the forwarding. Adding a
/// mode is adding one file with one conforming type and one row in `ModeRegistry.builtIn`.
package protocol ModePlugin: Sendable {
    /// The mode that the plugin implements.
    var mode: EncapsulationMode { get }

    /// The tunnel device that pools of `family` need before any forwarding; nil when they need none.
    func device(for family: AddressFamily) -> TunnelDevice?

    /// The bytes that encapsulation takes from the host's MTU when the outer packet is of `family`.
    func overheadBytes(over family: AddressFamily) -> UInt32

    /// What this node, which has `nodeAddresses`, tells the others about its own block.
    func announcement(of block: IPPrefix, from nodeAddresses: [CIDRAddress]) -> Announcement

    /// How this node reaches a `block` of `remote`.
    func forwarding(to block: IPPrefix, via remote: RemoteNode, in context: ForwardingContext) -> ForwardingAnswer
}

/// The node behind a remote block, as far as a mode needs to know it.
package struct RemoteNode: Sendable, Hashable {
    /// The BGP next hop.
    package var nextHop: IPAddress
    /// Where its tunnel ends, checked; nil when it has told of none: it is not ready to be sent wrapped packets.
    package var endpoint: TunnelEndpoint?

    /// Joins the two.
    package init(_ nextHop: IPAddress, endpoint: TunnelEndpoint? = nil) {
        self.nextHop = nextHop
        self.endpoint = endpoint
    }
}

extension ModePlugin {
    /// The next hop is the node itself in every mode: the tunnels end where the sessions do.
    package func announcement(of block: IPPrefix, from nodeAddresses: [CIDRAddress]) -> Announcement {
        guard let own = nodeAddresses.first(where: { $0.address.family == block.family }) else {
            return .withheld(reason: "block \(block) not announced: the node has no \(block.family.rawValue) address")
        }
        return .nextHop(own.address)
    }

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
