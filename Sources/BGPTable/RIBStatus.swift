package import BGPWire
package import NetTypes

/// A peer's numbers.
package struct PeerRIBStatus: Sendable, Hashable {
    /// The peer.
    package let id: PeerID
    /// Whether a session is established.
    package let isUp: Bool
    /// Routes in the Adj-RIB-In.
    package let received: Int
    /// Those of them that take no part in the decision.
    package let refused: Int
    /// Those of them that are kept from a lost session.
    package let stale: Int
    /// Prefixes the peer has been told of and not been told to forget; paths, where it is sent several.
    package let advertised: Int
    /// The families whose End-of-RIB has come in this session.
    package let endOfRIBReceived: Set<AddressFamily>
    /// The families whose End-of-RIB has been handed out in this session.
    package let endOfRIBSent: Set<AddressFamily>
}

/// One route of one prefix, as `apusctl` shows it.
package struct RouteView: Sendable, Hashable {
    /// The network.
    package let prefix: IPPrefix
    /// Who sent it; nil for a route of this node.
    package let peer: PeerID?
    /// The next hop; nil for a route of this node that has none of its own.
    package let nextHop: NextHop?
    /// The attributes, as received.
    package let attributes: PathAttributes
    /// The path identifier it came with (RFC 7911); 0 for none.
    package let pathID: UInt32
    /// Whether it is the Loc-RIB's route.
    package let isBest: Bool
    /// Whether it is one of several routes that are as good and used together, the best included.
    package let isWay: Bool
    /// Whether it is kept from a lost session.
    package let isStale: Bool
    /// Why it takes no part in the decision; nil when it does.
    package let ineligibility: Ineligibility?
    /// The step of the decision process at which it lost to the best route; nil for those that are used and for the ineligible.
    package let lostAt: DecisionStep?
}
