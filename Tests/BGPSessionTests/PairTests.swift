import BGPSession
import BGPWire
import NetTypes
import Testing

@Suite("two sessions with each other")
struct PairTests {
    /// The lab of nodes .1 and .2, each with a configuration that a test may change.
    private func lab(
        seed: UInt64 = 1, change: (inout PeerConfiguration) -> Void = { _ in }
    ) -> SessionLab {
        let dice = Dice(seed: seed)
        var configurations = [
            Fixture.configuration(host: 1, peer: 2), Fixture.configuration(host: 2, peer: 1),
        ]
        for index in configurations.indices {
            configurations[index].timing.jitterSeed = seed &* 2 &+ UInt64(index)
            change(&configurations[index])
        }
        return SessionLab(configurations[0], configurations[1]) { .microseconds(Int64(50 + dice.next(below: 20_000))) }
    }

    @Test("one dials, the other waits: both come up with what they agreed on")
    func plain() throws {
        var lab = lab { $0.isPassive = $0.bgpID == Fixture.routerID("192.168.1.2") }
        lab.handle(.started, at: 0)
        #expect(lab.state(0) == .connect)
        lab.handle(.started, at: 1)
        #expect(lab.state(1) == .active)
        let isUp = lab.run(for: .seconds(5)) { $0.isConverged }
        #expect(isUp)
        let negotiated = try #require(lab.establishments(0).first)
        #expect(negotiated.peerBGPID == Fixture.routerID("192.168.1.2"))
        #expect(negotiated.isIBGP)
        #expect(negotiated.holdTime == .seconds(90))
        #expect(negotiated.keepaliveInterval == .seconds(30))
        #expect(negotiated.families == [.ipv4Unicast])
        #expect(negotiated.wireContext == WireContext(fourOctetAS: true, maximumMessageLength: 4096, isIBGP: true))
        #expect(negotiated.keepsRoutesOnNotification)
    }

    @Test("a simultaneous connect ends in one connection and never in a lost session")
    func simultaneous() {
        var collisions = 0
        for seed in UInt64(0)..<3000 {
            let lag = Dice(seed: seed ^ 0xFFFF).next(below: 40_000)
            var lab = lab(seed: seed) { configuration in
                let isLate = (configuration.bgpID == Fixture.routerID("192.168.1.1")) == (seed % 2 == 0)
                configuration.startDelay = isLate ? .microseconds(Int64(lag) + 1) : .microseconds(1)
            }
            lab.handle(.started, at: 0)
            lab.handle(.started, at: 1)
            let isUp = lab.run(for: .milliseconds(600)) { $0.isConverged }
            #expect(isUp, "seed \(seed)")
            lab.run(for: .seconds(300))
            let isStillUp = lab.isConverged
            #expect(isStillUp, "seed \(seed)")
            #expect(lab.establishments(0).count == 1 && lab.establishments(1).count == 1, "seed \(seed)")
            #expect(lab.losses(0).isEmpty && lab.losses(1).isEmpty, "seed \(seed)")
            if lab.sessions.contains(where: { $0.status.counters.sent.notifications > 0 }) { collisions += 1 }
        }
        // The latencies are chosen so that the test means something.
        #expect(collisions > 300)
    }

    @Test("with equal identifiers in two ASes the higher AS wins (RFC 6286)")
    func equalIdentifiers() {
        for seed in UInt64(0)..<200 {
            var lab = lab(seed: seed) { configuration in
                let isFirst = configuration.bgpID == Fixture.routerID("192.168.1.1")
                configuration.bgpID = Fixture.routerID("10.0.0.1")
                configuration.localAS = ASNumber(isFirst ? 65001 : 65002)
                configuration.peerAS = ASNumber(isFirst ? 65002 : 65001)
                configuration.startDelay = .milliseconds(1)
            }
            lab.handle(.started, at: 0)
            lab.handle(.started, at: 1)
            let isUp = lab.run(for: .milliseconds(600)) { $0.isConverged }
            #expect(isUp, "seed \(seed)")
            #expect(lab.losses(0).isEmpty && lab.losses(1).isEmpty, "seed \(seed)")
        }
    }

