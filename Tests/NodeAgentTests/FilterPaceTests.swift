import NetTypes
import Testing

@testable import NodeAgent

@Suite("When the own tables of nftables are looked at")
struct FilterPaceTests {
    private func time(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64((1000 + seconds) * 1_000_000_000))
    }

    @Test("nothing is due before rules were changed; then at once")
    func atOnce() {
        var pace = FilterPace()
        #expect(pace.due == nil)
        let isDue = pace.takeDue(at: time(0))
        #expect(!isDue)
        pace.suspect()
        let isDueAgain = pace.takeDue(at: time(0))
        #expect(isDueAgain)
        #expect(pace.due == nil)
    }

    @Test("a change right after a look is due 20 ms after it, not at some later occasion")
    func soon() {
        var pace = FilterPace()
        pace.suspect()
        let isDue = pace.takeDue(at: time(0))
        #expect(isDue)
        pace.suspect()
        let isDueAgain = pace.takeDue(at: time(0.019))
        #expect(!isDueAgain)
        #expect(pace.due == time(0) + .milliseconds(20))
        let isDueAtLast = pace.takeDue(at: time(0.02))
        #expect(isDueAtLast)
    }

    @Test("looks that take long are so far apart that a tenth of the time goes into them")
    func slow() {
        var pace = FilterPace()
        pace.suspect()
        _ = pace.takeDue(at: time(0))
        pace.looked(until: time(0.03))
        pace.suspect()
        #expect(pace.due == time(0) + .milliseconds(300))
        let isDue = pace.takeDue(at: time(0.3))
        #expect(isDue)
        pace.looked(until: time(0.3))
        pace.suspect()
        #expect(pace.due == time(0.3) + .milliseconds(20))
    }

    @Test("the first five alterations in a row are mended within a third of a second each, however soon they follow")
    func patience() {
        var pace = FilterPace()
        var now = time(0)
        var waits: [Duration] = []
        for _ in 0..<5 {
            pace.suspect()
            let due = max(pace.due ?? now, now)
            waits.append(due - now)
            now = due
            let isDue = pace.takeDue(at: now)
            #expect(isDue)
            _ = pace.mended(at: now)
        }
        let quick = Duration.milliseconds(20)
        #expect(waits == [.zero, quick, quick, quick, .milliseconds(320)])
    }

    @Test("looks that find the tables as they should be do not end a quarrel: the own writing is heard of as well")
    func ownWriting() {
        var pace = FilterPace()
        var mended = 0
        var conflicts = 0
        // Flushed every 100 ms for a minute; each mend is heard of, and looked at.
        for tenth in 0..<600 {
            pace.suspect()
            guard pace.takeDue(at: time(Double(tenth) / 10)) else { continue }
            if pace.mended(at: time(Double(tenth) / 10)) { conflicts += 1 }
            mended += 1
            pace.suspect()
            _ = pace.takeDue(at: time(Double(tenth) / 10 + 0.05))
        }
        #expect(mended <= 12)
        #expect(conflicts == 1)
    }

    @Test("after a quiet time everything is answered at once again")
    func quiet() {
        var pace = FilterPace()
        for _ in 0..<5 {
            pace.suspect()
            _ = pace.takeDue(at: time(0))
            _ = pace.mended(at: time(0))
        }
        pace.suspect()
        let isDue = pace.takeDue(at: time(30))
        #expect(isDue)
        _ = pace.mended(at: time(30))
        pace.suspect()
        let isDueAgain = pace.takeDue(at: time(30.02))
        #expect(isDueAgain)
    }
}
