import ModePlugins
import NetTypes
import Testing

@testable import NodeAgent

@Suite("What the checksum offload of a tunnel device is to be")
struct OffloadPlanTests {
    private static let peers = (1...3).map { IPAddress.v4(IPv4Address(rawValue: 0x0af4_0000 | UInt32($0) << 8)) }
    private static let own = IPAddress.v4(IPv4Address(rawValue: 0x0af4_0000))
    private let path = OffloadPlan.Path(link: 7, parent: 2)

    private func time(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64((1000 + seconds) * 1_000_000_000))
    }

    private func next(_ plan: inout OffloadPlan, at seconds: Double) -> OffloadPlan.Attempt? {
        plan.next(at: time(seconds)) { _, _, others in
            Self.peers.first { !others.contains($0) }.map { (Self.own, $0) }
        }
    }

    /// Goes on until the trial is over, as a network does in which packets with, or without, the offload arrive.
    private func finish(
        _ plan: inout OffloadPlan, at seconds: Double, with: Bool, without: Bool,
    ) -> (peer: IPAddress?, isOn: Bool) {
        var isOn = true
        var peer: IPAddress?
        while let attempt = next(&plan, at: seconds) {
            (isOn, peer) = (attempt.isOffloadOn, attempt.peer)
            let outcome: OffloadTrial.Outcome = (isOn ? with : without) ? .answered : .silent
            isOn = plan.take(outcome, of: attempt, isUndisturbed: true, at: time(seconds)) ?? isOn
        }
        return (peer, isOn)
    }

    private func keep(
        _ plan: inout OffloadPlan, _ path: OffloadPlan.Path? = nil, isOn: Bool, isBroken: Bool? = nil,
        at seconds: Double = 0,
    ) -> Bool? {
        plan.keep(.vxlan, path ?? self.path, isOn: isOn, isBroken: isBroken, at: time(seconds))
    }

    @Test("a device is left as it is, tried once after a second, and then never again")
    func sound() {
        var plan = OffloadPlan()
        #expect(keep(&plan, isOn: true) == nil)
        #expect(!plan.isDue(at: time(0.5)) && plan.isDue(at: time(1)))
        let (peer, isOn) = finish(&plan, at: 1, with: true, without: true)
        #expect(peer == Self.peers[0] && isOn)
        #expect(plan.findings[.vxlan] == .sound(with: Self.peers[0]))
        plan.peerCame(at: time(1000))
        #expect(!plan.isDue(at: time(1_000_000)))
    }

    @Test("a broken offload stays off, whoever turns it on, for a device that is made anew too")
    func broken() {
        var plan = OffloadPlan()
        _ = keep(&plan, isOn: true)
        #expect(finish(&plan, at: 1, with: false, without: true).isOn == false)
        #expect(plan.findings[.vxlan] == .broken(with: Self.peers[0]))
        #expect(keep(&plan, isOn: false) == nil)
        #expect(keep(&plan, isOn: true) == false)
        #expect(keep(&plan, OffloadPlan.Path(link: 9, parent: 2), isOn: true) == false)
    }

    @Test("behind another parent it is turned on again and tried anew")
    func otherParent() {
        var plan = OffloadPlan()
        _ = keep(&plan, isOn: true)
        _ = finish(&plan, at: 1, with: false, without: true)
        #expect(keep(&plan, OffloadPlan.Path(link: 7, parent: 3), isOn: false, at: 60) == true)
        #expect(plan.findings[.vxlan] == .unknown)
        _ = finish(&plan, at: 61, with: true, without: true)
        #expect(plan.findings[.vxlan] == .sound(with: Self.peers[0]))
    }

    @Test("where nobody answers nothing is concluded, the offload is on, and another node is asked ever later")
    func undecided() {
        var plan = OffloadPlan()
        _ = keep(&plan, isOn: true)
        var asked: [IPAddress?] = []
        var times: [Int] = []
        for second in 1...600 {
            guard plan.isDue(at: time(Double(second))) else { continue }
            let (peer, isOn) = finish(&plan, at: Double(second), with: false, without: false)
            #expect(isOn)
            asked.append(peer)
            times.append(second)
        }
        #expect(times == [1, 6, 16, 36, 76, 156, 316])
        #expect(asked.prefix(4) == [Self.peers[0], Self.peers[1], Self.peers[2], Self.peers[0]])
        #expect(plan.findings[.vxlan] == .unknown)
        // A session that comes up is a reason to ask at once.
        #expect(!plan.isDue(at: time(601)))
        plan.peerCame(at: time(601))
        #expect(plan.isDue(at: time(601)))
    }

    @Test("without a node behind the tunnel nothing is tried until one comes")
    func alone() {
        var plan = OffloadPlan()
        _ = keep(&plan, isOn: true)
        #expect(plan.next(at: time(1)) { _, _, _ in nil } == nil)
        #expect(!plan.isDue(at: time(2)))
        plan.peerCame(at: time(2))
        #expect(next(&plan, at: 2)?.peer == Self.peers[0])
    }

    @Test("what is found off is left off, and tried when somebody turns it on")
    func foundOff() {
        var plan = OffloadPlan()
        #expect(keep(&plan, isOn: false) == nil)
        #expect(plan.findings[.vxlan] == .foundOff && !plan.isDue(at: time(1000)))
        #expect(keep(&plan, isOn: true, at: 5) == nil)
        #expect(plan.isDue(at: time(5)))
        _ = finish(&plan, at: 5, with: true, without: true)
        #expect(keep(&plan, isOn: false, at: 9) == nil)
        #expect(plan.findings[.vxlan] == .foundOff)
    }

    @Test("the operator's word is carried out without a trial; taken back, the trial follows")
    func decided() {
        var plan = OffloadPlan()
        #expect(keep(&plan, isOn: true, isBroken: true) == false)
        #expect(keep(&plan, isOn: false, isBroken: true) == nil)
        #expect(!plan.isDue(at: time(1000)))
        #expect(keep(&plan, isOn: false, isBroken: false) == true)
        #expect(keep(&plan, isOn: true, isBroken: false) == nil)
        #expect(keep(&plan, isOn: true, isBroken: true) == false)
        #expect(keep(&plan, isOn: false) == true)
        #expect(plan.findings[.vxlan] == .unknown && plan.isDue(at: time(1)))
    }

    @Test("a trial that somebody disturbs, or whose device is made anew, shows nothing")
    func disturbed() throws {
        var plan = OffloadPlan()
        _ = keep(&plan, isOn: true)
        let first = try #require(next(&plan, at: 1))
        #expect(plan.take(.answered, of: first, isUndisturbed: false, at: time(1)) == nil)
        #expect(plan.findings[.vxlan] == .unknown)
        let second = try #require(next(&plan, at: 7))
        _ = keep(&plan, OffloadPlan.Path(link: 8, parent: 2), isOn: true, at: 7)
        #expect(plan.take(.answered, of: second, isUndisturbed: true, at: time(8)) == nil)
        #expect(plan.findings[.vxlan] == .unknown)
    }

    @Test("at the daemon's end a trial leaves the offload on")
    func abandoned() {
        var plan = OffloadPlan()
        _ = keep(&plan, isOn: true)
        for _ in 0..<3 {
            guard let attempt = next(&plan, at: 1) else { return }
            _ = plan.take(.silent, of: attempt, isUndisturbed: true, at: time(1))
        }
        #expect(next(&plan, at: 1)?.isOffloadOn == false)
        #expect(plan.abandon() == [.vxlan])
        #expect(plan.abandon() == [])
    }
}
