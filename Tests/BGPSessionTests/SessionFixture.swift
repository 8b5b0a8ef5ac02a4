import BGPSession
import BGPWire
import NetTypes

/// The parts from which the tests make sessions: this side is AS 64512, 192.168.1.1; the peer 192.168.1.2.
enum Fixture {
    static let own: ConnectionID = .outgoing(1)
    static let theirs: ConnectionID = .incoming(1)

    static func address(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("\(text) is no address") }
        return address
    }

    static func routerID(_ text: String) -> RouterID {
        guard let id = RouterID(text) else { preconditionFailure("\(text) is no BGP identifier") }
        return id
    }

    /// The session of the node `192.168.1.<host>` with `192.168.1.<peer>`.
    static func configuration(host: Int = 1, peer: Int = 2) -> PeerConfiguration {
        var configuration = PeerConfiguration(
            localAS: ASNumber(64512), peerAS: ASNumber(64512), bgpID: routerID("192.168.1.\(host)"),
            localAddress: address("192.168.1.\(host)"), peerAddress: address("192.168.1.\(peer)"))
        configuration.startDelay = .zero
        return configuration
    }

    /// An OPEN of the peer.
    static func open(
        asNumber: UInt32 = 64512, bgpID: String = "192.168.1.2", holdTime: UInt16 = 90,
        families: [AFISAFI] = [.ipv4Unicast], restart: GracefulRestart? = restart(), others: [Capability] = []
    ) -> OpenMessage {
        var capabilities: [Capability] = families.map { .multiprotocol($0) }
        capabilities.append(.fourOctetAS(ASNumber(asNumber)))
        capabilities.append(.routeRefresh)
        if let restart { capabilities.append(.gracefulRestart(restart)) }
        return OpenMessage(
            asNumber: ASNumber(asNumber), holdTime: holdTime, bgpID: routerID(bgpID),
            capabilities: capabilities + others)
    }

    /// A graceful restart capability of the peer.
    static func restart(
        families: [AFISAFI] = [.ipv4Unicast], isForwardingPreserved: Bool = true, isRestarting: Bool = false,
        coversNotifications: Bool = false
    ) -> GracefulRestart {
        GracefulRestart(
            isRestarting: isRestarting, notification: coversNotifications, restartTime: 120,
            families: families.map { GracefulRestart.Family($0, forwardingPreserved: isForwardingPreserved) })
    }

    static let update = UpdateMessage(
        unreachable: [.init(family: .ipv4Unicast, prefixes: [address("10.244.1.0").hostPrefix])])
}

/// A session and the moment it is at, so that a test reads as a list of events.
struct Driver {
    var session: PeerSession
    var now = MonotonicTime(nanoseconds: 0)
    /// What the last event led to.
    var effects: [SessionEffect] = []
    /// The timers that run.
    var timers: [TimerKind: SessionTimer] = [:]

    init(_ configuration: PeerConfiguration = Fixture.configuration(), keeping kept: KeptRoutes? = nil) {
        session = PeerSession(configuration: configuration, keeping: kept)
    }

    var state: SessionStateName { session.status.state }

    /// The messages that the last event sent on a connection.
    func sent(on id: ConnectionID) -> [BGPMessage] {
        effects.compactMap { if case .send(id, let message) = $0 { message } else { nil } }
    }

    /// The NOTIFICATION that the last event sent.
    var notification: NotificationMessage? {
        for case .send(_, .notification(let notification)) in effects { return notification }
        return nil
    }

    /// The loss that the last event reported.
    var loss: SessionLoss? {
        for case .sessionLost(let loss) in effects { return loss }
        return nil
    }

    /// The agreement that the last event reached.
    var negotiated: Negotiated? {
        for case .establish(let negotiated) in effects { return negotiated }
        return nil
    }

    mutating func handle(_ event: SessionEvent) {
        effects = session.handle(event, at: now)
        for effect in effects {
            switch effect {
            case .startTimer(let timer): timers[timer.kind] = timer
            case .stopTimer(let kind): timers[kind] = nil
            default: break
            }
        }
    }

    mutating func handle(_ id: ConnectionID, _ message: BGPMessage) {
        handle(.messageReceived(id, message))
    }

    /// Lets a timer run out, at its deadline or, if it has none, under a token that counts for nothing.
    mutating func fire(_ kind: TimerKind) {
        guard let timer = timers.removeValue(forKey: kind) else {
            handle(.timerFired(kind, token: .max))
            return
        }
        now = max(now, timer.deadline)
        handle(.timerFired(kind, token: timer.token))
    }

    /// The connection that the last event asked for.
    var dialled: ConnectionID? {
        for case .connect(let id) in effects { return id }
        return nil
    }

    /// Lets a connection that was asked for come up and end with an error of the peer's. The session is established first
    /// if it is to have been up for a while.
    mutating func fail(on id: ConnectionID, afterUp uptime: Duration? = nil) {
        handle(.tcpConnected(id))
        if let uptime {
            handle(id, .open(Fixture.open()))
            handle(id, .keepalive)
            now = now + uptime
        }
        handle(.decodeFailed(id, BGPError(NotificationCode.messageHeader, HeaderSubcode.badMessageLength, "garbage")))
    }

    /// Fails twice, and so comes to be kept in Idle.
    mutating func hold() {
        handle(.started)
        fail(on: Fixture.own)
        fire(.connectRetry)
        fail(on: .outgoing(2))
    }

    /// Goes to Established on the own connection, and past the collision window.
    mutating func establish(_ open: OpenMessage = Fixture.open()) {
        handle(.started)
        handle(.tcpConnected(Fixture.own))
        handle(Fixture.own, .open(open))
        handle(Fixture.own, .keepalive)
        now = now + .seconds(10)
    }
}
