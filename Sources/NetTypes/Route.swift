/// A route of the kernel's main table, as `Netlink` writes and reads it (rtnetlink(7), RTM_NEWROUTE).
package struct Route: Sendable, Hashable {
    /// What the kernel does with a packet that matches (`RTN_*` in linux/rtnetlink.h).
    package enum Kind: Sendable, Hashable {
        case unicast
        case blackhole
        /// A kind that Apus never makes; the number is the kernel's.
        case other(UInt8)
    }

    /// How far the destination is (`RT_SCOPE_*`): `universe` behind a gateway, `link` on the wire itself.
    package enum Scope: UInt8, Sendable, Hashable {
        case universe = 0
        case site = 200
        case link = 253
        case host = 254
        case nowhere = 255
    }

    /// One way to the destination.
    package struct Hop: Sendable, Hashable {
        /// The link's index; 0 when the route has none (a blackhole).
        package var linkIndex: UInt32
        /// The gateway, of either family (RFC 8950 routes carry the other one).
        package var gateway: IPAddress?
        /// RTNH_F_ONLINK: the gateway counts as reachable on the link whatever the addresses say.
        package var isOnLink: Bool

        /// Makes a hop.
        package init(linkIndex: UInt32, gateway: IPAddress? = nil, isOnLink: Bool = false) {
            self.linkIndex = linkIndex
            self.gateway = gateway
            self.isOnLink = isOnLink
        }
    }

    /// Where to.
    package var destination: IPPrefix
    /// What happens to the packet.
    package var kind: Kind
    /// The ways; more than one is ECMP, none is a blackhole.
    package var hops: [Hop]
    /// How far.
    package var scope: Scope
    /// The metric; 0 is the kernel's default (which prints 1024 for IPv6).
    package var metric: UInt32
    /// Who made it (`RTPROT_*`): Apus' own number is 97.
    package var protocolNumber: UInt8
    /// The source address preferred for the host's own packets.
    package var preferredSource: IPAddress?

    /// Makes a route.
    package init(
        to destination: IPPrefix, kind: Kind = .unicast, hops: [Hop] = [], scope: Scope = .universe,
        metric: UInt32 = 0, protocolNumber: UInt8, preferredSource: IPAddress? = nil,
    ) {
        self.destination = destination
        self.kind = kind
        self.hops = hops
        self.scope = scope
        self.metric = metric
        self.protocolNumber = protocolNumber
        self.preferredSource = preferredSource
    }

    /// What the kernel takes a metric of 0 for in IPv6 (IP6_RT_PRIO_USER).
    package static let defaultIPv6Metric: UInt32 = 1024

    /// The metric by which the kernel chooses among the routes of one destination.
    package var effectiveMetric: UInt32 {
        metric == 0 && destination.family == .ipv6 ? Self.defaultIPv6Metric : metric
    }
}

extension Route: CustomStringConvertible {
    /// What `ip route` calls the kinds that Apus never makes.
    private static let kindNames: [UInt8: String] = [
        2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 7: "unreachable", 8: "prohibit", 9: "throw",
    ]

    /// The route in the words of `ip route`, with link indices for names.
    package var description: String { text { _ in nil } }

    /// The route in the words of `ip route`, with the links' names where they are known.
    package func text(linkName: (UInt32) -> String?) -> String {
        var words: [String] = []
        switch kind {
        case .unicast: break
        case .blackhole: words.append("blackhole")
        case .other(let number): words.append(Self.kindNames[number] ?? "type \(number)")
        }
        words.append(destination.description)
        for hop in hops {
            if let gateway = hop.gateway { words.append("via \(gateway)") }
            words.append("dev \(linkName(hop.linkIndex) ?? "if\(hop.linkIndex)")")
            if hop.isOnLink { words.append("onlink") }
        }
        if scope == .link { words.append("scope link") }
        words.append("proto \(protocolNumber)")
        if metric != 0 { words.append("metric \(metric)") }
        return words.joined(separator: " ")
    }
}

/// An entry of the ARP or NDP table (RTM_NEWNEIGH).
package struct Neighbour: Sendable, Hashable, CustomStringConvertible {
    /// The link's index.
    package var linkIndex: UInt32
    /// The neighbour's address on that link.
    package var address: IPAddress
    /// The link-layer address behind it.
    package var macAddress: MACAddress
    /// Whether the entry is NUD_PERMANENT: never asked for, never aged.
    package var isPermanent: Bool
    /// Who made it (NDA_PROTOCOL); 0 is nobody in particular.
    package var protocolNumber: UInt8

    /// Makes a permanent neighbour.
    package init(
        linkIndex: UInt32, address: IPAddress, macAddress: MACAddress, isPermanent: Bool = true,
        protocolNumber: UInt8 = 0,
    ) {
        self.linkIndex = linkIndex
        self.address = address
        self.macAddress = macAddress
        self.isPermanent = isPermanent
        self.protocolNumber = protocolNumber
    }

    /// The entry in the words of `ip neigh`.
    package var description: String {
        "\(address) dev if\(linkIndex) lladdr \(macAddress)\(isPermanent ? " PERMANENT" : "")"
    }
}
