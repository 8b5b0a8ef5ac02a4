import NetTypes
import Testing

@testable import NodeAgent

@Suite("How long a restart holds the End-of-RIB")
struct RestartStateTests {
    /// A restart of which so much is known, and after how many milliseconds from the first session it is complete.
    struct Row: Sendable {
        let awaited: RestartState.Awaited
        let milliseconds: Int
    }

    /// The first session is up a hundred milliseconds after the wait began, so the limit is over 4.9 s after it.
    static let rows = [
        Row(awaited: .init(), milliseconds: 1000),
        Row(awaited: .init(lacksOthers: true), milliseconds: 2500),
        Row(awaited: .init(lacksClients: true), milliseconds: 4900),
        Row(awaited: .init(lacksClients: true, lacksOthers: true), milliseconds: 4900),
        Row(awaited: .init(isAnybodySpeaking: true), milliseconds: 4900),
    ]

    @Test("peers that are up are waited for, a reflector's clients even if they are not", arguments: rows)
    func completed(row: Row) {
        for isRestarting in [true, false] {
            var state = RestartState(isRestarting: isRestarting)
            state.isGathering = !isRestarting
            let start = MonotonicTime(nanoseconds: 1_000_000_000)
            state.configured(at: start)
            let up = start + .milliseconds(100)
            state.sessionCameUp(at: up)
            let end = up + .milliseconds(row.milliseconds)
            #expect(state.completed(awaiting: row.awaited, at: end + .milliseconds(-1)) == nil)
            #expect(state.completed(awaiting: row.awaited, at: end) != nil)
        }
    }

    @Test("without a session the limit ends it, and nothing else")
    func nobody() {
        var state = RestartState(isRestarting: true)
        let start = MonotonicTime(nanoseconds: 0)
        #expect(state.completed(awaiting: .init(), at: start + .seconds(60)) == nil)
        state.configured(at: start)
        #expect(state.completed(awaiting: .init(), at: start + .milliseconds(4999)) == nil)
        #expect(state.completed(awaiting: .init(), at: start + .seconds(5)) != nil)
        state.end()
        #expect(state.completed(awaiting: .init(), at: start + .seconds(6)) == nil)
    }
}
