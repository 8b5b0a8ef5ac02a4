import BGPTable
import BGPWire
import NetTypes
import Resources

/// A block of this node, as the others are told of it.
struct BlockAnnouncement: Sendable, Hashable {
    /// The block.
    var block: IPPrefix
    /// Where its packets are to go.
    var nextHop: IPAddress
    /// The tunnel that its packets are to come in; nil for plain routes.
    var tunnel: TunnelEndpoint?

    /// What is told of the block besides.
    var attributes: PathAttributes {
        var attributes = PathAttributes()
        if let tunnel { attributes.setTunnelEndpoint(tunnel) }
        return attributes
    }
}

/// All that the BGP speaker is told: who it is, with whom it speaks, what it originates and what it lets in.
struct SpeakerConfiguration: Sendable, Equatable {
    /// The own AS.
    var localAS: ASNumber
    /// The own BGP identifier.
    var routerID: RouterID
    /// The cluster that the node reflects for, if it is a reflector (RFC 4456 §7).
    var clusterID: RouterID?
    /// The node's own addresses, each with the network it stands in where that is known.
    var localAddresses: [Node.Address]
    /// The port that the speaker listens on.
    var listenPort: UInt16
    /// Whether it listens at every address that the node has, not at each of `localAddresses` alone.
    var listensEverywhere = false
    /// Whether what is learned goes into the kernel.
    var programsRoutes = true
    /// The sessions to have.
    var peers: [NodeView.Peer]
    /// The networks inside which a prefix is let in.
    var pools: [IPPrefix]
    /// Those of them that are not passed on to others.
    var unexportedPools: [IPPrefix] = []
    /// Those of them whose packets leave by a tunnel.
    var tunnels: [ImportPolicy.PoolLink] = []
    /// The communities for what is originated.
    var prefixAdvertisements: [PrefixAdvertisement] = []
    /// The addresses of all nodes: no prefix that covers one is let in.
    var nodeAddresses: Set<IPAddress>
    /// The ASes of all nodes.
    var nodeASNumbers: Set<ASNumber> = []
    /// Whether the node is about to go: others are to prefer any other way (RFC 8326).
    var isDrained = false
    /// The blocks to originate, each with the next hop that its pool's mode tells the others.
    var announcements: [BlockAnnouncement]

    /// Changes some of the announcements.
    ///
    /// - Returns: whether there was anything to change.
    mutating func change(announcing new: [BlockAnnouncement], withdrawing old: [IPPrefix]) -> Bool {
        let before = announcements.count
        let gone = Set(old).union(new.map(\.block))
        announcements.removeAll { gone.contains($0.block) }
        announcements += new
        return before != announcements.count || !new.isEmpty
    }

    /// The ASes that this node shows to some peers instead of its own. One that belongs to another peer is left out: every
    /// route of that peer has passed it, without having been here.
    var shownASNumbers: Set<ASNumber> {
        let shown = Set(peers.compactMap(\.session.localASNumber))
        guard !shown.isEmpty else { return [] }
        let external = peers.filter { $0.asNumber != $0.session.localASNumber ?? localAS }
        return shown.subtracting(external.map(\.asNumber))
    }

    /// Where peers are accepted; the unspecified address of a family stands for all of it.
    var acceptingAddresses: Set<IPAddress> {
        guard listensEverywhere else { return Set(localAddresses.map(\.address)) }
        let families = localAddresses.map(\.address.family) + peers.map(\.address.family)
        return Set(families.map { $0 == .ipv4 ? .v4(IPv4Address(rawValue: 0)) : .v6(IPv6Address(high: 0, low: 0)) })
    }

    /// The own next hop for each family of prefixes.
    func nextHops() -> [AddressFamily: IPAddress] {
        Dictionary(localAddresses.map { ($0.address.family, $0.address) }, uniquingKeysWith: { first, _ in first })
    }
}

