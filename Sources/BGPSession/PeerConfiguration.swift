package import BGPWire
package import NetTypes

/// What this speaker wants of one peer.
package struct PeerConfiguration: Sendable, Equatable {
    /// The AS this speaker shows to the peer.
    package var localAS: ASNumber
    /// The AS the peer must show.
    package var peerAS: ASNumber
    /// This speaker's BGP identifier.
    package var bgpID: RouterID
    /// The address to dial from; nil leaves it to the kernel.
    package var localAddress: IPAddress?
    /// The address the peer is dialled at and known by.
    package var peerAddress: IPAddress
    /// The Hold Time to offer, in seconds: 0 (no KEEPALIVEs) or at least 3.
    package var holdTimeSeconds: UInt16 = 90
    /// The longest interval between KEEPALIVEs; nil means a third of the negotiated Hold Time.
    package var keepaliveInterval: Duration?
    /// How long what is sent may wait for the peer to take any of it (RFC 9687); nil means eight minutes or twice the
    /// negotiated Hold Time, whichever is longer, and zero any time at all.
    package var sendHoldTime: Duration?
    /// How long to wait for the peer's OPEN before sending the own one (DelayOpenTime); zero sends it at once.
    package var delayOpenTime: Duration = .zero
    /// Waits for the peer to dial and never dials itself.
    package var isPassive = false
    /// How long to wait before the first dial after `started`.
    package var startDelay: Duration = .zero
    /// How retries and attempts are timed.
    package var timing = SessionTiming()
    /// The families to offer, at least one.
    package var families: [AFISAFI] = [.ipv4Unicast]
    /// Graceful restart; nil offers none.
    package var gracefulRestart: GracefulRestartConfiguration? = GracefulRestartConfiguration()
    /// Whether to offer messages of more than 4096 octets (RFC 8654).
    package var offersExtendedMessages = false
    /// Whether to offer path identifiers in what is sent (RFC 7911).
    package var offersPathIDs = false
    /// Whether to ask the peer for path identifiers, and so for several paths to a prefix.
    package var takesPathIDs = false
    /// Whether to offer IPv6 next hops of IPv4 prefixes (RFC 8950).
    package var offersExtendedNextHop = false
    /// Long-lived graceful restart; of no account without graceful restart.
    package var longLivedRestart = LongLivedRestartConfiguration()
    /// The smallest TTL accepted (RFC 5082); nil turns GTSM off. Data for the shell, which owns the socket.
    package var minimumTTL: UInt8?
    /// Whether the shell sets a TCP-MD5 key (RFC 2385). The key itself never comes here.
    package var usesTCPMD5 = false

    /// Describes a peer; everything else has a default.
    package init(
        localAS: ASNumber, peerAS: ASNumber, bgpID: RouterID, localAddress: IPAddress? = nil, peerAddress: IPAddress
    ) {
        self.localAS = localAS
        self.peerAS = peerAS
        self.bgpID = bgpID
        self.localAddress = localAddress
        self.peerAddress = peerAddress
        startDelay = Self.startDelay(local: localAddress, peer: peerAddress)
    }

    /// Whether the peer is in this speaker's own AS.
    package var isIBGP: Bool { localAS == peerAS }

    /// The wait before the first dial: a second for the lower address, none for the higher one, so that two nodes that
    /// start together seldom collide.
    package static func startDelay(local: IPAddress?, peer: IPAddress) -> Duration {
        guard let local, local < peer else { return .zero }
        return .seconds(1)
    }
}

/// The times of a session that are not negotiated.
package struct SessionTiming: Sendable, Equatable {
    /// The wait after the first failure; it doubles with each one that follows.
    package var retryMinimum: Duration = .seconds(1)
    /// The longest wait between attempts.
    package var retryMaximum: Duration = .seconds(30)
    /// How long a dial may take.
    package var connectTimeout: Duration = .seconds(10)
    /// How long an OPEN may take (RFC 4271 §8.2.2 suggests four minutes).
    package var openTimeout: Duration = .seconds(240)
    /// How long a session that failed for the second time stays in Idle; that doubles with each failure that follows.
    package var idleHoldMinimum: Duration = .seconds(1)
    /// The longest stay in Idle; zero for none at all.
    package var idleHoldMaximum: Duration = .seconds(60)
    /// For each time that a session was up for so long, half of the failures before it are forgotten.
    package var idleHoldHalfLife: Duration = .seconds(60)
    /// For so long after a session came up a further connection is a collision; later it is a restarted peer's.
    package var collisionWindow: Duration = .seconds(5)
    /// How long a peer that came back may take to its End-of-RIB.
    package var endOfRIBLimit: Duration = .seconds(120)
    /// Where the jitter (0.75 to 1, RFC 4271 §10) starts; equal seeds give equal sessions.
    package var jitterSeed: UInt64 = 0

    /// The defaults.
    package init() {}
}

/// What this speaker says about its own restarts (RFC 4724, 8538).
package struct GracefulRestartConfiguration: Sendable, Equatable {
    /// How long the peer shall keep this speaker's routes, in seconds: at most 4095.
    package var restartTimeSeconds: UInt16 = 120
    /// Whether this process took over from one that ended (the R bit), until `restartCompleted`.
    package var isRestarting = false
    /// Whether the kernel kept the routes meanwhile (the F bits). Once a session was up they are always kept.
    package var isForwardingPreserved = false
    /// Whether routes also outlive NOTIFICATIONs and hold timers (the N bit, RFC 8538).
    package var coversNotifications = true

    /// The defaults: not restarting.
    package init() {}
}

/// What this speaker says about restarts that take long, and what it does for peers that ask (RFC 9494).
package struct LongLivedRestartConfiguration: Sendable, Equatable {
    /// How long beyond the restart time the peer shall keep this speaker's routes, in seconds; 0 asks for nothing.
    package var staleTimeSeconds: UInt32 = 0
    /// Whether the peer's routes are kept as long as it asks.
    package var keepsRoutes = false

    /// The defaults: no route stays beyond the restart time.
    package init() {}
}
