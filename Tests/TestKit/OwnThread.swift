import Glibc

/// Runs a synchronous closure on a thread that ends with it, without losing the test it belongs to.
package enum OwnThread {
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        // A task that prefers the executor keeps the task-local values by which the testing library knows the test.
        let task = Task(executorPreference: OneThreadPerJob()) { @concurrent in try body() }
        return try await task.value
    }
}

/// An executor that gives every job a new thread. A job without suspension has that thread for itself.
private final class OneThreadPerJob: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        // SAFETY: a job is run once, by the thread made for it.
        let work = unsafe Unmanaged.passRetained(Work(UnownedJob(job), asUnownedTaskExecutor(), self))
        var thread = pthread_t()
        // SAFETY: the new thread takes over the reference that was passed to it.
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                unsafe work.job.runSynchronously(on: work.executor)
                return nil
            }, unsafe work.toOpaque())
        precondition(result == 0, "cannot start a thread: errno \(result)")
        pthread_detach(thread)
    }
}

/// What a new thread is given.
@safe
private final class Work {
    let job: UnownedJob
    let executor: UnownedTaskExecutor
    /// Keeps alive what `executor` refers to.
    private let owner: OneThreadPerJob

    init(_ job: UnownedJob, _ executor: UnownedTaskExecutor, _ owner: OneThreadPerJob) {
        self.job = job
        unsafe self.executor = executor
        self.owner = owner
    }
}
