import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("UPDATEs that pass an established session without effects")
struct PassingTests {
    /// A driver before an UPDATE, the connection it comes on, and whether it passes.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let passes: Bool
        let update: UpdateMessage
        let connection: ConnectionID
        let prepare: @Sendable (inout Driver) -> Void

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "routes", passes: true, update: Fixture.update, connection: Fixture.own) { $0.establish() },
        Case(
            name: "an End-of-RIB, nothing stale", passes: true, update: .endOfRIB(.ipv4Unicast), connection: Fixture.own
        ) { $0.establish() },
        Case(name: "routes on another connection", passes: false, update: Fixture.update, connection: Fixture.theirs) {
            $0.establish()
        },
        Case(name: "routes before the session is up", passes: false, update: Fixture.update, connection: Fixture.own) {
            $0.handle(.started)
            $0.handle(.tcpConnected(Fixture.own))
        },
        Case(
            name: "an End-of-RIB that stale routes wait for", passes: false, update: .endOfRIB(.ipv4Unicast),
            connection: Fixture.theirs
        ) {
            $0.establish()
            $0.handle(.tcpClosed(Fixture.own, reason: "reset"))
            $0.handle(.tcpConnected(Fixture.theirs))
            $0.handle(Fixture.theirs, .open(Fixture.open()))
            $0.handle(Fixture.theirs, .keepalive)
        },
    ]

    @Test("what passes leaves the session as handling it does; nothing else does anything", arguments: cases)
    func passing(_ row: Case) {
        var driver = Driver()
        row.prepare(&driver)
        driver.now = driver.now + .seconds(1)
        var passing = driver.session
        let before = passing.status
        #expect(passing.passes(row.update, on: row.connection, at: driver.now) == row.passes)
        guard row.passes else {
            #expect(passing.status.counters == before.counters)
            #expect(passing.status.state == before.state)
            return
        }
        driver.handle(row.connection, .update(row.update))
        #expect(driver.effects == [.deliver(row.update)])
        #expect(passing.status.counters == driver.session.status.counters)
        // Both were heard of at the same moment: the hold timer that runs out finds the same.
        var handled = driver
        var passed = driver
        passed.session = passing
        handled.fire(.hold(row.connection))
        passed.fire(.hold(row.connection))
        #expect(handled.effects == passed.effects)
    }
}
