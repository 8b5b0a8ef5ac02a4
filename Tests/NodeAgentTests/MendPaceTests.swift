import NetTypes
import Testing

@testable import NodeAgent

@Suite("How soon what somebody keeps altering is mended")
struct MendPaceTests {
    private func time(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64((1000 + seconds) * 1_000_000_000))
    }

    @Test("the first changes are answered at once, the fourth in a row is called a conflict, then it waits")
    func patience() {
        var pace = MendPace<String>()
        let answers = (0..<5).map { pace.answer(on: "rp_filter", at: time(Double($0) / 100)) }
        #expect(answers == [.now, .now, .now, .nowInConflict, .later])
    }

    @Test("against a writer that answers at once there are a dozen writes in ten minutes, not thousands")
    func bounded() {
        var pace = MendPace<String>()
        var mended: [Double] = []
        // The other has set it back whenever anybody looks: at every event, and once a second.
        for tenth in 0..<6000 {
            let seconds = Double(tenth) / 10
            if pace.answer(on: "rp_filter", at: time(seconds)) != .later { mended.append(seconds) }
        }
        #expect(mended.count < 20)
        #expect(mended.last ?? 0 > 500)
    }

    @Test("what waits is due when its pause is over, once")
    func due() {
        var pace = MendPace<String>()
        for _ in 0..<5 { _ = pace.answer(on: "rp_filter", at: time(0)) }
        let early = pace.takeDue(at: time(0.9))
        let now = pace.takeDue(at: time(1))
        let again = pace.takeDue(at: time(1))
        #expect((early, now, again) == (false, true, false))
        #expect(pace.answer(on: "rp_filter", at: time(1)) == .now)
        #expect(pace.answer(on: "rp_filter", at: time(2.9)) == .later)
        #expect(pace.answer(on: "rp_filter", at: time(3)) == .now)
    }

    @Test("who waits knows until when, and nobody waits for what was mended")
    func knownDue() {
        var pace = MendPace<String>()
        for _ in 0..<4 { _ = pace.answer(on: "eth0", at: time(0)) }
        #expect(pace.due == nil)
        #expect(pace.due(for: "eth0") == time(1))
        #expect(pace.due(for: "eth1") == nil)
        _ = pace.answer(on: "eth0", at: time(0.5))
        #expect(pace.due == time(1))
        for _ in 0..<4 { _ = pace.answer(on: "eth1", at: time(0.2)) }
        let mustWait = pace.mustWait("eth1", at: time(0.6))
        #expect(mustWait)
        #expect(pace.due == time(1))
        _ = pace.answer(on: "eth0", at: time(1))
        #expect(pace.due == time(1.2))
        _ = pace.takeDue(at: time(1.2))
        #expect(pace.due == nil)
    }

    @Test("the first pause is as asked for, the next are twice as long each, up to 64 s")
    func pauses() {
        var pace = MendPace<String>(firstPause: .milliseconds(320))
        for _ in 0..<3 { _ = pace.answer(on: "rules", at: time(0)) }
        var now = time(0)
        var pauses: [Duration] = []
        for _ in 0..<10 {
            _ = pace.answer(on: "rules", at: now)
            let due = pace.due(for: "rules") ?? now
            pauses.append(due - now)
            now = due
        }
        #expect(pauses == [320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 64000, 64000].map(Duration.milliseconds))
    }

    @Test("one thing's quarrel does not slow another's")
    func separate() {
        var pace = MendPace<String>()
        for _ in 0..<9 { _ = pace.answer(on: "eth0", at: time(0)) }
        #expect(pace.answer(on: "vxlan.calico", at: time(0)) == .now)
    }

    @Test("a change long after the last is answered at once again")
    func forgotten() {
        var pace = MendPace<String>()
        for _ in 0..<9 { _ = pace.answer(on: "eth0", at: time(0)) }
        let answers = (0..<4).map { pace.answer(on: "eth0", at: time(60 + Double($0))) }
        #expect(answers == [.now, .now, .now, .nowInConflict])
    }
}
