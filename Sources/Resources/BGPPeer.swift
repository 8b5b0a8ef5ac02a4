package import NetTypes

/// A session beside the mesh (`kind: BGPPeer`).
package struct BGPPeer: Sendable, Hashable {
    /// The nodes that have the session.
    package enum Scope: Sendable, Hashable {
        /// Every node: neither `node` nor `nodeSelector` is set.
        case global
        /// One node.
        case node(String)
        /// The nodes with matching labels.
        case nodeSelector(Selector)
    }

    /// The other end.
    package enum Remote: Sendable, Hashable {
        /// One router, its port (nil: 179) and its AS.
        case address(IPAddress, port: UInt16?, asNumber: ASNumber)
        /// The nodes with matching labels, at their own addresses. The session is made from both ends, unless
        /// `reversePeering` is Manual.
        case peerSelector(Selector, isReversed: Bool)
    }

    /// The next hop of what is sent (`nextHopMode`).
    package enum NextHopMode: String, Sendable, Hashable, CaseIterable {
        /// Own address towards another AS, unchanged inside the AS.
        case auto = "Auto"
        /// Always the own address.
        case own = "Self"
        /// Always unchanged.
        case keep = "Keep"
    }

    /// metadata.name.
    package var name: String
    /// Who has the session.
    package var scope: Scope
    /// With whom.
    package var remote: Remote
    /// The next hop of what is sent.
    package var nextHopMode: NextHopMode
    /// The interval of KEEPALIVEs; nil: a third of the hold time.
    package var keepaliveTime: Duration?
    /// How long the peer's routes are kept while it restarts; nil: the default, 120 s.
    package var maxRestartTime: Duration?
    /// What concerns the session itself.
    package var session = SessionOptions()

    /// Makes a peer.
    package init(
        name: String, scope: Scope, remote: Remote, nextHopMode: NextHopMode = .auto,
        keepaliveTime: Duration? = nil, maxRestartTime: Duration? = nil,
    ) {
        self.name = name
        self.scope = scope
        self.remote = remote
        self.nextHopMode = nextHopMode
        self.keepaliveTime = keepaliveTime
        self.maxRestartTime = maxRestartTime
    }
}
