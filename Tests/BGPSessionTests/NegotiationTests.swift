import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("what an OPEN leads to")
struct NegotiationTests {
    /// A session that sent its OPEN on the connection it dialled.
    private func openSent(_ change: (inout PeerConfiguration) -> Void = { _ in }) -> Driver {
        var configuration = Fixture.configuration()
        change(&configuration)
        var driver = Driver(configuration)
        driver.handle(.started)
        driver.handle(.tcpConnected(Fixture.own))
        return driver
    }

    /// What a session agrees on with a peer that sends this OPEN.
    private func agreement(
        _ open: OpenMessage, _ change: (inout PeerConfiguration) -> Void = { _ in }
    ) throws -> Negotiated {
        var driver = openSent(change)
        driver.handle(Fixture.own, .open(open))
        driver.handle(Fixture.own, .keepalive)
        return try #require(driver.negotiated)
    }

    @Test(
        "path identifiers are sent where they are offered and the peer takes them (RFC 7911 §4)",
        arguments: [(UInt8(1), true), (2, false), (3, true)])
    func pathIDs(_ sendReceive: UInt8, _ isAgreed: Bool) throws {
        let open = Fixture.open(others: [.addPath([AddPathFamily(family: .ipv4Unicast, sendReceive: sendReceive)])])
        #expect(try agreement(open) { $0.offersPathIDs = true }.familiesWithPathIDs == (isAgreed ? [.ipv4Unicast] : []))
        #expect(try agreement(open).familiesWithPathIDs == [])
        #expect(try agreement(open) { $0.offersPathIDs = true }.wireContext.pathIDsOut == (isAgreed ? .ipv4 : []))
    }

    @Test(
        "path identifiers are taken where they are asked for and the peer sends them",
        arguments: [(UInt8(1), false), (2, true), (3, true), (0, false)])
    func pathIDsTaken(_ sendReceive: UInt8, _ isAgreed: Bool) throws {
        let open = Fixture.open(others: [.addPath([AddPathFamily(family: .ipv4Unicast, sendReceive: sendReceive)])])
        let agreed = try agreement(open) { $0.takesPathIDs = true }
        #expect(agreed.wireContext.pathIDsIn == (isAgreed ? .ipv4 : []))
        #expect(agreed.wireContext.pathIDsOut == [])
        #expect(try agreement(open).wireContext.pathIDsIn == [])
    }

    @Test("IPv6 next hops of IPv4 prefixes are agreed on by both (RFC 8950 §4)")
    func extendedNextHop() throws {
        let open = Fixture.open(others: [.extendedNextHop([.ipv4OverIPv6])])
        #expect(try agreement(open) { $0.offersExtendedNextHop = true }.wireContext.ipv6NextHopsForIPv4)
        #expect(try !agreement(open).wireContext.ipv6NextHopsForIPv4)
        #expect(try !agreement(Fixture.open()) { $0.offersExtendedNextHop = true }.wireContext.ipv6NextHopsForIPv4)
    }

