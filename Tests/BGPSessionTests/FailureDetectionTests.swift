import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("failures that BFD finds")
struct FailureDetectionTests {
    private static let failure = SessionEvent.failureDetected(
        "BFD: silence", isForwardingLost: false, lastHeard: MonotonicTime(nanoseconds: .max))

    @Test(
        "an established session ends and its routes go, whatever was agreed about restarts", arguments: [false, true])
    func established(_ hasNotificationBit: Bool) {
        var driver = Driver()
        driver.establish(Fixture.open(restart: Fixture.restart(coversNotifications: hasNotificationBit)))
        driver.handle(Self.failure)
        #expect(driver.notification?.subcode == (hasNotificationBit ? CeaseSubcode.hardReset : CeaseSubcode.bfdDown))
        let losses = driver.effects.compactMap { if case .sessionLost(let loss) = $0 { loss } else { nil } }
        #expect(losses == [SessionLoss(reason: "BFD: silence", keptFamilies: [], restartTime: .zero)])
        #expect(driver.state == .active && driver.session.status.lastError == "BFD: silence")
    }

    @Test(
        "without a session nothing happens",
        arguments: StateRow.allCases.filter { $0 != .established && $0 != .establishedWatching })
    func others(_ row: StateRow) {
        var driver = row.driver
        let before = driver.state
        driver.handle(Self.failure)
        #expect(driver.effects == [] && driver.state == before)
    }

    @Test("routes kept for a restart go only if BFD outlives the peer's control plane", arguments: [false, true])
    func stale(_ isForwardingLost: Bool) {
        var driver = Driver()
        driver.establish(Fixture.open())
        driver.handle(.tcpClosed(Fixture.own, reason: "reset"))
        driver.handle(
            .failureDetected("BFD: silence", isForwardingLost: isForwardingLost, lastHeard: driver.now))
        let sweeps = driver.effects.contains { if case .sweepStale = $0 { true } else { false } }
        #expect(sweeps == isForwardingLost)
        #expect(driver.session.status.hasStaleRoutes != isForwardingLost)
    }

    @Test(
        "a session that came up after the peer was last reached stays: the peer has restarted",
        arguments: [(Duration.milliseconds(-1), false), (.zero, true), (.seconds(1), true)])
    func restarted(_ lastHeard: Duration, _ ends: Bool) {
        var driver = Driver()
        driver.now = MonotonicTime(nanoseconds: 5_000_000_000)
        let heard = driver.now + lastHeard
        driver.establish(Fixture.open())
        driver.handle(.failureDetected("BFD: silence", isForwardingLost: false, lastHeard: heard))
        #expect(driver.state == (ends ? .active : .established))
        #expect(driver.effects.isEmpty != ends)
    }
}
