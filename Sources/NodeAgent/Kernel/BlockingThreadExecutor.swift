import NIOPosix

/// The executor of an actor whose calls block: one thread of its own, jobs in the order they came.
///
/// Netlink calls wait for the kernel. They must not run on an event loop, where keepalives would wait behind them, nor on
/// the cooperative pool, whose threads are few.
final class BlockingThreadExecutor: SerialExecutor {
    private let pool: NIOThreadPool

    /// Starts the thread.
    init() {
        pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
    }

    /// Runs the job on the thread. A job that comes after the shutdown runs too, on the thread that brought it, so that
    /// whoever waits for it is not left waiting.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in
            // SAFETY: the closure keeps the executor alive, and a job is enqueued once.
            unsafe job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }

    /// Lets the thread end once the jobs before this call are done.
    func shutdown() async throws {
        try await pool.shutdownGracefully()
    }

    /// Runs a job that belongs to no actor on the thread.
    fileprivate func enqueue(_ job: UnownedJob, preferring preference: ActorThreadPreference) {
        pool.submit { _ in
            // SAFETY: the closure keeps both executors alive, a job is enqueued once, and the thread is the actor's.
            unsafe job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: preference.asUnownedTaskExecutor())
        }
    }
}

/// What a task of such an actor prefers (`withTaskExecutorPreference`) that is to be woken on the actor's thread at once.
///
/// Without it a task goes on after a continuation on one of the cooperative pool's threads, which hands it to the actor's.
final class ActorThreadPreference: TaskExecutor {
    private let executor: BlockingThreadExecutor

    /// Prefers the thread of an actor's executor.
    init(_ executor: BlockingThreadExecutor) {
        self.executor = executor
    }

    /// Runs the job on the actor's thread.
    func enqueue(_ job: consuming ExecutorJob) { executor.enqueue(UnownedJob(job), preferring: self) }
}
