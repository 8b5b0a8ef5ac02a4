import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("graceful restart")
struct GracefulRestartTests {
    private static let bothFamilies: [AFISAFI] = [.ipv4Unicast, .ipv6Unicast]

    private func driver() -> Driver {
        var configuration = Fixture.configuration()
        configuration.families = Self.bothFamilies
        return Driver(configuration)
    }

    /// The families that the last event told the RIB to sweep.
    private func swept(_ driver: Driver) -> [AFISAFI] {
        driver.effects.flatMap { if case .sweepStale(let families, _) = $0 { families } else { [AFISAFI]() } }
    }

    /// A session whose peer was lost, and which has come as far as the peer's new connection in OpenConfirm.
    private func cameBack(with restart: GracefulRestart?) -> Driver {
        var driver = driver()
        driver.establish(
            Fixture.open(families: Self.bothFamilies, restart: Fixture.restart(families: Self.bothFamilies)))
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(Fixture.theirs, .open(Fixture.open(families: Self.bothFamilies, restart: restart)))
        return driver
    }

    /// One way for a session to end.
    struct Ending: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let event: SessionEvent
        /// Whether routes stay without the N bit, and with it.
        let keeps: (without: Bool, with: Bool)
    }

    static let endings: [Ending] = [
        Ending(
            testDescription: "TCP closed", event: .tcpClosed(Fixture.own, reason: "reset"), keeps: (true, true)),
        Ending(
            testDescription: "Cease received",
            event: .messageReceived(
                Fixture.own, .notification(NotificationMessage(cease: CeaseSubcode.outOfResources))),
            keeps: (false, true)),
        Ending(
            testDescription: "Hard Reset received",
            event: .messageReceived(
                Fixture.own, .notification(NotificationMessage(cease: CeaseSubcode.hardReset, data: [6, 2]))),
            keeps: (false, false)),
        Ending(
            testDescription: "error sent",
            event: .decodeFailed(Fixture.own, BGPError(NotificationCode.updateMessage, 1, "bad list")),
            keeps: (false, true)),
        Ending(testDescription: "reset here", event: .stopped(.reset(message: "")), keeps: (false, true)),
        Ending(testDescription: "shut down here", event: .stopped(.shutdown(message: "")), keeps: (false, false)),
        Ending(testDescription: "removed here", event: .stopped(.deconfigured), keeps: (false, false)),
        Ending(testDescription: "too many prefixes", event: .stopped(.tooManyPrefixes), keeps: (false, false)),
    ]

    @Test("which routes stay depends on how the session ended and on the N bit", arguments: endings, [false, true])
    func keeping(ending: Ending, hasNotificationBit: Bool) throws {
        var driver = Driver()
        driver.establish(Fixture.open(restart: Fixture.restart(coversNotifications: hasNotificationBit)))
        driver.handle(ending.event)
        let loss = try #require(driver.loss)
        let keeps = hasNotificationBit ? ending.keeps.with : ending.keeps.without
        #expect(loss.keptFamilies == (keeps ? [.ipv4Unicast] : []))
        #expect(loss.restartTime == .seconds(keeps ? 120 : 0))
        #expect((driver.timers[.staleRoutes] != nil) == keeps)
        #expect(driver.session.status.hasStaleRoutes == keeps)
        #expect(!loss.reason.isEmpty)
    }

    @Test("a shutdown goes inside a Hard Reset where a plain Cease would keep the routes")
    func hardReset() {
        var driver = Driver()
        driver.establish(Fixture.open(restart: Fixture.restart(coversNotifications: true)))
        driver.handle(.stopped(.deconfigured))
        #expect(driver.notification == NotificationMessage(cease: CeaseSubcode.hardReset, data: [6, 3]))
        driver = Driver()
        driver.establish()
        driver.handle(.stopped(.shutdown(message: "racks")))
        #expect(driver.notification == .cease(CeaseSubcode.administrativeShutdown, because: "racks"))
    }

    @Test("a peer that does not come back loses its routes when its Restart Time is over")
    func restartTimeOver() {
        var driver = Driver()
        driver.establish()
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        let lostAt = driver.now
        #expect(driver.timers[.staleRoutes]?.deadline == lostAt + .seconds(120))
        driver.fire(.staleRoutes)
        #expect(swept(driver) == [.ipv4Unicast])
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("families that the peer did not name go at once")
    func partlyKept() {
        var driver = driver()
        driver.establish(Fixture.open(families: Self.bothFamilies, restart: Fixture.restart(families: [.ipv4Unicast])))
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        #expect(driver.loss?.keptFamilies == [.ipv4Unicast])
        #expect(swept(driver) == [.ipv6Unicast])
    }

    @Test("stale routes stay until the End-of-RIB of each family")
    func endOfRIB() {
        var driver = cameBack(with: Fixture.restart(families: Self.bothFamilies, isRestarting: true))
        driver.handle(Fixture.theirs, .keepalive)
        #expect(swept(driver).isEmpty)
        #expect(driver.timers[.staleRoutes]?.deadline == driver.now + .seconds(120))
        driver.handle(Fixture.theirs, .update(.endOfRIB(.ipv6Unicast)))
        #expect(driver.effects == [.deliver(.endOfRIB(.ipv6Unicast))])
        #expect(driver.session.status.hasStaleRoutes)
        driver.handle(Fixture.theirs, .update(.endOfRIB(.ipv4Unicast)))
        #expect(driver.effects == [.deliver(.endOfRIB(.ipv4Unicast)), .stopTimer(.staleRoutes)])
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("a peer that never ends its RIB loses what is still stale at the limit")
    func endOfRIBMissing() {
        var driver = cameBack(with: Fixture.restart(families: Self.bothFamilies))
        driver.handle(Fixture.theirs, .keepalive)
        driver.handle(Fixture.theirs, .update(.endOfRIB(.ipv4Unicast)))
        driver.fire(.staleRoutes)
        #expect(swept(driver) == [.ipv6Unicast])
        #expect(driver.state == .established)
    }

    @Test(
        "a peer that comes back without having forwarded loses its stale routes at once",
        arguments: [
            nil, Fixture.restart(families: bothFamilies, isForwardingPreserved: false), Fixture.restart(families: []),
        ])
    func notForwarded(restart: GracefulRestart?) {
        var driver = cameBack(with: restart)
        #expect(swept(driver).isEmpty)
        driver.handle(Fixture.theirs, .keepalive)
        #expect(swept(driver) == Self.bothFamilies)
        #expect(driver.effects.contains(.stopTimer(.staleRoutes)))
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("a second loss before the End-of-RIB drops what was stale (RFC 4724 §4.2)")
    func lostTwice() throws {
        var driver = cameBack(with: Fixture.restart(families: Self.bothFamilies))
        driver.handle(Fixture.theirs, .keepalive)
        driver.handle(Fixture.theirs, .update(.endOfRIB(.ipv4Unicast)))
        driver.handle(.tcpClosed(Fixture.theirs, reason: "reset"))
        let sweep = try #require(
            driver.effects.firstIndex {
                if case .sweepStale(let families, _) = $0 { families == [.ipv6Unicast] } else { false }
            })
        let loss = try #require(driver.effects.firstIndex { if case .sessionLost = $0 { true } else { false } })
        #expect(sweep < loss)
        #expect(driver.loss?.keptFamilies == Self.bothFamilies)
    }

    @Test("a peer removed while it restarts loses its stale routes; one that is reset keeps them")
    func stoppedMeanwhile() {
        var driver = Driver()
        driver.establish()
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        var removed = driver
        removed.handle(.stopped(.deconfigured))
        #expect(swept(removed) == [.ipv4Unicast])
        driver.handle(.stopped(.reset(message: "")))
        #expect(swept(driver).isEmpty)
        #expect(driver.session.status.hasStaleRoutes)
    }

    @Test("this side's own restart: R and F until it is over, then F alone")
    func ownRestart() throws {
        var configuration = Fixture.configuration()
        configuration.gracefulRestart?.isRestarting = true
        configuration.gracefulRestart?.isForwardingPreserved = true
        var driver = Driver(configuration)
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.own))
        #expect(try bits(of: driver, on: Fixture.own) == [true, true])
        driver.handle(.restartCompleted)
        driver.handle(.tcpConnected(Fixture.theirs))
        #expect(try bits(of: driver, on: Fixture.theirs) == [false, true])
    }

    @Test("after a cold start the F bit is set once a session was up")
    func coldStart() throws {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.own))
        #expect(try bits(of: driver, on: Fixture.own) == [false, false])
        driver.handle(Fixture.own, .open(Fixture.open()))
        driver.handle(Fixture.own, .keepalive)
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        driver.handle(.tcpConnected(Fixture.theirs))
        #expect(try bits(of: driver, on: Fixture.theirs) == [false, true])
    }

    @Test(
        "a daemon that hands over closes TCP without a word, and a session that hands over to another does",
        arguments: [(.restarting, "this daemon restarts"), (.replaced, "its settings changed")]
            as [(StopReason, String)])
    func handOver(reason: StopReason, words: String) {
        var driver = Driver()
        driver.establish()
        driver.handle(.stopped(reason))
        #expect(driver.notification == nil)
        #expect(driver.loss?.reason == words)
        #expect(driver.effects.contains(.close(Fixture.own)))
        #expect(driver.loss?.keepsRoutes == true)
    }

    /// The R bit and the F bit of the OPEN that the last event sent.
    private func bits(of driver: Driver, on id: ConnectionID) throws -> [Bool] {
        guard case .open(let open) = try #require(driver.sent(on: id).first) else { return [] }
        let restart = try #require(open.gracefulRestart)
        return [restart.isRestarting, restart.families.allSatisfy(\.forwardingPreserved)]
    }
}
