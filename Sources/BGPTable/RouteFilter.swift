package import BGPWire
package import NetTypes

/// What Calico's BGPFilters say of the routes of one peer in one direction: for each family the rules of all its filters,
/// one after the other. The first rule that matches decides; a route that none matches goes the usual way.
package struct RouteFilter: Sendable, Hashable {
    /// The rules for IPv4 prefixes.
    package var ipv4: [Rule]
    /// The rules for IPv6 prefixes.
    package var ipv6: [Rule]

    /// Joins the rules of both families.
    package init(ipv4: [Rule] = [], ipv6: [Rule] = []) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// The rules of a family.
    func rules(_ family: AddressFamily) -> [Rule] {
        switch family {
        case .ipv4: ipv4
        case .ipv6: ipv6
        }
    }

    /// One rule: what it matches, all of it at once, and what is done then. What is nil or empty matches everything.
    package struct Rule: Sendable, Hashable {
        /// How the prefix compares with a network.
        package var network: NetworkMatch?
        /// Whether only routes learned from peers match.
        package var isRemoteOnly = false
        /// A pattern for the name of the link that packets leave by: `*` stands for any run of characters.
        package var link: String?
        /// Whether only internal, or only external, peers match.
        package var peerKind: PeerRole.Kind?
        /// A community that the route has.
        package var community: AnyCommunity?
        /// What the AS_PATH begins with.
        package var asPathPrefix: [ASNumber] = []
        /// The priority of the route, as the kernel's metric counts: `RoutePriority`.
        package var priority: UInt32?
        /// What is done.
        package var action: Action

        /// Makes a rule that matches everything.
        package init(_ action: Action) {
            self.action = action
        }
    }

    /// How a prefix compares with a network.
    package struct NetworkMatch: Sendable, Hashable {
        /// The comparison.
        package enum Comparison: Sendable, Hashable {
            case equal, notEqual, inside, notInside
        }

        /// The network.
        package var network: IPPrefix
        /// The comparison.
        package var comparison: Comparison
        /// The lengths that a prefix must have, in bits.
        package var lengths: ClosedRange<UInt8>

        /// Makes a comparison; without lengths any will do.
        package init(_ comparison: Comparison, _ network: IPPrefix, lengths: ClosedRange<UInt8>? = nil) {
            self.network = network
            self.comparison = comparison
            self.lengths = lengths ?? 0...network.family.bitWidth
        }
    }

    /// What a rule does with a route that it matches.
    package enum Action: Sendable, Hashable {
        /// The route does not pass.
        case reject
        /// The route passes, changed by the operations in their order.
        case accept([Operation])
    }

    /// A change of a route that is accepted.
    package enum Operation: Sendable, Hashable {
        /// The community is added, unless it is there.
        case addCommunity(AnyCommunity)
        /// The AS_PATH begins with these ASes, in this order.
        case prependASPath([ASNumber])
        /// The route gets this priority.
        case setPriority(UInt32)
    }

    /// A community of either kind that filters speak of.
    package enum AnyCommunity: Sendable, Hashable {
        /// Of four octets (RFC 1997).
        case standard(Community)
        /// Of twelve octets (RFC 8092).
        case large(LargeCommunity)
    }
}

/// The priority of a route as Calico counts it, a kernel metric, and LOCAL_PREF, which carries it inside an AS: the lower
/// the one, the higher the other.
package enum RoutePriority {
    /// The priority of this node's own routes (FelixConfiguration's ipv4NormalRoutePriority).
    package static let ownRoutes: UInt32 = 1024
    private static let sum: UInt32 = 2_147_483_647

    /// The LOCAL_PREF that says a priority; a greater one than Calico knows says 0.
    package static func localPref(of priority: UInt32) -> UInt32 { sum - min(priority, sum) }

    /// The priority that a LOCAL_PREF says.
    package static func priority(of localPref: UInt32) -> UInt32 { sum - min(localPref, sum) }
}
