package import BGPWire
package import NetTypes

/// A route this node originates.
package struct LocalRoute: Sendable, Hashable {
    /// The network.
    package var prefix: IPPrefix
    /// The next hop told to iBGP peers; nil for the own address on each session.
    package var nextHop: NextHop?
    /// ORIGIN, communities and whatever else is told with the route. AS_PATH is usually empty.
    package var attributes: PathAttributes
    /// Whether the network is this node's alone, so that the same prefix from somebody else is a conflict. A service
    /// address that many nodes announce is not.
    package var isExclusive: Bool

    /// Makes a route.
    package init(
        prefix: IPPrefix, nextHop: NextHop? = nil, attributes: PathAttributes, isExclusive: Bool = true,
    ) {
        self.prefix = prefix
        self.nextHop = nextHop
        self.attributes = attributes
        self.isExclusive = isExclusive
    }
}

/// A network of this node that somebody else announces too, whole, in part, or in a larger one.
package struct OwnBlockConflict: Sendable, Hashable, CustomStringConvertible {
    /// The network.
    package let prefix: IPPrefix
    /// What the other announces.
    package let announced: IPPrefix
    /// Who sent it.
    package let peer: PeerID
    /// Who it comes from: ORIGINATOR_ID if a reflector sent it, else the peer's own identifier.
    package let originator: RouterID
    /// Whether it is certainly somebody else; if not it may be this node, by way of routers that changed the path.
    package let isProven: Bool

    /// Makes the value; the other announces the network itself unless something else is said.
    package init(
        prefix: IPPrefix, announced: IPPrefix? = nil, peer: PeerID, originator: RouterID, isProven: Bool = true,
    ) {
        self.prefix = prefix
        self.announced = announced ?? prefix
        self.peer = peer
        self.originator = originator
        self.isProven = isProven
    }

    /// The conflict in words.
    package var description: String {
        let what = announced == prefix ? "\(prefix) is also announced" : "\(prefix) overlaps \(announced), announced"
        return "\(what) by \(originator), learned from \(peer)"
    }
}
