import NetTypes
import Testing

@testable import NodeAgent

@Suite struct LogPaceTests {
    private typealias Pace = LogPace<Int>

    private func moment(_ seconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(seconds) * 1_000_000_000)
    }

    @Test("A subject has a few lines in a minute, and the next tells how many were left out")
    func few() {
        var pace = Pace()
        let first = (0..<1000).map { _ in pace.line(about: 1, at: moment(10)) }
        #expect(first.prefix(Pace.linesPerWindow).allSatisfy { $0 == 0 })
        #expect(first.dropFirst(Pace.linesPerWindow).allSatisfy { $0 == nil })
        #expect(pace.line(about: 1, at: moment(69)) == nil)
        #expect(pace.line(about: 1, at: moment(70)) == 1001 - Pace.linesPerWindow)
        #expect(pace.line(about: 1, at: moment(70)) == 0)
    }

    @Test("One subject's lines are not at another's cost")
    func apart() {
        var pace = Pace()
        for _ in 0..<100 { _ = pace.line(about: 1, at: moment(1)) }
        #expect(pace.line(about: 2, at: moment(1)) == 0)
    }

    @Test("Any number of subjects has a bounded number of lines, and all that is left out is told")
    func many() {
        var pace = Pace()
        var (written, told) = (0, 0)
        let count = 100_000
        func take(_ subject: Int, at second: Int) {
            guard let leftOut = pace.line(about: subject, at: moment(second)) else { return }
            written += 1
            told += leftOut
        }
        for subject in 0..<count { for _ in 0..<2 { take(subject, at: 1) } }
        #expect(written <= Pace.linesPerWindow * (Pace.subjectLimit + 1))
        // The last lines of a storm are told of with what comes after it.
        for subject in 0...Pace.subjectLimit { take(count + subject, at: 100) }
        #expect(written + told == 2 * count + Pace.subjectLimit + 1)
    }

    @Test("What was left out of a subject that is forgotten is told with those that come after the limit")
    func forgotten() {
        var pace = Pace()
        for subject in 0..<Pace.subjectLimit { for _ in 0..<10 { _ = pace.line(about: subject, at: moment(1)) } }
        let leftOut = (10 - Pace.linesPerWindow) * Pace.subjectLimit
        // All are forgotten when one more comes; the places are filled again, then the others have their line.
        let after = (1000...1000 + Pace.subjectLimit).compactMap { pace.line(about: $0, at: moment(100)) }
        #expect(after.reduce(0, +) == leftOut)
    }
}
