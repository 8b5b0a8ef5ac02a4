import BGPSession
import BGPWire
import NetTypes
import Testing

/// What a session with other settings goes on with.
@Suite("routes that outlive a change of settings")
struct KeptRoutesTests {
    private static let families: [AFISAFI] = [.ipv4Unicast, .ipv6Unicast]

    private func configuration(keepsLong: Bool = true) -> PeerConfiguration {
        var configuration = Fixture.configuration()
        configuration.families = Self.families
        configuration.longLivedRestart.keepsRoutes = keepsLong
        return configuration
    }

    /// An OPEN that asks for an hour in one of the families, where it asks for anything.
    private func open(_ restart: GracefulRestart?, asksForAnHour: Bool = false) -> OpenMessage {
        let hour = LongLivedFamily(.ipv4Unicast, forwardingPreserved: true, staleTime: 3600)
        return Fixture.open(
            families: Self.families, restart: restart,
            others: asksForAnHour ? [.longLivedGracefulRestart([hour])] : [])
    }

    private func restart(isForwardingPreserved: Bool = true, isRestarting: Bool = false) -> GracefulRestart {
        Fixture.restart(
            families: Self.families, isForwardingPreserved: isForwardingPreserved, isRestarting: isRestarting)
    }

    /// A session that was up, and is lost unless the change finds it up.
    private func session(_ open: OpenMessage, isLost: Bool) -> Driver {
        var driver = Driver(configuration())
        driver.establish(open)
        if isLost { driver.handle(.tcpClosed(Fixture.own, reason: "reset")) }
        return driver
    }

    /// The session that takes the place of another now, started.
    private func successor(of driver: Driver, _ configuration: PeerConfiguration? = nil) -> Driver {
        var next = Driver(configuration ?? self.configuration(), keeping: driver.session.keptRoutes)
        next.now = driver.now
        next.handle(.started)
        return next
    }

    private func comesBack(_ driver: inout Driver, _ open: OpenMessage) {
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(Fixture.theirs, .open(open))
        driver.handle(Fixture.theirs, .keepalive)
    }

    private func swept(_ driver: Driver) -> [AFISAFI] {
        driver.effects.flatMap { if case .sweepStale(let families, _) = $0 { families } else { [AFISAFI]() } }
    }

    @Test("a peer that is gone has the time that was left, however often its settings change")
    func deadline() throws {
        var driver = session(open(restart()), isLost: true)
        let deadline = try #require(driver.timers[.staleRoutes]?.deadline)
        for _ in 0..<3 {
            driver.now = driver.now + .seconds(39)
            driver = successor(of: driver)
            #expect(driver.timers[.staleRoutes]?.deadline == deadline)
        }
        driver.fire(.staleRoutes)
        #expect(swept(driver) == Self.families)
        #expect(driver.now == deadline)
    }

    @Test("the long wait of a peer that is back goes on, and what it has said again is not marked by the change")
    func longLivedBack() throws {
        var driver = session(open(restart(), asksForAnHour: true), isLost: true)
        driver.fire(.staleRoutes)
        let end = driver.now + .seconds(3600)
        driver.now = driver.now + .seconds(3590)
        comesBack(&driver, open(restart(), asksForAnHour: true))
        #expect(driver.session.keptRoutes.familiesKeptLong == [])
        driver = successor(of: driver)
        #expect(driver.timers[.staleRoutes]?.deadline == end)
        driver.fire(.staleRoutes)
        #expect(swept(driver) == [.ipv4Unicast])
    }

    @Test("the long wait goes on, and so does the one that is yet to begin")
    func longLived() throws {
        var driver = session(open(restart(), asksForAnHour: true), isLost: true)
        driver = successor(of: driver)
        driver.fire(.staleRoutes)
        #expect(driver.effects.contains(.keepStaleLong([.ipv4Unicast])))
        let end = driver.now + .seconds(3600)
        driver.now = driver.now + .seconds(60)
        #expect(driver.session.keptRoutes.familiesKeptLong == [.ipv4Unicast])
        driver = successor(of: driver)
        #expect(driver.timers[.staleRoutes]?.deadline == end)
        #expect(driver.session.status.hasStaleRoutes)
        driver.fire(.staleRoutes)
        #expect(swept(driver) == [.ipv4Unicast])
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("settings that keep nothing long leave the peer the time of any other")
    func longLivedNoMore() {
        var driver = session(open(restart(), asksForAnHour: true), isLost: true)
        driver.fire(.staleRoutes)
        for _ in 0..<2 {
            let changed = driver.now
            driver = successor(of: driver, configuration(keepsLong: false))
            #expect(driver.timers[.staleRoutes]?.deadline == changed + .seconds(120))
        }
    }

    @Test("a peer that was gone and comes back without its forwarding state loses its routes at once")
    func forwardingLost() {
        var driver = successor(of: session(open(restart()), isLost: true))
        comesBack(&driver, open(restart(isForwardingPreserved: false)))
        #expect(swept(driver) == Self.families)
    }

    @Test(
        "a peer whose session the change has ended keeps its routes until its End-of-RIB, unless it restarts meanwhile",
        arguments: [nil, false, true])
    func endedByChange(isRestarting: Bool?) {
        let answer = isRestarting.map { restart(isForwardingPreserved: false, isRestarting: $0) }
        var driver = successor(of: session(open(answer), isLost: false))
        driver = successor(of: driver)
        #expect(driver.timers[.staleRoutes]?.deadline == driver.now + .seconds(120))
        comesBack(&driver, open(answer))
        #expect(swept(driver) == (isRestarting == true ? Self.families : []))
        guard isRestarting != true else { return }
        driver.handle(Fixture.theirs, .update(.endOfRIB(.ipv4Unicast)))
        driver.fire(.staleRoutes)
        #expect(swept(driver) == [.ipv6Unicast])
        // The next loss is the peer's own.
        driver.handle(.tcpClosed(Fixture.theirs, reason: "reset"))
        guard isRestarting == false else { return }
        comesBack(&driver, open(answer))
        #expect(swept(driver) == Self.families)
    }

    @Test("a peer whose session the change has ended, and which does not come back, is waited for as it has asked")
    func goneWithChange() {
        var driver = successor(of: session(open(restart(), asksForAnHour: true), isLost: false))
        driver.fire(.staleRoutes)
        #expect(driver.effects.contains(.keepStaleLong([.ipv4Unicast])))
        #expect(swept(driver) == [.ipv6Unicast])
    }

    @Test("what is stale when a peer without an End-of-RIB begins to send again is judged by the end of that")
    func refreshed() {
        var driver = successor(of: session(open(nil), isLost: false))
        comesBack(
            &driver, Fixture.open(families: Self.families, restart: nil, others: [.enhancedRouteRefresh]))
        for family in Self.families {
            driver.handle(Fixture.theirs, .routeRefresh(RouteRefreshMessage(family: family, subtype: .begin)))
        }
        #expect(driver.timers[.staleRoutes] == nil)
        #expect(!driver.session.status.hasStaleRoutes)
    }

    @Test("a session that ended hard leaves nothing, and one that was never up neither")
    func nothing() {
        var driver = session(open(restart()), isLost: false)
        driver.handle(.stopped(.tooManyPrefixes))
        #expect(driver.session.keptRoutes.families == [])
        driver = successor(of: driver)
        #expect(driver.timers[.staleRoutes] == nil)
        #expect(driver.session.keptRoutes.families == [])
    }
}
