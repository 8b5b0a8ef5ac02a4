import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("two connections at once")
struct CollisionTests {
    private static let collision = NotificationMessage(cease: CeaseSubcode.connectionCollisionResolution)

    /// A session of identifier 192.168.1.1 with both connections in OpenSent.
    private func both() -> Driver {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.own))
        driver.handle(.tcpConnected(Fixture.theirs))
        return driver
    }

    @Test("against a higher identifier the peer's connection survives, whichever OPEN comes first")
    func lower() {
        for order in [[Fixture.own, Fixture.theirs], [Fixture.theirs, Fixture.own]] {
            var driver = both()
            driver.handle(order[0], .open(Fixture.open(bgpID: "192.168.1.2")))
            #expect(driver.notification == nil)
            driver.handle(order[1], .open(Fixture.open(bgpID: "192.168.1.2")))
            #expect(driver.effects.contains(.send(Fixture.own, .notification(Self.collision))))
            #expect(driver.effects.contains(.close(Fixture.own)))
            driver.handle(Fixture.theirs, .keepalive)
            #expect(driver.negotiated?.connection == Fixture.theirs)
        }
    }

    @Test("against a lower identifier the own connection survives, and the peer's falls on its first OPEN")
    func higher() {
        var driver = both()
        driver.handle(Fixture.theirs, .open(Fixture.open(bgpID: "10.0.0.1")))
        #expect(driver.effects.contains(.send(Fixture.theirs, .notification(Self.collision))))
        #expect(!driver.effects.contains(.send(Fixture.theirs, .keepalive)))
        driver.handle(Fixture.own, .open(Fixture.open(bgpID: "10.0.0.1")))
        driver.handle(Fixture.own, .keepalive)
        #expect(driver.negotiated?.connection == Fixture.own)
    }

    @Test("an own connection that stayed silent for long does not win")
    func silentOwn() {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.own))
        driver.now = driver.now + .seconds(6)
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(Fixture.theirs, .open(Fixture.open(bgpID: "10.0.0.1")))
        driver.handle(Fixture.theirs, .keepalive)
        #expect(driver.negotiated?.connection == Fixture.theirs)
        #expect(driver.effects.contains(.close(Fixture.own)))
    }

    @Test("a dial under way is given up when the peer's OPEN comes, and its late success is refused")
    func dialGivenUp() {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(Fixture.theirs, .open(Fixture.open()))
        #expect(driver.effects.contains(.close(Fixture.own)))
        driver.handle(.tcpConnected(Fixture.own))
        #expect(driver.effects == [.close(Fixture.own)])
        #expect(driver.state == .openConfirm)
    }

    @Test("a peer that dials again has given up its earlier connection")
    func dialsAgain() {
        var driver = Driver()
        driver.handle(.started)
        driver.handle(.tcpConnected(.incoming(7)))
        driver.handle(.tcpConnected(.incoming(8)))
        #expect(driver.effects.contains(.close(.incoming(7))))
        driver.handle(.incoming(7), .open(Fixture.open()))
        #expect(driver.effects.isEmpty)
        driver.handle(.incoming(8), .open(Fixture.open()))
        #expect(driver.state == .openConfirm)
    }

    @Test("news of a connection that is known already changes nothing", arguments: StateRow.allCases)
    func knownConnection(row: StateRow) {
        var driver = row.driver
        if driver.timers[.hold(Fixture.own)] != nil {
            driver.handle(.tcpConnected(Fixture.own))
            #expect(driver.effects.isEmpty)
        }
        if driver.timers[.hold(Fixture.theirs)] != nil {
            driver.handle(.tcpConnected(Fixture.theirs))
            #expect(driver.effects.isEmpty)
        }
    }

    @Test("an established session wins over a connection that came too soon to be a restart")
    func tooSoon() {
        var driver = Driver()
        driver.establish()
        driver.now = driver.session.status.since ?? driver.now
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.now = driver.now + .seconds(60)
        driver.handle(Fixture.theirs, .open(Fixture.open()))
        #expect(driver.effects.contains(.send(Fixture.theirs, .notification(Self.collision))))
        #expect(driver.loss == nil)
        #expect(driver.state == .established)
    }

    @Test("a new connection replaces the session of a peer that knows graceful restart")
    func restartReplaces() {
        var driver = Driver()
        driver.establish()
        driver.handle(.tcpConnected(Fixture.theirs))
        #expect(driver.loss == nil)
        driver.handle(Fixture.theirs, .open(Fixture.open(restart: Fixture.restart(isRestarting: true))))
        #expect(driver.loss?.keptFamilies == [.ipv4Unicast])
        #expect(driver.notification == nil)
        driver.handle(Fixture.theirs, .keepalive)
        #expect(driver.negotiated?.connection == Fixture.theirs)
    }

    @Test("a new connection does not replace the session of a peer without graceful restart")
    func otherwiseTheSessionWins() {
        for restart in [nil, Fixture.restart(families: [])] {
            var driver = Driver()
            driver.establish(Fixture.open(restart: restart))
            driver.handle(.tcpConnected(Fixture.theirs))
            driver.handle(Fixture.theirs, .open(Fixture.open(restart: restart)))
            #expect(driver.effects.contains(.send(Fixture.theirs, .notification(Self.collision))))
            #expect(driver.state == .established)
        }
    }

    @Test("a stranger's OPEN on a second connection does not touch the session")
    func stranger() {
        var driver = Driver()
        driver.establish()
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(Fixture.theirs, .open(Fixture.open(asNumber: 666)))
        #expect(driver.notification?.subcode == OpenSubcode.badPeerAS)
        #expect(driver.state == .established)
        #expect(driver.loss == nil)
    }

    @Test("when the session falls, the connection that is watched takes over")
    func takesOver() {
        var driver = Driver()
        driver.establish()
        driver.handle(.tcpConnected(Fixture.theirs))
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        #expect(driver.loss?.keepsRoutes == true)
        #expect(driver.state == .openSent)
        driver.handle(Fixture.theirs, .open(Fixture.open()))
        driver.handle(Fixture.theirs, .keepalive)
        #expect(driver.negotiated?.connection == Fixture.theirs)
    }
}
