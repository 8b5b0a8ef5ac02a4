package import NetTypes

/// What the kernel must hold so that this node reaches one remote block.
///
/// The neighbours come before the route: a route whose tunnel neighbour is not there yet loses packets.
package struct Forwarding: Sendable, Hashable, CustomStringConvertible {
    /// The route to the block.
    package var route: Route
    /// The permanent neighbours that the route's gateway needs; none for plain routes.
    package var neighbours: [Neighbour]

    /// Makes a forwarding.
    package init(route: Route, neighbours: [Neighbour] = []) {
        self.route = route
        self.neighbours = neighbours
    }

    /// The route, then the neighbours.
    package var description: String {
        ([route.description] + neighbours.map(\.description)).joined(separator: "; ")
    }
}

/// A mode plugin's answer to "how does this node reach that block?".
package enum ForwardingAnswer: Sendable, Hashable {
    /// Program this.
    case ready(Forwarding)
    /// Nothing can be programmed now, and why. Whoever asked keeps what is programmed and asks again when links,
    /// addresses or routes have changed; "not yet" never deletes anything.
    case notYet(reason: String)
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

/// The tunnel device that a mode needs on the node; the modes that need none answer nil.
package struct TunnelDevice: Sendable, Hashable {
    /// The name of the link: `tunl0`, `vxlan.calico`.
    package var name: String

    /// Makes the description of a device.
    package init(name: String) {
        self.name = name
    }
}