    @Test("KEEPALIVEs hold the session for an hour")
    func keepalives() {
        var lab = lab()
        lab.handle(.started, at: 0)
        lab.handle(.started, at: 1)
        lab.run(for: .seconds(3600))
        let isUp = lab.isConverged
        #expect(isUp)
        #expect(lab.losses(0).isEmpty && lab.losses(1).isEmpty)
        let sent = lab.sessions[0].status.counters.sent.keepalives
        // Every 22.5 to 30 seconds.
        #expect((120...161).contains(sent))
    }

    @Test("a silent network ends the session at the hold time, and it comes back with the network")
    func holdExpiry() throws {
        var lab = lab { $0.gracefulRestart?.coversNotifications = false }
        lab.handle(.started, at: 0)
        lab.handle(.started, at: 1)
        lab.run(for: .seconds(60))
        lab.isConnected = false
        lab.run(for: .seconds(91))
        for node in 0...1 {
            let loss = try #require(lab.losses(node).first)
            #expect(loss.reason.contains("Hold Timer Expired"))
            #expect(!loss.keepsRoutes)
        }
        lab.run(for: .seconds(60))
        lab.isConnected = true
        let isUp = lab.run(for: .seconds(45)) { $0.isConverged }
        #expect(isUp)
    }

    @Test("kill -9 and restart of a peer keeps its routes, heard or not", arguments: [false, true], 0...99)
    func restart(silently: Bool, seed: Int) throws {
        var lab = lab(seed: UInt64(seed))
        lab.handle(.started, at: 0)
        lab.handle(.started, at: 1)
        lab.run(for: .seconds(20))
        let wasUp = lab.isConverged
        try #require(wasUp)
        var again = Fixture.configuration(host: 2, peer: 1)
        again.gracefulRestart?.isRestarting = true
        again.gracefulRestart?.isForwardingPreserved = true
        lab.replace(1, by: again, silently: silently)
        lab.run(for: .seconds(2))
        lab.handle(.started, at: 1)
        // Both come up anew on one connection. The reboot of a silent peer leaves this side's old end open until then.
        let isUp = lab.run(for: .seconds(10)) { $0.isConverged }
        #expect(isUp)
        #expect(lab.losses(0).count == 1)
        let loss = try #require(lab.losses(0).first)
        #expect(loss.keptFamilies == [.ipv4Unicast])
        #expect(loss.restartTime == .seconds(120))
        #expect(lab.sessions[0].status.hasStaleRoutes)
        let negotiated = try #require(lab.sessions[0].status.negotiated)
        #expect(negotiated.isPeerRestarting)
        #expect(!lab.log[0].contains { if case .sweepStale = $0 { true } else { false } })
    }

    @Test("a shutdown reaches the peer in words, and its routes go")
    func shutdown() throws {
        var lab = lab()
        lab.handle(.started, at: 0)
        lab.handle(.started, at: 1)
        lab.run(for: .seconds(20))
        lab.handle(.stopped(.shutdown(message: "moving racks")), at: 0)
        lab.run(for: .seconds(1))
        #expect(lab.state(0) == .idle)
        #expect(lab.state(1) != .established)
        let loss = try #require(lab.losses(1).first)
        #expect(!loss.keepsRoutes)
        // Both set the N bit, so the shutdown travels inside a Hard Reset.
        #expect(loss.reason.contains("Hard Reset"))
        #expect(loss.reason.contains("moving racks"))
        #expect(lab.sessions[1].status.lastError == loss.reason || lab.sessions[1].status.lastError != nil)
    }

    @Test("a session that is reset and started again keeps the routes on both sides (RFC 8538)")
    func reset() throws {
        var lab = lab()
        lab.handle(.started, at: 0)
        lab.handle(.started, at: 1)
        lab.run(for: .seconds(20))
        lab.handle(.stopped(.reset(message: "")), at: 0)
        lab.handle(.started, at: 0)
        let isUp = lab.run(for: .seconds(10)) { $0.isConverged }
        #expect(isUp)
        #expect(lab.losses(0).map(\.keepsRoutes) == [true])
        #expect(lab.losses(1).map(\.keepsRoutes) == [true])
        #expect(lab.sessions.allSatisfy { $0.status.hasStaleRoutes })
    }
}
