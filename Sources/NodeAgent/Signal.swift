/// Wakes one waiting task. Any number of calls before it wakes count as one: what there is to do is pulled, not pushed.
struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// A signal that nobody has raised.
    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Wakes the waiter, now or when it next waits.
    func raise() {
        continuation.yield()
    }

    /// Ends the waiter's loop.
    func finish() {
        continuation.finish()
    }

    /// Waits for one wake-up, or the end.
    func wait() async {
        for await _ in stream { return }
    }

    /// Runs `body` once for every wake-up until the signal is finished or the task is cancelled.
    func forEach(_ body: () async throws -> Void) async rethrows {
        for await _ in stream {
            try await body()
        }
    }
}
