import NetTypes
import Testing

@testable import BFD

@Suite("A BFD session")
struct BFDSessionTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private static func session(_ name: UInt32 = 1, multiplier: UInt8 = 3, seed: UInt64 = 1) -> BFDSession {
        BFDSession(
            configuration: BFDConfiguration(
                minimumTransmitInterval: .milliseconds(100), minimumReceiveInterval: .milliseconds(100),
                multiplier: multiplier, discriminator: name, jitterSeed: seed), at: start)
    }

    private static func packet(_ state: BFDState, final: Bool = false) -> BFDPacket {
        var packet = BFDPacket()
        (packet.state, packet.myDiscriminator, packet.yourDiscriminator) = (state, 9, 1)
        (packet.desiredMinimumTransmit, packet.requiredMinimumReceive) = (100_000, 100_000)
        packet.isFinal = final
        return packet
    }

    /// A session in that state.
    private static func session(in state: BFDState) -> BFDSession {
        var session = session()
        if state != .down { _ = session.handle(packet(.down), at: start) }
        if state == .up { _ = session.handle(packet(.`init`), at: start) }
        return session
    }

    @Test(
        "every state and every state of the peer (RFC 5880 §6.8.6)",
        arguments: [
            (BFDState.down, BFDState.adminDown, BFDState.down), (.down, .down, .`init`), (.down, .`init`, .up),
            (.down, .up, .down), (.`init`, .adminDown, .down), (.`init`, .down, .`init`), (.`init`, .`init`, .up),
            (.`init`, .up, .up), (.up, .adminDown, .down), (.up, .down, .down), (.up, .`init`, .up), (.up, .up, .up),
        ])
    func states(_ from: BFDState, _ peer: BFDState, _ to: BFDState) {
        var session = Self.session(in: from)
        #expect(session.state == from)
        let effects = session.handle(Self.packet(peer), at: Self.start)
        #expect(session.state == to)
        #expect(effects.contains(.cameUp) == (from != .up && to == .up))
        let down = BFDEffect.wentDown(.neighborSignaledDown, peer == .adminDown ? .administrative : .unreachable)
        #expect(effects.contains(down) == (from == .up && to == .down))
    }

    @Test("two sessions come up, and one that hears nothing any more goes down within three intervals")
    func pair() {
        var (left, right) = (Self.session(1, seed: 1), Self.session(2, seed: 2))
        var now = Self.start
        var inFlight: [(isForLeft: Bool, packet: BFDPacket)] = []
        var lastHeard = now
        var downAt: MonotonicTime?
        let silence = Self.start + .seconds(5)
        while now < Self.start + .seconds(10), downAt == nil {
            now = now + .milliseconds(1)
            var effects: [(Bool, BFDEffect)] = []
            for (isForLeft, packet) in inFlight {
                effects += (isForLeft ? left.handle(packet, at: now) : right.handle(packet, at: now))
                    .map { (!isForLeft, $0) }
                if isForLeft { lastHeard = now }
            }
            inFlight = []
            if now >= left.nextDeadline { effects += left.handleTimer(at: now).map { (false, $0) } }
            if now >= right.nextDeadline { effects += right.handleTimer(at: now).map { (true, $0) } }
            for (isForLeft, effect) in effects {
                switch effect {
                case .send(let packet): if !(isForLeft && now >= silence) { inFlight.append((isForLeft, packet)) }
                case .cameUp: #expect(now - Self.start < .seconds(3))
                case .wentDown(let reason, _):
                    if !isForLeft || reason == .detectionTimeExpired { downAt = downAt ?? now }
                }
            }
        }
        #expect(downAt.map { $0 - lastHeard } == .milliseconds(300))
        #expect(left.state == .down)
    }

    @Test("before it is up a session sends once a second, less the jitter, and then as configured")
    func intervals() {
        var session = Self.session()
        _ = session.handleTimer(at: Self.start)
        let slow = session.nextDeadline - Self.start
        #expect(slow >= .milliseconds(750) && slow <= .seconds(1))
        session = Self.session(in: .up)
        for _ in 0..<100 {
            let now = session.nextDeadline
            _ = session.handle(Self.packet(.up), at: now)
            _ = session.handleTimer(at: now)
            let fast = session.nextDeadline - now
            #expect(fast >= .milliseconds(75) && fast <= .milliseconds(100))
        }
    }

    @Test("coming up is polled until the peer confirms, and a poll is answered at once")
    func poll() {
        var session = Self.session(in: .`init`)
        func polls(_ effects: [BFDEffect]) -> [Bool] {
            effects.compactMap { if case .send(let packet) = $0 { packet.isPoll } else { nil } }
        }
        #expect(polls(session.handle(Self.packet(.up), at: Self.start)) == [true])
        #expect(polls(session.handleTimer(at: session.nextDeadline)) == [true])
        _ = session.handle(Self.packet(.up, final: true), at: Self.start)
        #expect(polls(session.handleTimer(at: session.nextDeadline)) == [false])
        var asking = Self.packet(.up)
        asking.isPoll = true
        let answer = session.handle(asking, at: Self.start)
        #expect(answer.contains { if case .send(let packet) = $0 { packet.isFinal && !packet.isPoll } else { false } })
    }

    @Test("a peer that takes no packets gets none, and another's packet changes nothing")
    func quiet() {
        var session = Self.session(in: .up)
        var quiet = Self.packet(.up)
        quiet.requiredMinimumReceive = 0
        _ = session.handle(quiet, at: Self.start)
        #expect(session.handleTimer(at: session.nextDeadline) == [])
        var foreign = Self.packet(.down)
        foreign.yourDiscriminator = 5
        #expect(session.handle(foreign, at: Self.start) == [] && session.state == .up)
    }

    private static func sent(_ effects: [BFDEffect]) -> [BFDPacket] {
        effects.compactMap { if case .send(let packet) = $0 { packet } else { nil } }
    }

    @Test("a session that ends says that it was told to, and nothing after that; the peer takes it for no failure")
    func end() throws {
        var session = Self.session(in: .up)
        let last = session.stop()
        let packet = try #require(last)
        #expect(packet.state == .adminDown && packet.diagnostic == .administrativelyDown)
        #expect(packet.yourDiscriminator == 9)
        #expect(session.handleTimer(at: session.nextDeadline) == [])
        #expect(session.handle(Self.packet(.up), at: Self.start + .seconds(1)) == [])
        var peer = Self.session(in: .up)
        var told = packet
        told.yourDiscriminator = 1
        #expect(peer.handle(told, at: Self.start).first == .wentDown(.neighborSignaledDown, .administrative))
        var lonely = Self.session()
        let nothing = lonely.stop()
        #expect(nothing == nil)
    }

    @Test("other intervals are polled while the session stays up, and slower ones count when the peer has answered")
    func change() throws {
        var session = Self.session(in: .up)
        _ = session.handle(Self.packet(.up, final: true), at: Self.start)
        #expect(session.detectionTime == .milliseconds(300))
        session.change(transmit: .milliseconds(400), receive: .milliseconds(50), multiplier: 5, at: Self.start)
        var now = session.nextDeadline
        let sent = Self.sent(session.handleTimer(at: now))
        let poll = try #require(sent.first)
        #expect(poll.isPoll && poll.state == .up && poll.multiplier == 5 && poll.myDiscriminator == 1)
        #expect(poll.desiredMinimumTransmit == 400_000 && poll.requiredMinimumReceive == 50_000)
        #expect(session.nextDeadline - now <= .milliseconds(100) && session.detectionTime == .milliseconds(300))
        #expect(session.handle(Self.packet(.up, final: true), at: now) == [] && session.state == .up)
        now = session.nextDeadline
        #expect(Self.sent(session.handleTimer(at: now)).map(\.isPoll) == [false])
        #expect(session.detectionTime == .milliseconds(300))
        _ = session.handle(Self.packet(.up), at: now)
        #expect(session.nextDeadline - now >= .milliseconds(300))
        // Faster ones count at once for what is sent.
        session.change(transmit: .milliseconds(20), receive: .milliseconds(200), multiplier: 3, at: now)
        var fast = Self.packet(.up)
        fast.requiredMinimumReceive = 10_000
        _ = session.handle(fast, at: now)
        #expect(session.nextDeadline - now <= .milliseconds(20) && session.detectionTime == .milliseconds(600))
    }

    @Test("a change while a poll is under way is polled until its own answer")
    func changeTwice() {
        var session = Self.session(in: .up)
        session.change(transmit: .milliseconds(200), receive: .milliseconds(200), multiplier: 3, at: Self.start)
        _ = session.handle(Self.packet(.up, final: true), at: Self.start)
        #expect(Self.sent(session.handleTimer(at: session.nextDeadline)).map(\.isPoll) == [true])
        _ = session.handle(Self.packet(.up, final: true), at: Self.start)
        #expect(Self.sent(session.handleTimer(at: session.nextDeadline)).map(\.isPoll) == [false])
    }

    @Test("each change of state is told at once, and when the peer was last reached is known")
    func prompt() {
        var session = Self.session()
        _ = session.handleTimer(at: Self.start)
        let now = Self.start + .milliseconds(1)
        #expect(Self.sent(session.handle(Self.packet(.down), at: now)).map(\.state) == [.`init`])
        #expect(session.lastHeard == nil)
        #expect(Self.sent(session.handle(Self.packet(.up), at: now)).map(\.state) == [.up])
        #expect(Self.sent(session.handle(Self.packet(.down), at: now + .seconds(1))).map(\.state) == [.down])
        #expect(session.lastHeard == now)
    }
}
