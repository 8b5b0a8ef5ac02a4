import Glibc
import Testing

@testable import NodeAgent

@Suite("A thread of its own for an actor")
struct BlockingThreadExecutorTests {
    private actor Worker {
        let executor = BlockingThreadExecutor()

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            // SAFETY: the actor owns its executor.
            unsafe executor.asUnownedSerialExecutor()
        }

        var thread: pthread_t { pthread_self() }

        /// The threads of what is nobody's while this actor's task runs, without and with the preference.
        func threadsOfOthers() async -> (without: pthread_t, with: pthread_t) {
            let without = await threadOfNobody()
            let with = await withTaskExecutorPreference(ActorThreadPreference(executor)) { await threadOfNobody() }
            return (without, with)
        }
    }

    @Test("A task that prefers it goes on upon its thread, where any other is handed through one of the pool's")
    func preference() async throws {
        let worker = Worker()
        let own = await worker.thread
        let (without, with) = await worker.threadsOfOthers()
        #expect(without != own)
        #expect(with == own)
        try await worker.executor.shutdown()
    }
}

@concurrent private func threadOfNobody() async -> pthread_t {
    await Task.yield()
    return pthread_self()
}
