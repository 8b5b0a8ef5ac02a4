import NetTypes
import Testing

@testable import NodeAgent

@Suite struct ExportPaceTests {
    private func moment(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(1_000_000_000 + milliseconds * 1_000_000))
    }

    @Test("Where few are told, a change goes at once, and so does the next")
    func few() {
        var pace = ExportPace()
        for now in 0..<3 {
            #expect(pace.delay(at: moment(now), audience: 2) <= .zero)
            pace.sent(toPeers: 2, at: moment(now), hasMore: false)
        }
    }

    @Test("Where many are told, the first changes are gathered, for a time that ends")
    func gathering() {
        var pace = ExportPace()
        #expect(pace.delay(at: moment(0), audience: 200) == .milliseconds(5))
        #expect(pace.delay(at: moment(3), audience: 200) == .milliseconds(2))
        #expect(pace.delay(at: moment(5), audience: 200) <= .zero)
        pace.sent(toPeers: 200, at: moment(5), hasMore: false)
        #expect(pace.delay(at: moment(6), audience: 10_000) == .milliseconds(10))
    }

    @Test("A storm of changes goes out at the pace of its audience, after a few on credit")
    func storm() {
        var pace = ExportPace()
        var exports = 0
        for now in 0..<1000 where pace.delay(at: moment(now), audience: 100) <= .zero {
            pace.sent(toPeers: 100, at: moment(now), hasMore: false)
            exports += 1
        }
        #expect((20...24).contains(exports))
    }

    @Test("What a step's limit held back follows without a pause")
    func more() {
        var pace = ExportPace()
        pace.sent(toPeers: 500, at: moment(0), hasMore: true)
        #expect(pace.delay(at: moment(0), audience: 500) <= .zero)
        pace.sent(toPeers: 500, at: moment(1), hasMore: false)
        #expect(pace.delay(at: moment(1), audience: 500) > .zero)
    }
}
