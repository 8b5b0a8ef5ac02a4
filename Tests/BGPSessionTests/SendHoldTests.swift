import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("a peer that takes nothing (RFC 9687)")
struct SendHoldTests {
    @Test(
        "it has eight minutes or twice the Hold Time, unless configured",
        arguments: [
            (nil, 90, 480), (nil, 600, 1200), (.seconds(5), 90, 5), (nil, 0, 480), (.zero, 90, nil),
        ] as [(Duration?, UInt16, Int?)])
    func limit(configured: Duration?, holdTime: UInt16, seconds: Int?) {
        var configuration = Fixture.configuration()
        configuration.sendHoldTime = configured
        configuration.holdTimeSeconds = max(holdTime, 3)
        var driver = Driver(configuration)
        driver.establish(Fixture.open(holdTime: holdTime))
        driver.handle(.sendBlocked(Fixture.own))
        let deadline = driver.timers[.sendHold(Fixture.own)]?.deadline
        #expect(deadline.map { $0 - driver.now } == seconds.map { Duration.seconds($0) })
    }

    @Test("the session ends with its NOTIFICATION though the peer still sends")
    func expiry() {
        var driver = Driver()
        driver.establish()
        driver.handle(.sendBlocked(Fixture.own))
        driver.handle(Fixture.own, .keepalive)
        driver.fire(.sendHold(Fixture.own))
        #expect(driver.notification == NotificationMessage(code: NotificationCode.sendHoldTimerExpired, subcode: 0))
        #expect(driver.effects.contains(.close(Fixture.own)))
        #expect(driver.loss?.reason.contains("took nothing") == true)
        #expect(driver.session.status.counters.sendHoldsExpired == 1)
    }

    @Test("what it takes gives it its time anew, and when all is taken nothing is awaited")
    func progress() throws {
        var driver = Driver()
        driver.establish()
        driver.handle(.sendBlocked(Fixture.own))
        let first = try #require(driver.timers[.sendHold(Fixture.own)])
        driver.now = driver.now + .seconds(100)
        driver.handle(.sendBlocked(Fixture.own))
        #expect(driver.timers[.sendHold(Fixture.own)] == first)
        driver.handle(.sendResumed(Fixture.own))
        #expect(driver.timers[.sendHold(Fixture.own)] == nil)
        driver.handle(.sendBlocked(Fixture.own))
        #expect(driver.timers[.sendHold(Fixture.own)]?.deadline == driver.now + .seconds(480))
        driver.handle(.timerFired(first.kind, token: first.token))
        #expect(driver.state == .established)
    }
}

@Suite("an OPEN that is delayed")
struct DelayOpenTests {
    private var driver: Driver {
        var configuration = Fixture.configuration()
        configuration.delayOpenTime = .seconds(5)
        var driver = Driver(configuration)
        driver.handle(.started)
        return driver
    }

    @Test("it goes out when the time is over, and the state is Connect or Active before, OpenSent after")
    func own() {
        var driver = driver
        driver.handle(.tcpConnected(Fixture.own))
        #expect(driver.state == .connect && driver.sent(on: Fixture.own).isEmpty)
        driver.fire(.delayOpen(Fixture.own))
        #expect(driver.state == .openSent && driver.sent(on: Fixture.own).count == 1)
        var other = self.driver
        other.handle(.tcpConnectFailed(Fixture.own, reason: "refused"))
        other.handle(.tcpConnected(Fixture.theirs))
        #expect(other.state == .active)
    }

    @Test("the peer's OPEN ends the delay: the own OPEN goes out with the KEEPALIVE")
    func theirs() {
        var driver = driver
        driver.handle(.tcpConnected(Fixture.own))
        driver.handle(Fixture.own, .open(Fixture.open()))
        let sent = driver.sent(on: Fixture.own)
        #expect(sent.count == 2 && sent.last == .keepalive)
        if case .open? = sent.first {} else { Issue.record("no OPEN before the KEEPALIVE") }
        #expect(driver.state == .openConfirm && driver.timers[.delayOpen(Fixture.own)] == nil)
        driver.handle(Fixture.own, .keepalive)
        #expect(driver.state == .established)
    }

    @Test("before the own OPEN no NOTIFICATION is sent (RFC 4271 §8.1.1, SendNOTIFICATIONwithoutOPEN)")
    func silence() {
        var driver = driver
        driver.handle(.tcpConnected(Fixture.own))
        driver.handle(.stopped(.deconfigured))
        #expect(driver.notification == nil && driver.effects.contains(.close(Fixture.own)))
        #expect(driver.timers.isEmpty)
        driver = self.driver
        driver.handle(.tcpConnected(Fixture.own))
        driver.handle(Fixture.own, .open(Fixture.open(asNumber: 64513)))
        #expect(driver.notification == nil && driver.state == .active)
    }

    @Test("a peer that restarted is recognised by its OPEN though the own one is delayed")
    func restart() {
        var driver = driver
        driver.handle(.tcpConnected(Fixture.own))
        driver.fire(.delayOpen(Fixture.own))
        driver.handle(Fixture.own, .open(Fixture.open()))
        driver.handle(Fixture.own, .keepalive)
        driver.now = driver.now + .seconds(10)
        driver.handle(.tcpConnected(Fixture.theirs))
        #expect(driver.sent(on: Fixture.theirs).isEmpty)
        driver.handle(Fixture.theirs, .open(Fixture.open()))
        #expect(driver.loss != nil && driver.sent(on: Fixture.theirs).count == 2 && driver.state == .openConfirm)
    }
}
