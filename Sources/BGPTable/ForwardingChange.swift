package import BGPWire
package import NetTypes

/// How the Loc-RIB says to reach a prefix.
package enum SelectedRoute: Sendable, Hashable {
    /// The prefix is this node's own.
    case local
    /// The prefix is behind another router.
    case learned(LearnedRoute)
}

/// The learned route that won. It is a reference because thousands of prefixes may share it: what is told of them is
/// then a word each, and the thread that programs takes over no attributes but those that it looks at.
package final class LearnedRoute: Sendable, Hashable {
    /// The next hop as received.
    package let nextHop: NextHop
    /// Who sent the route. Not part of the forwarding result: when only this changes, no change is reported.
    package let peer: PeerID
    /// The path attributes, the tunnel encapsulation (RFC 9012) among the unknown ones.
    package let attributes: PathAttributes
    /// Other routes that are as good (multipath), each by another next hop, in the order of these.
    package let others: [LearnedRoute]

    /// Makes the value.
    package init(nextHop: NextHop, peer: PeerID, attributes: PathAttributes, others: [LearnedRoute] = []) {
        self.nextHop = nextHop
        self.peer = peer
        self.attributes = attributes
        self.others = others
    }

    package static func == (left: LearnedRoute, right: LearnedRoute) -> Bool {
        left === right
            || left.nextHop == right.nextHop && left.peer == right.peer && left.attributes == right.attributes
                && left.others == right.others
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(nextHop)
        hasher.combine(peer)
        hasher.combine(attributes)
        hasher.combine(others)
    }
}

/// A prefix whose forwarding differs from what was drained before. Only the next hops, the tunnel encapsulations,
/// and whether the route is local count: a route that comes back with the same forwarding makes no change.
package struct ForwardingChange: Sendable, Hashable {
    /// The network.
    package let prefix: IPPrefix
    /// The route to it; nil when there is none any more.
    package let best: SelectedRoute?

    /// Makes the value.
    package init(prefix: IPPrefix, best: SelectedRoute?) {
        self.prefix = prefix
        self.best = best
    }
}
