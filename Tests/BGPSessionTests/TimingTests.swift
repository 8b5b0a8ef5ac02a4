import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("waits and retries")
struct TimingTests {
    /// The wait until the retry timer.
    private func wait(_ driver: Driver) throws -> Duration {
        try #require(driver.timers[.connectRetry]).deadline - driver.now
    }

    /// The name of the connection that the last event asked for.
    private func dialled(_ driver: Driver) throws -> ConnectionID {
        let ids = driver.effects.compactMap { effect -> ConnectionID? in
            if case .connect(let id) = effect { id } else { nil }
        }
        return try #require(ids.first)
    }

    @Test("the lower address waits a second before its first dial, the higher one does not")
    func startDelay() throws {
        let low = Fixture.address("192.168.1.9")
        let high = Fixture.address("192.168.1.10")
        #expect(PeerConfiguration.startDelay(local: low, peer: high) == .seconds(1))
        #expect(PeerConfiguration.startDelay(local: high, peer: low) == .zero)
        #expect(PeerConfiguration.startDelay(local: nil, peer: low) == .zero)
        var configuration = Fixture.configuration()
        configuration.startDelay = .seconds(1)
        var driver = Driver(configuration)
        driver.handle(.started)
        #expect(driver.state == .active)
        #expect(try wait(driver) == .seconds(1))
        driver.fire(.connectRetry)
        #expect(try dialled(driver) == Fixture.own)
    }

    @Test("waits double from one second to thirty, with jitter of a quarter")
    func doubling() throws {
        var driver = Driver()
        driver.handle(.started)
        var waits: [Duration] = []
        for _ in 0..<8 {
            let id = try dialled(driver)
            driver.handle(.tcpConnectFailed(id, reason: "refused"))
            #expect(driver.state == .active)
            waits.append(try wait(driver))
            driver.fire(.connectRetry)
        }
        for (wait, bound) in zip(waits, [1, 2, 4, 8, 16, 30, 30, 30]) {
            #expect(wait <= .seconds(bound) && wait >= .seconds(bound) * 3 / 4)
        }
        #expect(Set(waits.suffix(3)).count > 1)
    }

    @Test("equal seeds give equal waits, other seeds others")
    func seeds() throws {
        let waits = try ([1, 1, 2] as [UInt64]).map { seed in
            var configuration = Fixture.configuration()
            configuration.timing.jitterSeed = seed
            var driver = Driver(configuration)
            driver.handle(.started)
            driver.handle(.tcpConnectFailed(Fixture.own, reason: "refused"))
            return try wait(driver)
        }
        #expect(waits[0] == waits[1])
        #expect(waits[0] != waits[2])
    }

    @Test("a dial that takes too long is given up for a new one, and its late success is refused")
    func dialTimeout() throws {
        var driver = Driver()
        driver.handle(.started)
        #expect(try wait(driver) == .seconds(10))
        driver.fire(.connectRetry)
        #expect(driver.effects.contains(.close(Fixture.own)))
        #expect(try dialled(driver) == .outgoing(2))
        driver.handle(.tcpConnected(Fixture.own))
        #expect(driver.effects == [.close(Fixture.own)])
        #expect(driver.state == .connect)
    }

    @Test("a lost connection is retried after a second; undamped, a peer that keeps sending errors ever later")
    func backoffAfterLoss() throws {
        var configuration = Fixture.configuration()
        configuration.timing.idleHoldMaximum = .zero
        var driver = Driver(configuration)
        driver.establish()
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        #expect(try wait(driver) <= .seconds(1))
        for round in 1...4 {
            driver.fire(.connectRetry)
            let id = try dialled(driver)
            driver.handle(.tcpConnected(id))
            driver.handle(id, .open(Fixture.open()))
            driver.handle(id, .keepalive)
            driver.handle(id, .notification(NotificationMessage(cease: CeaseSubcode.connectionRejected)))
            #expect(try wait(driver) >= .seconds(1 << round) * 3 / 4)
        }
    }

    @Test("a session that was up for long starts its retries afresh, whatever ended it")
    func freshAfterLong() throws {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnectFailed(Fixture.own, reason: "refused"))
        driver.fire(.connectRetry)
        let id = try dialled(driver)
        driver.handle(.tcpConnected(id))
        driver.handle(id, .open(Fixture.open()))
        driver.handle(id, .keepalive)
        driver.now = driver.now + .seconds(31)
        driver.handle(id, .notification(NotificationMessage(cease: CeaseSubcode.administrativeReset)))
        #expect(try wait(driver) <= .seconds(1))
    }

    @Test("a passive session never dials")
    func passive() {
        var configuration = Fixture.configuration()
        configuration.isPassive = true
        var driver = Driver(configuration)
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(.tcpClosed(Fixture.theirs, reason: "reset"))
        #expect(driver.state == .active)
        #expect(driver.timers.isEmpty)
    }

    @Test("an OPEN may take four minutes, a KEEPALIVE the Hold Time")
    func openTimeout() throws {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.own))
        #expect(driver.timers[.hold(Fixture.own)]?.deadline == driver.now + .seconds(240))
        driver.handle(Fixture.own, .open(Fixture.open(holdTime: 9)))
        #expect(driver.timers[.hold(Fixture.own)]?.deadline == driver.now + .seconds(9))
        driver.fire(.hold(Fixture.own))
        #expect(driver.notification?.code == NotificationCode.holdTimerExpired)
    }

    @Test("every message defers the end of an established session by the Hold Time")
    func holdTimeIsPushed() {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.own))
        driver.handle(Fixture.own, .open(Fixture.open(holdTime: 90)))
        driver.handle(Fixture.own, .keepalive)
        driver.now = driver.now + .seconds(50)
        driver.handle(Fixture.own, .update(Fixture.update))
        #expect(driver.effects == [.deliver(Fixture.update)])
        driver.fire(.hold(Fixture.own))
        #expect(driver.state == .established)
        #expect(driver.timers[.hold(Fixture.own)]?.deadline == driver.now + .seconds(50))
        driver.fire(.hold(Fixture.own))
        #expect(driver.notification == NotificationMessage(code: NotificationCode.holdTimerExpired, subcode: 0))
        #expect(driver.state == .active)
    }

    @Test("a timer that was stopped or set anew counts for nothing when it fires late")
    func lateFire() throws {
        var driver = Driver()
        driver.handle(.started)
        let dialTimer = try #require(driver.timers[.connectRetry])
        driver.handle(.tcpConnected(Fixture.own))
        driver.handle(.timerFired(.connectRetry, token: dialTimer.token))
        #expect(driver.effects.isEmpty)
        let openTimer = try #require(driver.timers[.hold(Fixture.own)])
        driver.handle(Fixture.own, .open(Fixture.open()))
        driver.handle(.timerFired(.hold(Fixture.own), token: openTimer.token))
        #expect(driver.effects.isEmpty)
        #expect(driver.state == .openConfirm)
    }
}
