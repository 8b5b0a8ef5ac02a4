package import BGPWire
package import NetTypes

/// What an established session with a peer means to the table: who the peer is and how routes go to and from it.
///
/// The shell makes it of the peer's configuration and of what the session negotiated.
package struct PeerRole: Sendable, Hashable {
    /// Whether the peer is in the local AS.
    package enum Kind: Sendable, Hashable {
        case iBGP
        case eBGP
    }

    /// Which next hop a route has when it is sent to this peer (RFC 4271 §5.1.3).
    package enum NextHopMode: Sendable, Hashable {
        /// Towards eBGP the own address; towards iBGP the own address for own routes and the learned one for others.
        case automatic
        /// Always the own address, for reflected routes too.
        case ownAddress
        /// The learned one whenever there is one.
        case unchanged
    }

    /// iBGP or eBGP.
    package var kind: Kind
    /// Whether this node is the peer's route reflector (RFC 4456).
    package var isReflectorClient: Bool
    /// The AS this node shows to the peer.
    package var localAS: ASNumber
    /// The peer's AS.
    package var peerAS: ASNumber
    /// The peer's BGP identifier, of its OPEN.
    package var bgpID: RouterID
    /// The peer's address.
    package var peerAddress: IPAddress
    /// The own next hop for each family; a family without one gets no route whose next hop would be this node.
    package var localNextHops: [AddressFamily: NextHop]
    /// The negotiated families.
    package var families: Set<AddressFamily>
    /// Which next hop goes out.
    package var nextHopMode: NextHopMode
    /// Whether the tunnel encapsulation attribute (RFC 9012) is taken from this peer and sent to it. RFC 9012 §11
    /// keeps it inside one administration: on by default for iBGP, off for eBGP.
    package var carriesTunnelEncapsulation: Bool
    /// What is let in and how it is changed, before the node's policy is asked.
    package var importFilter = RouteFilter()
    /// What is sent and how it is changed, before the node's policy is asked.
    package var exportFilter = RouteFilter()
    /// How often the own AS may stand in the AS_PATH of a route from the peer.
    package var allowedOwnAS = 0
    /// The most prefixes that the peer may send; nil for any number.
    package var maximumPrefixes: Int?
    /// The most paths to a prefix that the peer is sent, where path identifiers have been agreed on (RFC 7911).
    package var maximumPathsSent = Int.max
    /// Whether the peer knows routes that are kept long beyond their session (RFC 9494): nobody else is told of them.
    package var takesLongLivedRoutes = false
    /// How the messages of the session are coded: peers whose bytes differ are told apart.
    package var wireContext: WireContext

    /// Makes a role; whether it is iBGP follows from the two AS numbers.
    package init(
        localAS: ASNumber, peerAS: ASNumber, bgpID: RouterID, peerAddress: IPAddress,
        localNextHops: [AddressFamily: NextHop], families: Set<AddressFamily> = [.ipv4],
        isReflectorClient: Bool = false, nextHopMode: NextHopMode = .automatic,
        carriesTunnelEncapsulation: Bool? = nil, wireContext: WireContext? = nil,
    ) {
        kind = localAS == peerAS ? .iBGP : .eBGP
        self.isReflectorClient = isReflectorClient && localAS == peerAS
        self.localAS = localAS
        self.peerAS = peerAS
        self.bgpID = bgpID
        self.peerAddress = peerAddress
        self.localNextHops = localNextHops
        self.families = families
        self.nextHopMode = nextHopMode
        self.carriesTunnelEncapsulation = carriesTunnelEncapsulation ?? (localAS == peerAS)
        self.wireContext = wireContext ?? WireContext(isIBGP: localAS == peerAS)
    }

    /// Whether the peer is sent more than the best path to a prefix.
    func isSentSeveralPaths(_ family: AddressFamily) -> Bool {
        maximumPathsSent > 1 && wireContext.pathIDsOut.contains(family)
    }

    /// Whether routes of a family may have the next hop on this session: of the same family, or as RFC 8950 has it.
    func takes(_ nextHop: NextHop, for family: AddressFamily) -> Bool { wireContext.takes(nextHop, for: family) }

    /// The own next hop for routes of a family; a node without an IPv4 address has its IPv6 one for both, where the peer
    /// takes it.
    func localNextHop(for family: AddressFamily) -> NextHop? {
        if let own = localNextHops[family] { return own }
        return family == .ipv4 && wireContext.ipv6NextHopsForIPv4 ? localNextHops[.ipv6] : nil
    }
}

extension WireContext {
    /// Whether a next hop may stand for routes of a family (RFC 8950). An IPv4 address in IPv6's form, which BIRD and FRR
    /// say for IPv6 routes where they have no IPv6 address, is of the other family: no packet goes by it.
    func takes(_ nextHop: NextHop, for family: AddressFamily) -> Bool {
        if case .v6(let address) = nextHop.address, address.isIPv4Mapped { return false }
        return nextHop.address.family == family || family == .ipv4 && ipv6NextHopsForIPv4
    }
}