extension SpeakerConfiguration {
    /// What a node's view of the cluster means for its speaker; nil when the node has no BGP identifier to speak with.
    init?(view: NodeView, announcements: [BlockAnnouncement]) {
        guard let routerID = Self.routerID(of: view.node) else { return nil }
        localAS = view.asNumber
        self.routerID = routerID
        clusterID = view.node.routeReflectorClusterID
        localAddresses = view.node.addresses
        listenPort = view.listenPort
        listensEverywhere = view.listensEverywhere
        programsRoutes = view.programsRoutes
        peers = view.peers
        pools = view.pools.map(\.cidr)
        unexportedPools = view.pools.filter(\.disableBGPExport).map(\.cidr)
        tunnels = view.pools.compactMap { Self.tunnel(of: $0, at: view.node) }
        prefixAdvertisements = view.prefixAdvertisements
        nodeAddresses = Set(view.nodes.flatMap { $0.addresses.map(\.address) })
        nodeASNumbers = view.nodeASNumbers
        self.announcements = announcements
    }

    /// The node's IPv4 address; of a node without one a number that follows from its name, as with CALICO_ROUTER_ID=hash.
    static func routerID(of node: Node) -> RouterID? {
        if case .v4(let address)? = node.ipv4?.address { return RouterID(address) }
        guard node.ipv6 != nil else { return nil }
        return RouterID(rawValue: SHA1.digest(node.name.utf8).prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// The device that packets to a pool leave by; nil for a pool without a tunnel.
    private static func tunnel(of pool: IPPool, at node: Node) -> ImportPolicy.PoolLink? {
        let isIPIP = pool.ipipMode != .never
        guard isIPIP || pool.vxlanMode != .never else { return nil }
        let device = isIPIP ? "tunl0" : pool.cidr.family == .ipv4 ? "vxlan.calico" : "vxlan-v6.calico"
        let crossesSubnets = pool.ipipMode == .crossSubnet || pool.vxlanMode == .crossSubnet
        var link = ImportPolicy.PoolLink(pool: pool.cidr, tunnel: device)
        if crossesSubnets, let address = node.address(pool.cidr.family), let length = address.length {
            link.directSubnet = IPPrefix(masking: address.address, length: length)
        }
        return link
    }
}

extension SpeakerConfiguration {
    /// Whether the session with a peer, whose own settings are as they were, need not end because of what this node says
    /// about itself. Own next hops are not part of a session: where they are others the peer is told so.
    func hasSameSession(as other: SpeakerConfiguration, with peer: NodeView.Peer) -> Bool {
        let family = peer.address.family
        return routerID == other.routerID && families == other.families
            && (peer.session.localASNumber != nil || localAS == other.localAS)
            // The kernel has picked the address that the session comes from: that may be one that is gone.
            && (peer.localAddress != nil || nextHops()[family] == other.nextHops()[family])
    }

    /// What of a peer's role in the table follows from this node.
    func roleTemplate(for peer: NodeView.Peer) -> PeerRoleTemplate {
        PeerRoleTemplate(localAS: peer.session.localASNumber ?? localAS, localNextHops: nextHops())
    }

    /// The families that are offered: those of the pools, IPv4 at least.
    var families: [AFISAFI] {
        pools.contains { $0.family == .ipv6 } ? [.ipv4Unicast, .ipv6Unicast] : [.ipv4Unicast]
    }
}

extension LocalRoute {
    /// What is announced of a block. On a node that is drained it is the last choice of everybody (RFC 8326 §3): outside
    /// of the AS by the community, inside by LOCAL_PREF as well.
    init(_ announcement: BlockAnnouncement, in configuration: SpeakerConfiguration?) {
        var attributes = announcement.attributes
        attributes.addCommunities(for: announcement.block, configuration?.prefixAdvertisements ?? [])
        if configuration?.isDrained ?? false {
            if !attributes.communities.contains(.gracefulShutdown) { attributes.communities.append(.gracefulShutdown) }
            attributes.localPref = 0
        }
        self.init(prefix: announcement.block, nextHop: NextHop(announcement.nextHop), attributes: attributes)
    }
}
