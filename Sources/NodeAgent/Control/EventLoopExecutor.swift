import NIOCore

/// Runs tasks on an event loop, beside what the loop does itself.
///
/// A conversation on the node socket is a few short steps between reads and writes of the loop. On the global executor
/// each step would cost two changes of thread. What takes longer than such a step does not belong here.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    /// An executor on that loop.
    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Puts the job behind what the loop has to do already.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute {
            // SAFETY: the closure keeps the executor alive, and a job is enqueued once.
            unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
