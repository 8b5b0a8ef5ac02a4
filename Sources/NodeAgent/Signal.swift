import Synchronization

/// Wakes one waiting task. Any number of calls before it wakes count as one: what there is to do is pulled, not pushed.
///
/// The task goes on where it waited. On its actor's own thread it does so without another in between only where it prefers
/// that thread (`ActorThreadPreference`).
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var isFinished = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// A signal that nobody has raised.
    init() {}

    /// Wakes the waiter, now or when it next waits.
    func raise() { change { $0.isRaised = true } }

    /// Ends the waiter's loop.
    func finish() { change { $0.isFinished = true } }

    /// Waits for one wake-up, or the end.
    func wait() async { _ = await isRaisedAgain() }

    /// Runs `body` once for every wake-up until the signal is finished or the task is cancelled.
    func forEach(_ body: () async throws -> Void) async rethrows {
        while await isRaisedAgain() { try await body() }
    }

    /// Waits for one wake-up; false at the end.
    private func isRaisedAgain() async -> Bool {
        while true {
            let (isRaised, isOver) = state.withLock { state in
                defer { state.isRaised = false }
                return (state.isRaised, state.isFinished)
            }
            // Before the wake-up: a loop that raises the signal it waits for would never end.
            if Task.isCancelled { return false }
            if isRaised { return true }
            if isOver { return false }
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiter in
                    let isLate = state.withLock { state in
                        let isLate = state.isRaised || state.isFinished || Task.isCancelled
                        if !isLate { state.waiters.append(waiter) }
                        return isLate
                    }
                    if isLate { waiter.resume() }
                }
            } onCancel: {
                change { _ in }
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
