import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("long-lived graceful restart")
struct LongLivedTests {
    private static let families: [AFISAFI] = [.ipv4Unicast, .ipv6Unicast]

    private func asking(_ seconds: [UInt32], restart: GracefulRestart? = nil, preserved: Bool = true) -> OpenMessage {
        let entries = zip(Self.families, seconds).map {
            LongLivedFamily($0, forwardingPreserved: preserved, staleTime: $1)
        }
        return Fixture.open(
            families: Self.families, restart: restart ?? Fixture.restart(families: Self.families),
            others: [.longLivedGracefulRestart(entries)])
    }

    /// A session that was up with a peer that asks for so many seconds in each family, and is lost.
    private func lost(_ seconds: [UInt32], keepsRoutes: Bool = true, restart: GracefulRestart? = nil) -> Driver {
        var configuration = Fixture.configuration()
        configuration.families = Self.families
        configuration.longLivedRestart.keepsRoutes = keepsRoutes
        var driver = Driver(configuration)
        driver.establish(asking(seconds, restart: restart))
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        return driver
    }

    /// Lets the timer of what is stale run out.
    private func expire(_ driver: inout Driver) throws {
        let timer = try #require(driver.timers[.staleRoutes])
        driver.now = timer.deadline
        driver.handle(.timerFired(.staleRoutes, token: timer.token))
    }

    private func swept(_ driver: Driver) -> [AFISAFI] {
        driver.effects.flatMap { if case .sweepStale(let families, _) = $0 { families } else { [AFISAFI]() } }
    }

    private func keptLong(_ driver: Driver) -> [AFISAFI] {
        driver.effects.flatMap { if case .keepStaleLong(let families) = $0 { families } else { [AFISAFI]() } }
    }