    @Test("the OPEN says who speaks and what is offered")
    func ownOpen() throws {
        let driver = openSent { configuration in
            configuration.localAS = ASNumber(4_200_000_000)
            configuration.families = [.ipv4Unicast, .ipv6Unicast]
            configuration.holdTimeSeconds = 30
            configuration.offersExtendedMessages = true
            configuration.gracefulRestart?.isRestarting = true
        }
        guard case .open(let open) = try #require(driver.sent(on: Fixture.own).first) else {
            Issue.record("no OPEN")
            return
        }
        #expect(open.asNumber == ASNumber(4_200_000_000))
        #expect(open.bgpID == Fixture.routerID("192.168.1.1"))
        #expect(open.holdTime == 30)
        #expect(open.families == [.ipv4Unicast, .ipv6Unicast])
        #expect(open.hasFourOctetAS && open.hasRouteRefresh && open.hasExtendedMessage)
        #expect(open.hasEnhancedRouteRefresh)
        let restart = try #require(open.gracefulRestart)
        #expect(restart.isRestarting && restart.notification)
        #expect(restart.restartTime == 120)
        #expect(restart.families.map(\.forwardingPreserved) == [false, false])
    }

    @Test("without graceful restart the capability is neither sent nor heeded")
    func noRestart() throws {
        let driver = openSent { $0.gracefulRestart = nil }
        guard case .open(let open) = try #require(driver.sent(on: Fixture.own).first) else {
            Issue.record("no OPEN")
            return
        }
        #expect(open.gracefulRestart == nil)
        let negotiated = try agreement(Fixture.open()) { $0.gracefulRestart = nil }
        #expect(negotiated.peerGracefulRestart == nil)
    }

    @Test(
        "an OPEN that contradicts the configuration is refused with its subcode",
        arguments: [
            (Fixture.open(asNumber: 64513), OpenSubcode.badPeerAS, "bad peer AS 64513, expected 64512"),
            (Fixture.open(bgpID: "192.168.1.1"), OpenSubcode.badBGPIdentifier, "own BGP identifier"),
            (Fixture.open(families: [.ipv6Unicast]), OpenSubcode.unsupportedCapability, "no common address family"),
        ])
    func refused(open: OpenMessage, subcode: UInt8, words: String) throws {
        var driver = openSent()
        driver.handle(Fixture.own, .open(open))
        let notification = try #require(driver.notification)
        #expect(notification.code == NotificationCode.openMessage)
        #expect(notification.subcode == subcode)
        #expect(driver.effects.contains(.close(Fixture.own)))
        #expect(driver.state == .active)
        #expect(driver.session.status.lastError?.contains(words) == true)
    }

    @Test("the refusal of a family names the capability that is missing (RFC 5492)")
    func missingCapability() throws {
        var driver = openSent { $0.families = [.ipv6Unicast] }
        driver.handle(Fixture.own, .open(Fixture.open()))
        #expect(driver.notification?.data == [1, 4, 0, 2, 0, 1])
    }

    @Test("an identifier may be the same in another AS (RFC 6286)")
    func sameIdentifierAcrossASes() throws {
        let open = Fixture.open(asNumber: 64513, bgpID: "192.168.1.1")
        let negotiated = try agreement(open) { $0.peerAS = ASNumber(64513) }
        #expect(!negotiated.isIBGP)
        #expect(negotiated.peerBGPID == Fixture.routerID("192.168.1.1"))
    }

    @Test(
        "the smaller Hold Time holds, and KEEPALIVEs come three times as often",
        arguments: [
            (90, 90, 90), (90, 30, 30), (9, 180, 9), (3, 3, 3), (0, 90, 0), (90, 0, 0),
        ] as [(UInt16, UInt16, Int)])
    func holdTime(own: UInt16, peers: UInt16, agreed: Int) throws {
        var driver = openSent { $0.holdTimeSeconds = own }
        driver.handle(Fixture.own, .open(Fixture.open(holdTime: peers)))
        #expect((driver.timers[.hold(Fixture.own)] != nil) == (agreed > 0))
        #expect((driver.timers[.keepalive(Fixture.own)] != nil) == (agreed > 0))
        if let timer = driver.timers[.keepalive(Fixture.own)] {
            let wait = timer.deadline - driver.now
            #expect(wait <= .seconds(agreed) / 3 && wait >= .seconds(agreed) / 4)
        }
        driver.handle(Fixture.own, .keepalive)
        let negotiated = try #require(driver.negotiated)
        #expect(negotiated.holdTime == .seconds(agreed))
        #expect(negotiated.keepaliveInterval == .seconds(agreed) / 3)
    }

    @Test("a shorter KEEPALIVE interval can be asked for, a longer one or none at all cannot")
    func keepaliveInterval() throws {
        let shorter = try agreement(Fixture.open()) { $0.keepaliveInterval = .seconds(10) }
        #expect(shorter.keepaliveInterval == .seconds(10))
        let tiny = try agreement(Fixture.open()) { $0.keepaliveInterval = .nanoseconds(1) }
        #expect(tiny.keepaliveInterval == .seconds(1))
        let longer = try agreement(Fixture.open()) { $0.keepaliveInterval = .seconds(60) }
        #expect(longer.keepaliveInterval == .seconds(30))
        let none = try agreement(Fixture.open()) { $0.keepaliveInterval = .zero }
        #expect(none.keepaliveInterval == .seconds(30))
    }

    @Test("families are those of both, in this side's order")
    func families() throws {
        let both = try agreement(Fixture.open(families: [.ipv6Unicast, .ipv4Unicast])) {
            $0.families = [.ipv4Unicast, .ipv6Unicast]
        }
        #expect(both.families == [.ipv4Unicast, .ipv6Unicast])
        let one = try agreement(Fixture.open(families: [.ipv6Unicast])) { $0.families = [.ipv4Unicast, .ipv6Unicast] }
        #expect(one.families == [.ipv6Unicast])
    }

    @Test("a peer without capabilities gets IPv4 unicast, two-octet ASes and nothing else")
    func plainPeer() throws {
        let open = OpenMessage(
            asNumber: ASNumber(64512), holdTime: 180, bgpID: Fixture.routerID("192.168.1.2"), capabilities: [])
        let negotiated = try agreement(open) { $0.offersExtendedMessages = true }
        #expect(negotiated.families == [.ipv4Unicast])
        #expect(!negotiated.hasRouteRefresh)
        #expect(negotiated.peerGracefulRestart == nil)
        #expect(
            negotiated.wireContext == WireContext(fourOctetAS: false, maximumMessageLength: 4096, isIBGP: true))
    }

    @Test("long messages need both sides", arguments: [false, true], [false, true])
    func extendedMessages(own: Bool, peers: Bool) throws {
        let open = Fixture.open(others: peers ? [.extendedMessage] : [])
        let negotiated = try agreement(open) { $0.offersExtendedMessages = own }
        #expect(negotiated.wireContext.maximumMessageLength == (own && peers ? 65535 : 4096))
    }

    @Test("a message out of place names its type (RFC 6608)")
    func outOfPlace() throws {
        var driver = openSent()
        driver.handle(Fixture.own, .keepalive)
        #expect(driver.notification == NotificationMessage(code: 5, subcode: 1, data: [4]))
        driver = openSent()
        driver.handle(Fixture.own, .open(Fixture.open()))
        driver.handle(Fixture.own, .update(Fixture.update))
        #expect(driver.notification == NotificationMessage(code: 5, subcode: 2, data: [2]))
        driver = Driver()
        driver.establish()
        driver.handle(Fixture.own, .open(Fixture.open()))
        #expect(driver.notification == NotificationMessage(code: 5, subcode: 3, data: [1]))
    }
}
