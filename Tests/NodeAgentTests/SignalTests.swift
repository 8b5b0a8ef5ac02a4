import Testing

@testable import NodeAgent

@Suite("Signals")
struct SignalTests {
    @Test("wake-ups before the wait count as one")
    func together() async {
        let signal = Signal()
        signal.raise()
        signal.raise()
        signal.finish()
        var turns = 0
        await signal.forEach { turns += 1 }
        #expect(turns == 1)
    }

    @Test("a loop that raises its own signal ends with its task", .timeLimit(.minutes(1)))
    func cancelled() async {
        let signal = Signal()
        let turned = Signal()
        let loop = Task {
            await signal.forEach {
                turned.raise()
                try? await Task.sleep(for: .milliseconds(1))
                signal.raise()
            }
        }
        signal.raise()
        await turned.wait()
        loop.cancel()
        await loop.value
    }
}