    @Test("after the restart time routes are kept as long as the peer has asked, each family for itself")
    func stays() throws {
        var driver = lost([600, 60])
        try expire(&driver)
        #expect(keptLong(driver) == Self.families)
        #expect(swept(driver) == [])
        let began = driver.now
        try expire(&driver)
        #expect(swept(driver) == [.ipv6Unicast])
        #expect(driver.now - began == .seconds(60))
        try expire(&driver)
        #expect(swept(driver) == [.ipv4Unicast])
        #expect(driver.now - began == .seconds(600))
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("a family for which nothing is asked goes at the restart time; all go where the configuration says no")
    func notAsked() throws {
        var some = lost([600, 0])
        try expire(&some)
        #expect(keptLong(some) == [.ipv4Unicast])
        #expect(swept(some) == [.ipv6Unicast])
        var none = lost([600, 60], keepsRoutes: false)
        try expire(&none)
        #expect(keptLong(none) == [])
        #expect(swept(none) == Self.families)
    }

    @Test("a peer that is silent has its routes kept, too, and one that ends the session hard has not")
    func holdTimer() throws {
        var configuration = Fixture.configuration()
        configuration.families = Self.families
        configuration.longLivedRestart.keepsRoutes = true
        var silent = Driver(configuration)
        silent.establish(asking([600, 600]))
        let hold = try #require(silent.timers[.hold(Fixture.own)])
        silent.now = hold.deadline
        silent.handle(.timerFired(.hold(Fixture.own), token: hold.token))
        #expect(silent.notification?.code == 4)
        #expect(silent.loss?.keptFamilies == Self.families)
        var reset = Driver(configuration)
        reset.establish(asking([600, 600]))
        let hardReset = NotificationMessage(cease: CeaseSubcode.hardReset, data: [6, 2])
        reset.handle(.messageReceived(Fixture.own, .notification(hardReset)))
        #expect(reset.loss?.keptFamilies == [])
    }

    @Test("a peer that comes back has until its End-of-RIB; lost again before that, its routes stay")
    func back() throws {
        var driver = lost([600, 600])
        try expire(&driver)
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(Fixture.theirs, .open(asking([600, 600])))
        driver.handle(Fixture.theirs, .keepalive)
        #expect(driver.negotiated != nil)
        #expect(swept(driver) == [])
        driver.handle(.tcpClosed(Fixture.theirs, reason: "reset"))
        #expect(driver.loss?.keptFamilies == Self.families)
        #expect(swept(driver) == [])
        try expire(&driver)
        #expect(keptLong(driver) == Self.families)
    }

    @Test("the long wait is begun once: it goes on while the peer comes and goes", arguments: 1...3)
    func flapping(times: Int) throws {
        var driver = lost([600, 600])
        try expire(&driver)
        let end = driver.now + .seconds(600)
        for serial in 1...UInt64(times) {
            driver.now = driver.now + .seconds(10)
            comesBack(&driver, on: .incoming(serial))
            driver.now = driver.now + .seconds(10)
            if serial == 1 { driver.handle(.incoming(serial), .update(.endOfRIB(.ipv6Unicast))) }
            driver.handle(.tcpClosed(.incoming(serial), reason: "reset"))
            #expect(swept(driver) == [])
            try expire(&driver)
            #expect(keptLong(driver) == Self.families)
        }
        try expire(&driver)
        #expect(swept(driver) == [.ipv4Unicast] && driver.now == end)
        // What the peer had said to the end has a wait of its own.
        try expire(&driver)
        #expect(swept(driver) == [.ipv6Unicast] && driver.now > end)
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("the long wait ends in a session, too: what has not been said again goes")
    func endsInSession() throws {
        var driver = lost([60, 600])
        try expire(&driver)
        let end = driver.now + .seconds(60)
        comesBack(&driver, on: Fixture.theirs)
        let limit = driver.now + driver.session.configuration.timing.endOfRIBLimit
        try expire(&driver)
        #expect(swept(driver) == [.ipv4Unicast] && driver.now == end && driver.state == .established)
        try expire(&driver)
        #expect(swept(driver) == [.ipv6Unicast] && driver.now == limit)
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("after the End-of-RIB the next long wait is a new one")
    func synchronised() throws {
        var driver = lost([600, 600])
        try expire(&driver)
        driver.now = driver.now + .seconds(500)
        comesBack(&driver, on: Fixture.theirs)
        for family in Self.families { driver.handle(Fixture.theirs, .update(.endOfRIB(family))) }
        #expect(driver.timers[.staleRoutes] == nil)
        driver.handle(.tcpClosed(Fixture.theirs, reason: "reset"))
        try expire(&driver)
        let began = driver.now
        try expire(&driver)
        #expect(swept(driver) == Self.families && driver.now - began == .seconds(600))
    }

    /// The peer of a session that asks for ten minutes comes back on a connection.
    private func comesBack(_ driver: inout Driver, on id: ConnectionID) {
        driver.handle(.tcpConnected(id))
        driver.handle(id, .open(asking([600, 600])))
        driver.handle(id, .keepalive)
        #expect(driver.negotiated != nil && swept(driver) == [])
    }

    @Test("a peer that comes back without its forwarding state loses its routes")
    func forwardingLost() throws {
        var driver = lost([600, 600])
        try expire(&driver)
        driver.handle(.tcpConnected(Fixture.theirs))
        let restart = Fixture.restart(families: Self.families, isForwardingPreserved: false)
        driver.handle(Fixture.theirs, .open(asking([600, 600], restart: restart, preserved: false)))
        driver.handle(Fixture.theirs, .keepalive)
        #expect(swept(driver) == Self.families)
        // Nothing is left that was kept long: of two losses before an End-of-RIB the second is one too many.
        driver.handle(.tcpClosed(Fixture.theirs, reason: "reset"))
        #expect(driver.loss?.keptFamilies == Self.families && swept(driver) == [])
        let again = ConnectionID.incoming(2)
        driver.handle(.tcpConnected(again))
        driver.handle(again, .open(asking([600, 600])))
        driver.handle(again, .keepalive)
        #expect(swept(driver) == [])
        driver.handle(.tcpClosed(again, reason: "reset"))
        #expect(swept(driver) == Self.families)
    }

    @Test("what this side asks is in its OPEN; asking nothing it still says that it knows what LLGR_STALE means")
    func ownOpen() throws {
        for seconds in [UInt32(0), 3600] {
            var configuration = Fixture.configuration()
            configuration.longLivedRestart.staleTimeSeconds = seconds
            var driver = Driver(configuration)
            driver.handle(.started)
            driver.handle(.tcpConnected(Fixture.own))
            guard case .open(let open)? = driver.sent(on: Fixture.own).first else {
                Issue.record("no OPEN")
                return
            }
            #expect(open.hasLongLivedGracefulRestart)
            #expect(open.longLivedFamilies.map(\.staleTime) == (seconds == 0 ? [] : [seconds]))
        }
    }
}
