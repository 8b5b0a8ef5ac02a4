import BGPSession
import BGPWire
import NetTypes

/// The states of the table, with the ways in which one RFC state differs by its connections.
enum StateRow: String, CaseIterable, Sendable {
    case idle, held, connect, active, openSent, openSentWhileDialling, openSentTwice, openConfirm, openConfirmTwice
    case established, establishedWatching

    /// A session in that state.
    var driver: Driver {
        var driver = Driver()
        switch self {
        case .idle:
            break
        case .held:
            driver.hold()
        case .connect:
            driver.handle(.started)
        case .active:
            driver.handle(.started)
            driver.handle(.tcpConnectFailed(Fixture.own, reason: "refused"))
        case .openSent:
            driver.handle(.started)
            driver.handle(.tcpConnected(Fixture.own))
        case .openSentWhileDialling:
            driver.handle(.started)
            driver.handle(.tcpConnected(Fixture.theirs))
        case .openSentTwice:
            driver.handle(.started)
            driver.handle(.tcpConnected(Fixture.own))
            driver.handle(.tcpConnected(Fixture.theirs))
        case .openConfirm:
            driver.handle(.started)
            driver.handle(.tcpConnected(Fixture.own))
            driver.handle(Fixture.own, .open(Fixture.open()))
        case .openConfirmTwice:
            driver.handle(.started)
            driver.handle(.tcpConnected(Fixture.own))
            driver.handle(.tcpConnected(Fixture.theirs))
            driver.handle(Fixture.own, .open(Fixture.open()))
        case .established:
            driver.establish()
        case .establishedWatching:
            driver.establish()
            driver.handle(.tcpConnected(Fixture.theirs))
        }
        return driver
    }
}

/// The events of the table. `own` is the connection this side dials, `theirs` the one the peer dials.
enum EventColumn: String, CaseIterable, Sendable {
    case started, shutdown, deconfigured, restarting, restartCompleted, reachabilityRestored
    case ownConnected, theirsConnected, theirsConnectedAgain, ownFailed, ownClosed, theirsClosed
    case ownOpen, ownBadOpen, ownKeepalive, ownUpdate, ownRefresh, ownNotification, ownGarbage
    case theirsOpen, theirsBadOpen, theirsKeepalive, theirsUpdate, theirsRefresh, theirsNotification, theirsGarbage
    case retryTimer, ownHoldTimer, ownKeepaliveTimer, theirsHoldTimer, theirsKeepaliveTimer, staleTimer, lateTimer
    case ownBlocked, ownResumed, ownSendHoldTimer, ownDelayOpenTimer, idleHoldTimer

    /// Gives the event to a session.
    func apply(to driver: inout Driver) {
        let own = Fixture.own
        let theirs = Fixture.theirs
        switch self {
        case .started: driver.handle(.started)
        case .shutdown: driver.handle(.stopped(.shutdown(message: "racks")))
        case .deconfigured: driver.handle(.stopped(.deconfigured))
        case .restarting: driver.handle(.stopped(.restarting))
        case .restartCompleted: driver.handle(.restartCompleted)
        case .reachabilityRestored: driver.handle(.reachabilityRestored)
        case .ownConnected: driver.handle(.tcpConnected(own))
        case .theirsConnected: driver.handle(.tcpConnected(theirs))
        case .theirsConnectedAgain: driver.handle(.tcpConnected(.incoming(2)))
        case .ownFailed: driver.handle(.tcpConnectFailed(own, reason: "refused"))
        case .ownClosed: driver.handle(.tcpClosed(own, reason: "reset"))
        case .theirsClosed: driver.handle(.tcpClosed(theirs, reason: "reset"))
        case .ownHoldTimer: driver.fire(.hold(own))
        case .ownKeepaliveTimer: driver.fire(.keepalive(own))
        case .theirsHoldTimer: driver.fire(.hold(theirs))
        case .theirsKeepaliveTimer: driver.fire(.keepalive(theirs))
        case .ownBlocked: driver.handle(.sendBlocked(own))
        case .ownResumed: driver.handle(.sendResumed(own))
        case .ownSendHoldTimer: driver.fire(.sendHold(own))
        case .ownDelayOpenTimer: driver.fire(.delayOpen(own))
        case .idleHoldTimer: driver.fire(.idleHold)
        case .retryTimer: driver.fire(.connectRetry)
        case .staleTimer: driver.fire(.staleRoutes)
        case .lateTimer: driver.handle(.timerFired(.connectRetry, token: .max))
        default: driver.handle(message)
        }
    }

    /// The event of a message column.
    private var message: SessionEvent {
        let id = rawValue.hasPrefix("own") ? Fixture.own : Fixture.theirs
        let bad = BGPError(NotificationCode.messageHeader, HeaderSubcode.badMessageLength, "garbage")
        switch self {
        case .ownOpen, .theirsOpen: return .messageReceived(id, .open(Fixture.open()))
        case .ownBadOpen, .theirsBadOpen: return .messageReceived(id, .open(Fixture.open(asNumber: 64513)))
        case .ownKeepalive, .theirsKeepalive: return .messageReceived(id, .keepalive)
        case .ownUpdate, .theirsUpdate: return .messageReceived(id, .update(Fixture.update))
        case .ownRefresh, .theirsRefresh:
            return .messageReceived(id, .routeRefresh(RouteRefreshMessage(family: .ipv4Unicast)))
        case .ownNotification, .theirsNotification:
            return .messageReceived(id, .notification(.cease(CeaseSubcode.administrativeReset, because: "")))
        default: return .decodeFailed(id, bad)
        }
    }
}

/// Effects in a few words each, for the table.
enum Notation {
    static func line(_ driver: Driver) -> String {
        let words = driver.effects.compactMap { word($0, at: driver.now) }
        return "\(driver.state)" + (words.isEmpty ? "" : " | " + words.joined(separator: ", "))
    }

    static func word(_ effect: SessionEffect, at now: MonotonicTime) -> String? {
        switch effect {
        case .connect(let id): "connect \(name(id))"
        case .close(let id): "close \(name(id))"
        case .send(let id, let message): "\(name(message)) on \(name(id))"
        case .startTimer(let timer): "+\(name(timer.kind))"
        case .stopTimer(let kind): "-\(name(kind))"
        case .establish: "establish"
        case .deliver: "deliver"
        case .deliverRefresh: "refresh"
        case .sessionLost(let loss): loss.keepsRoutes ? "lost, routes kept" : "lost"
        case .sweepStale: "sweep"
        case .keepStaleLong: "keep long"
        case .changedState: nil
        }
    }

    static func name(_ id: ConnectionID) -> String {
        (id.direction == .outgoing ? "own" : "theirs") + (id.serial == 1 ? "" : String(id.serial))
    }

    static func name(_ kind: TimerKind) -> String {
        switch kind {
        case .connectRetry: "retry"
        case .hold(let id): "hold \(name(id))"
        case .keepalive(let id): "keepalive \(name(id))"
        case .sendHold(let id): "sendHold \(name(id))"
        case .delayOpen(let id): "delayOpen \(name(id))"
        case .idleHold: "idleHold"
        case .staleRoutes: "stale"
        }
    }

    static func name(_ message: BGPMessage) -> String {
        switch message {
        case .open: "OPEN"
        case .update: "UPDATE"
        case .keepalive: "KEEPALIVE"
        case .routeRefresh: "REFRESH"
        case .notification(let notification): "\(notification.code)/\(notification.subcode)"
        }
    }
}
