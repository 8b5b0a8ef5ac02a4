import NIOPosix

/// The executor of an actor whose calls block: one thread of its own, jobs in the order they came.
///
/// Netlink calls wait for the kernel. They must not run on an event loop, where keepalives would wait behind them, nor on
/// the cooperative pool, whose threads are few.
///
/// A task that prefers it (`withTaskExecutorPreference`) is woken on that thread. Other tasks go on after a continuation
/// on one of the cooperative pool's threads, which hands them back to the actor's: two threads more to wait for.
final class BlockingThreadExecutor: SerialExecutor, TaskExecutor {
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
            unsafe job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
    }

    /// Lets the thread end once the jobs before this call are done.
    func shutdown() async throws {
        try await pool.shutdownGracefully()
    }
}
