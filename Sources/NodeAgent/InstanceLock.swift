import LinuxOS
import Synchronization

/// Keeps a second daemon off the run directory; the kernel lets go of it however the process ends.
final class InstanceLock: Sendable {
    private let runDirectory: String
    private let lock: Mutex<FileLock>

    /// Takes the lock.
    ///
    /// - Throws: `NodeAgentError.alreadyRunning`.
    init(runDirectory: String) throws {
        self.runDirectory = runDirectory
        lock = Mutex(try Self.take(runDirectory))
    }

    /// Takes the lock on the file that is there now, if somebody has removed the one that is locked.
    ///
    /// - Throws: `NodeAgentError.alreadyRunning`.
    func renew() throws {
        try lock.withLock { lock in
            guard try !lock.isStill(at: Self.path(runDirectory)) else { return }
            lock = try Self.take(runDirectory)
        }
    }

    private static func path(_ runDirectory: String) -> String { "\(runDirectory)/apusd.lock" }

    private static func take(_ runDirectory: String) throws -> FileLock {
        guard let lock = try FileLock.tryLock(path(runDirectory)) else {
            throw NodeAgentError.alreadyRunning(path: runDirectory)
        }
        return lock
    }
}
