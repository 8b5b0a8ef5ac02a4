import NetTypes
import Testing

@testable import NodeAgent

@Suite("A trial of the checksum offload with one node")
struct OffloadTrialTests {
    /// What happened, connection by connection, and what came of it.
    struct Course: Sendable, CustomTestStringConvertible {
        var outcomes: [OffloadTrial.Outcome]
        /// What the offload was for each connection.
        var offload: [Bool]
        var verdict: OffloadTrial.Verdict?

        var testDescription: String { "\(outcomes) → \(verdict.map { "\($0)" } ?? "goes on")" }
    }

    @Test(
        "an answer with the offload is enough; only silence with it and answers without it, in turns, condemn it",
        arguments: [
            Course(outcomes: [.answered], offload: [true], verdict: .sound),
            // A lost packet, or the other node was not ready yet.
            Course(outcomes: [.silent, .answered], offload: [true, true], verdict: .sound),
            Course(outcomes: [.silent, .silent, .answered], offload: [true, true, true], verdict: .sound),
            Course(
                outcomes: [.silent, .silent, .silent, .answered, .silent, .answered],
                offload: [true, true, true, false, true, false], verdict: .broken),
            Course(
                outcomes: [.silent, .silent, .silent, .silent, .answered, .silent, .answered],
                offload: [true, true, true, false, false, true, false], verdict: .broken),
            // The other node came up just then.
            Course(
                outcomes: [.silent, .silent, .silent, .answered, .answered],
                offload: [true, true, true, false, true], verdict: .sound),
            // It is down, or a firewall is in the way.
            Course(
                outcomes: [.silent, .silent, .silent, .silent, .silent], offload: [true, true, true, false, false],
                verdict: .undecided),
            Course(
                outcomes: [.silent, .silent, .silent, .answered, .silent, .silent, .silent],
                offload: [true, true, true, false, true, false, false], verdict: .undecided),
            Course(outcomes: [.impossible], offload: [true], verdict: .undecided),
            Course(
                outcomes: [.silent, .silent, .silent, .impossible], offload: [true, true, true, false],
                verdict: .undecided),
            Course(outcomes: [.silent, .silent], offload: [true, true], verdict: nil),
        ])
    func course(_ course: Course) throws {
        let (own, other) = (try #require(IPAddress("10.244.0.0")), try #require(IPAddress("10.244.1.0")))
        var trial = OffloadTrial(from: own, with: other)
        var verdict: OffloadTrial.Verdict?
        for (outcome, isOn) in zip(course.outcomes, course.offload) {
            #expect(verdict == nil)
            #expect(trial.isOffloadOn == isOn)
            verdict = trial.take(outcome)
        }
        #expect(verdict == course.verdict)
    }
}
