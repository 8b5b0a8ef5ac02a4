import NetTypes
import Testing

@testable import NodeAgent

@Suite struct OutageTests {
    @Test("What fails every second on many threads begins once, and again after a minute without")
    func once() {
        var outage = Outage()
        var begun: [Int] = []
        let failures = (0..<300).flatMap { [$0, $0] } + [301, 361, 422, 423]
        for second in failures where outage.begins(at: MonotonicTime(nanoseconds: UInt64(second) * 1_000_000_000)) {
            begun.append(second)
        }
        #expect(begun == [0, 422])
    }
}
