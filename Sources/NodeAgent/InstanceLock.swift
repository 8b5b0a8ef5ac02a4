import LinuxOS

/// Keeps a second daemon off the run directory; the kernel lets go of it however the process ends.
final class InstanceLock: Sendable {
    private let lock: FileLock

    /// Takes the lock.
    ///
    /// - Throws: `NodeAgentError.alreadyRunning`.
    init(runDirectory: String) throws {
        guard let lock = try FileLock.tryLock("\(runDirectory)/apusd.lock") else {
            throw NodeAgentError.alreadyRunning(path: runDirectory)
        }
        self.lock = lock
    }
}
