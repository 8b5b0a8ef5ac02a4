import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("whatever happens in whatever order")
struct RandomEventTests {
    /// What the shell would know of a session: its connections, and whether it is up.
    private struct Ledger {
        var live: Set<ConnectionID> = []
        var dials: Set<ConnectionID> = []
        var isUp = false
        var problems: [String] = []

        mutating func note(_ event: SessionEvent) {
            switch event {
            case .tcpConnected(let id):
                live.insert(id)
                dials.remove(id)
            case .tcpConnectFailed(let id, _): dials.remove(id)
            case .tcpClosed(let id, _):
                live.remove(id)
                dials.remove(id)
            case .started, .stopped, .messageReceived, .decodeFailed, .timerFired, .restartCompleted: break
            case .failureDetected, .sendBlocked, .sendResumed, .reachabilityRestored: break
            }
        }

        mutating func note(_ effect: SessionEffect) {
            switch effect {
            case .connect(let id):
                if !dials.isEmpty { problems.append("two dials at once") }
                dials.insert(id)
            case .close(let id):
                live.remove(id)
                dials.remove(id)
            case .send(let id, _):
                if !live.contains(id) { problems.append("sent on \(id), which is no more") }
            case .startTimer(let timer):
                switch timer.kind {
                case .hold(let id), .keepalive(let id), .sendHold(let id), .delayOpen(let id):
                    if !live.contains(id) { problems.append("timer of \(id), which is no more") }
                case .connectRetry, .staleRoutes, .idleHold: break
                }
            case .establish(let negotiated):
                if isUp { problems.append("up twice") }
                if !live.contains(negotiated.connection) { problems.append("up on no connection") }
                isUp = true
            case .sessionLost:
                if !isUp { problems.append("lost without being up") }
                isUp = false
            case .deliver, .deliverRefresh:
                if !isUp { problems.append("routes without a session") }
            case .stopTimer, .sweepStale, .keepStaleLong, .changedState: break
            }
        }
    }

    @Test("the shell is never asked for what cannot be", arguments: 0..<20)
    func invariants(batch: Int) {
        var establishments: UInt64 = 0
        for seed in 0..<250 {
            let dice = Dice(seed: UInt64(batch * 1000 + seed))
            var configuration = Fixture.configuration()
            configuration.delayOpenTime = .seconds(Int(dice.next(below: 2)))
            configuration.timing.idleHoldMaximum = .seconds(Int(dice.next(below: 2) * 60))
            var driver = Driver(configuration)
            var ledger = Ledger()
            var incoming: UInt64 = 0
            for _ in 0..<80 {
                let event = event(dice, driver, ledger, &incoming)
                ledger.note(event)
                if case .timerFired(let kind, _) = event { driver.fire(kind) } else { driver.handle(event) }
                for effect in driver.effects { ledger.note(effect) }
                if (driver.state == .established) != ledger.isUp { ledger.problems.append("state and effects differ") }
                if ledger.live.count > 2 { ledger.problems.append("three connections") }
                if driver.state == .idle, !ledger.live.isEmpty { ledger.problems.append("idle with connections") }
                if !ledger.problems.isEmpty { break }
            }
            #expect(ledger.problems.isEmpty, "seed \(batch * 1000 + seed)")
            establishments += driver.session.status.counters.established
        }
        // The events are drawn so that sessions come up, and not only errors.
        #expect(establishments > 50)
    }

    /// An event that a shell could report now.
    private func event(
        _ dice: Dice, _ driver: Driver, _ ledger: Ledger, _ incoming: inout UInt64
    ) -> SessionEvent {
        let live = ledger.live.sorted { $0.description < $1.description }
        let some = live.isEmpty ? nil : live[Int(dice.next(below: UInt64(live.count)))]
        switch dice.next(below: 27) {
        case 24: return .sendBlocked(some ?? .incoming(999))
        case 25: return .sendResumed(some ?? .incoming(999))
        case 26: return .reachabilityRestored
        case 0...2: return .started
        case 3: return .stopped(dice.next(below: 2) == 0 ? .reset(message: "") : .shutdown(message: ""))
        case 4:
            let lastHeard = MonotonicTime(nanoseconds: dice.next(below: 2) == 0 ? .max : 0)
            return dice.next(below: 2) == 0
                ? .restartCompleted : .failureDetected("BFD", isForwardingLost: true, lastHeard: lastHeard)
        case 5, 6:
            incoming += 1
            return .tcpConnected(.incoming(incoming))
        case 7, 8:
            guard let dial = ledger.dials.first else { return .started }
            return dice.next(below: 3) == 0 ? .tcpConnectFailed(dial, reason: "refused") : .tcpConnected(dial)
        case 9:
            return .tcpClosed(some ?? .incoming(999), reason: "reset")
        case 10, 11:
            let kinds = driver.timers.values.sorted { $0.token < $1.token }.map(\.kind)
            guard !kinds.isEmpty else { return .started }
            return .timerFired(kinds[Int(dice.next(below: UInt64(kinds.count)))], token: 0)
        default:
            return .messageReceived(some ?? .incoming(999), message(dice))
        }
    }

    private func message(_ dice: Dice) -> BGPMessage {
        switch dice.next(below: 16) {
        case 0: .notification(NotificationMessage(cease: UInt8(dice.next(below: 11))))
        case 1: .update(Fixture.update)
        case 2: .update(.endOfRIB(.ipv4Unicast))
        case 3: .routeRefresh(RouteRefreshMessage(family: .ipv4Unicast))
        case 4: .open(Fixture.open(asNumber: 64513))
        case 5: .open(Fixture.open(bgpID: "10.0.0.1"))
        case 6...9: .open(Fixture.open(restart: Fixture.restart(coversNotifications: dice.next(below: 2) == 0)))
        default: .keepalive
        }
    }
}
