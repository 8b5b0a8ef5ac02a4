package import NetTypes

/// What the kernel must hold so that this node reaches one remote block.
///
/// Neighbours and forwarding database come before the route: a route whose tunnel neighbour is not there yet loses
/// packets.
package struct Forwarding: Sendable, Hashable, CustomStringConvertible {
    /// The route to the block.
    package var route: Route
    /// The permanent neighbours that the route's gateway needs; none for plain routes.
    package var neighbours: [Neighbour]
    /// The entries of a VXLAN's forwarding database that the neighbours need.
    package var fdb: [FDBEntry]

    /// Makes a forwarding.
    package init(route: Route, neighbours: [Neighbour] = [], fdb: [FDBEntry] = []) {
        self.route = route
        self.neighbours = neighbours
        self.fdb = fdb
    }

    /// The route, then the neighbours, then the forwarding database.
    package var description: String {
        ([route.description] + neighbours.map(\.description) + fdb.map(\.description)).joined(separator: "; ")
    }
}

/// A mode plugin's answer to "how does this node reach that block?".
package enum ForwardingAnswer: Sendable, Hashable {
    /// Program this.
    case ready(Forwarding)
    /// Nothing can be programmed now, and why, in a word and in a sentence. Whoever asked keeps what is programmed and
    /// asks again when links, addresses or routes have changed; "not yet" never deletes anything.
    case notYet(RouteObstacle, reason: String)
}

/// What a node tells the others about a block of its own.
package enum Announcement: Sendable, Hashable {
    /// Announce the block with this next hop.
    case nextHop(IPAddress)
    /// Do not announce it, and why.
    case withheld(reason: String)
}

/// What the CNI plugin tells the daemon about an endpoint's mode.
package struct EndpointHandOff: Sendable, Hashable {
    /// The `mode` of the `endpointAdd` message.
    package var mode: EncapsulationMode
    /// The bytes that the mode takes from the host's MTU.
    package var overheadBytes: UInt32

    /// Makes the message's content.
    package init(mode: EncapsulationMode, overheadBytes: UInt32) {
        self.mode = mode
        self.overheadBytes = overheadBytes
    }
}
