import Glibc
package import NetTypes

/// An exclusive flock(2) on a file, held until the value's life ends. The kernel releases it when the process dies.
package struct FileLock: ~Copyable, Sendable {
    /// The locked file, open for reading and writing.
    package let descriptor: FileDescriptor

    /// The first and the longest pause before a lock that somebody else holds is tried again: most are held for much less
    /// than a millisecond.
    private static let pauseNanoseconds = 50_000...2_000_000

    /// Takes the lock if it is free.
    ///
    /// - Returns: nil when somebody else holds it.
    package static func tryLock(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> FileLock? {
        let descriptor = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: mode)
        guard try descriptor.tryLock(path) else { return nil }
        return FileLock(descriptor: descriptor)
    }

    /// Takes the lock, waiting for it until the deadline (on `BootClock`).
    ///
    /// flock(2) has no deadline of its own, and a signal to end it would be the whole process's: the lock is tried again
    /// and again, after pauses of which each is twice the one before.
    ///
    /// - Throws: `ETIMEDOUT` at the deadline.
    package static func lock(
        _ path: String, mode: UInt32 = 0o600, deadline: MonotonicTime,
    ) throws(SystemError) -> FileLock {
        let descriptor = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: mode)
        var length = pauseNanoseconds.lowerBound
        while true {
            if try descriptor.tryLock(path) { return FileLock(descriptor: descriptor) }
            if BootClock.now() >= deadline { throw SystemError("lock", path, .ETIMEDOUT) }
            var pause = timespec(tv_sec: 0, tv_nsec: length)
            length = min(2 * length, pauseNanoseconds.upperBound)
            // SAFETY: the structure outlives the call; a pause cut short by a signal does no harm.
            _ = unsafe nanosleep(&pause, nil)
        }
    }

    /// Whether `path` still names the file that is locked: false once it was unlinked or replaced by a rename.
    package borrowing func isStill(at path: String) throws(SystemError) -> Bool {
        try descriptor.isNamed(path)
    }

    private init(descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
