import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("a session for display")
struct StatusTests {
    @Test("state, since, and the agreement while it is up")
    func states() {
        var driver = Driver()
        #expect(driver.session.status.state == .idle)
        #expect(driver.session.status.since == nil)
        driver.now = MonotonicTime(nanoseconds: 5)
        driver.handle(.started)
        #expect(driver.session.status.state.description == "Connect")
        #expect(driver.session.status.since == driver.now)
        driver.now = MonotonicTime(nanoseconds: 9)
        driver.handle(.restartCompleted)
        #expect(driver.session.status.since == MonotonicTime(nanoseconds: 5))
        driver.establish()
        #expect(driver.session.status.negotiated?.peerAS == ASNumber(64512))
        driver.handle(.tcpClosed(Fixture.own, reason: "Connection reset by peer"))
        #expect(driver.session.status.negotiated == nil)
    }

    @Test("the names sort by progress")
    func names() {
        #expect(
            SessionStateName.allCases.sorted().map(\.description)
                == ["Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"])
    }

    @Test("the last error is in words and outlives the recovery")
    func lastError() {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnectFailed(Fixture.own, reason: "Connection refused"))
        #expect(driver.session.status.lastError == "connecting failed: Connection refused")
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(
            Fixture.theirs, .notification(.cease(CeaseSubcode.administrativeShutdown, because: "moving racks")))
        #expect(driver.session.status.lastError == "received Cease/Administrative Shutdown: \"moving racks\"")
        let errorAt = driver.now
        driver.now = driver.now + .seconds(1)
        driver.handle(.tcpConnected(.incoming(2)))
        driver.handle(.incoming(2), .open(Fixture.open()))
        driver.handle(.incoming(2), .keepalive)
        #expect(driver.session.status.state == .established)
        #expect(driver.session.status.lastError?.contains("moving racks") == true)
        #expect(driver.session.status.lastErrorAt == errorAt)
    }

    @Test("what a NOTIFICATION has said is kept over connections that end after it, until the session is up")
    func keptError() {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(Fixture.theirs, .open(Fixture.open(asNumber: 64999)))
        let cause = "sent OPEN Message Error/Bad Peer AS: bad peer AS 64999, expected 64512"
        #expect(driver.session.status.lastError == cause)
        #expect(driver.session.lastFailure == AttemptFailure(number: 1, reason: cause, sign: .notification))
        for number in 2...3 as ClosedRange<UInt64> {
            driver.handle(.tcpConnected(.incoming(number)))
            driver.handle(.tcpClosed(.incoming(number), reason: "Connection reset by peer"))
            #expect(driver.session.status.lastError == cause)
        }
        driver.handle(.tcpConnected(.incoming(4)))
        driver.handle(.incoming(4), .open(Fixture.open()))
        driver.handle(.incoming(4), .keepalive)
        #expect(driver.session.lastFailure == nil)
        driver.handle(.tcpClosed(.incoming(4), reason: "Connection reset by peer"))
        #expect(driver.session.status.lastError == "connection closed: Connection reset by peer")
        driver.handle(.tcpConnected(.incoming(5)))
        driver.handle(.tcpClosed(.incoming(5), reason: "end"))
        #expect(driver.session.status.lastError == "connection closed in OpenSent: end")
    }

    @Test("the loss is when the session ended, however often it is tried since and whatever its settings are")
    func downSince() {
        var driver = Driver()
        driver.now = MonotonicTime(nanoseconds: 5)
        driver.handle(.started)
        #expect(driver.session.status.downSince == driver.now)
        driver.now = MonotonicTime(nanoseconds: 9)
        driver.establish()
        #expect(driver.session.status.downSince == nil)
        let lost = driver.now + .seconds(100)
        driver.now = lost
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        for number in 7...8 as ClosedRange<UInt64> {
            driver.now = driver.now + .seconds(1)
            driver.handle(.tcpConnected(.incoming(number)))
            driver.handle(.tcpClosed(.incoming(number), reason: "reset"))
        }
        #expect(driver.session.status.since != lost)
        #expect(driver.session.status.downSince == lost)
        var next = Driver(keeping: driver.session.keptRoutes)
        next.now = driver.now + .seconds(1)
        next.handle(.started)
        #expect(next.session.status.downSince == lost)
    }

    @Test("messages and sessions are counted")
    func counters() {
        var driver = Driver()
        driver.establish()
        driver.handle(Fixture.own, .update(Fixture.update))
        driver.handle(Fixture.own, .update(Fixture.update))
        driver.handle(Fixture.own, .routeRefresh(RouteRefreshMessage(family: .ipv4Unicast)))
        driver.fire(.keepalive(Fixture.own))
        driver.handle(Fixture.own, .open(Fixture.open()))
        let counters = driver.session.status.counters
        #expect(counters.established == 1 && counters.lost == 1)
        #expect(counters.received == counts(opens: 2, updates: 2, keepalives: 1, refreshes: 1))
        #expect(counters.sent == counts(opens: 1, notifications: 1, keepalives: 2))
        driver.handle(Fixture.own, .update(Fixture.update))
        #expect(driver.session.status.counters == counters)
    }

    @Test("a refresh of a family that was not agreed on is ignored (RFC 2918)")
    func foreignRefresh() {
        var driver = Driver()
        driver.establish()
        driver.handle(Fixture.own, .routeRefresh(RouteRefreshMessage(family: .ipv6Unicast)))
        #expect(driver.effects.isEmpty)
    }

    private func counts(
        opens: UInt64 = 0, updates: UInt64 = 0, notifications: UInt64 = 0, keepalives: UInt64 = 0,
        refreshes: UInt64 = 0
    ) -> MessageCounters {
        var counters = MessageCounters()
        counters.opens = opens
        counters.updates = updates
        counters.notifications = notifications
        counters.keepalives = keepalives
        counters.refreshes = refreshes
        return counters
    }
}
