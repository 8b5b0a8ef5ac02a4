import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("a session that keeps failing stays in Idle")
struct DampingTests {
    /// The wait in Idle after each failure of sessions that were up for so many seconds; nil where there is none.
    private func holds(afterUp uptimes: [Int], _ configuration: PeerConfiguration) throws -> [Duration?] {
        var driver = Driver(configuration)
        driver.handle(.started)
        return try uptimes.map { uptime in
            let id = try #require(driver.dialled)
            driver.fail(on: id, afterUp: uptime == 0 ? nil : .seconds(uptime))
            let hold = driver.timers[.idleHold].map { $0.deadline - driver.now }
            #expect(driver.state == (hold == nil ? .active : .idle))
            #expect(driver.session.status.heldUntil == driver.timers[.idleHold]?.deadline)
            driver.fire(hold == nil ? .connectRetry : .idleHold)
            return hold
        }
    }

    @Test(
        "the first failure costs nothing, then the wait doubles up to the bound, and halves with stability",
        arguments: [
            ([0], [nil]),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [nil, 1, 2, 4, 8, 16, 32, 60, 60, 60]),
            ([5, 5, 5, 5], [nil, 1, 2, 4]),
            // Five failures, then a minute: three are left, and the next is the third again.
            ([0, 0, 0, 0, 0, 60], [nil, 1, 2, 4, 8, 2]),
            ([0, 0, 0, 0, 0, 180], [nil, 1, 2, 4, 8, nil]),
            ([3600, 3600, 3600], [nil, nil, nil]),
        ] as [([Int], [Int?])])
    func holds(uptimes: [Int], bounds: [Int?]) throws {
        let waits = try holds(afterUp: uptimes, Fixture.configuration())
        for (wait, bound) in zip(waits, bounds) {
            guard let bound else {
                #expect(wait == nil)
                continue
            }
            let wait = try #require(wait)
            #expect(wait <= .seconds(bound) && wait >= .seconds(bound) * 3 / 4, "\(wait), at most \(bound) s")
        }
        #expect(waits.count == bounds.count)
    }

    @Test("with a bound of zero there is no stay in Idle")
    func off() throws {
        var configuration = Fixture.configuration()
        configuration.timing.idleHoldMaximum = .zero
        #expect(try holds(afterUp: [0, 0, 0, 0], configuration) == [nil, nil, nil, nil])
    }

    @Test("a peer that restarts again and again and whose routes stay meanwhile is taken back at once")
    func restarts() throws {
        var driver = Driver()
        driver.establish()
        var id = Fixture.own
        for _ in 0..<10 {
            driver.handle(.tcpClosed(id, reason: "reset"))
            #expect(driver.state == .active)
            driver.fire(.connectRetry)
            id = try #require(driver.dialled)
            driver.handle(.tcpConnected(id))
            driver.handle(id, .open(Fixture.open()))
            driver.handle(id, .keepalive)
            #expect(driver.state == .established)
        }
        #expect(driver.session.status.failures == 0)
    }

    @Test("without graceful restart, a lost connection counts from the second time")
    func withoutRestart() throws {
        var driver = Driver()
        driver.establish(Fixture.open(restart: nil))
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        #expect(driver.state == .active)
        driver.fire(.connectRetry)
        let id = try #require(driver.dialled)
        driver.handle(.tcpConnected(id))
        driver.handle(id, .open(Fixture.open(restart: nil)))
        driver.handle(id, .keepalive)
        driver.handle(.tcpClosed(id, reason: "reset"))
        #expect(driver.state == .idle && driver.session.status.failures == 2)
    }

    @Test("a Cease that refuses the connection does not count")
    func ceases() throws {
        var driver = Driver()
        driver.handle(.started)
        for _ in 0..<5 {
            let id = try #require(driver.dialled)
            driver.handle(.tcpConnected(id))
            driver.handle(id, .notification(NotificationMessage(cease: CeaseSubcode.connectionRejected)))
            #expect(driver.state == .active)
            driver.fire(.connectRetry)
        }
        #expect(driver.session.status.failures == 0)
    }

    @Test("in the stay the peer is refused; a passive session waits for it afterwards, and a stop ends the stay")
    func held() {
        var driver = Driver()
        driver.hold()
        #expect(driver.state == .idle && driver.session.status.counters.holds == 1)
        driver.handle(.tcpConnected(Fixture.theirs))
        #expect(driver.effects == [.close(Fixture.theirs)])
        driver.handle(.stopped(.reconfigured))
        #expect(driver.timers[.idleHold] == nil && driver.session.status.heldUntil == nil)
        driver.handle(.started)
        #expect(driver.state == .connect && driver.session.status.failures == 0)
    }

    @Test("routes that are kept for a restart go at their time, whether the session stays in Idle or not")
    func staleRoutes() throws {
        var driver = Driver()
        driver.hold()
        driver.fire(.idleHold)
        let id = try #require(driver.dialled)
        driver.handle(.tcpConnected(id))
        let open = Fixture.open(restart: Fixture.restart(coversNotifications: true))
        driver.handle(id, .open(open))
        driver.handle(id, .keepalive)
        driver.handle(.decodeFailed(id, BGPError(NotificationCode.messageHeader, 2, "garbage")))
        #expect(driver.state == .idle && driver.session.status.hasStaleRoutes)
        driver.fire(.staleRoutes)
        #expect(!driver.session.status.hasStaleRoutes && driver.state == .idle)
    }
}
