import BGPSession
import Testing

@testable import NodeAgent

@Suite("What the log is told of attempts that fail")
struct FailureReportTests {
    @Test("each cause is told once: a NOTIFICATION at once, a connection that fails when it does again")
    func causes() {
        let failures: [(String, AttemptFailure.Sign)] = [
            ("refused", .unconnected), ("sent Bad Peer AS", .notification), ("refused", .unconnected),
            ("sent Bad Peer AS", .notification), ("refused", .unconnected), ("reset", .closed),
            ("received Cease", .notification),
        ]
        var report = FailureReport()
        let told = failures.enumerated().map { place, failure in
            report.isNew(AttemptFailure(number: UInt64(place) + 1, reason: failure.0, sign: failure.1))
        }
        #expect(told == [false, true, true, false, false, false, true])
    }

    @Test("a failure is told of once, however many events follow it")
    func again() {
        let failure = AttemptFailure(number: 1, reason: "sent Bad Peer AS", sign: .notification)
        var report = FailureReport()
        let told = [report.isNew(failure), report.isNew(failure)]
        #expect(told == [true, false])
    }
}
