import Glibc

// What the owners of locks have in common.
extension FileDescriptor {
    /// Takes an exclusive flock(2) on the open file, if it is free.
    ///
    /// - Parameter path: the file's path; for the error.
    borrowing func tryLock(_ path: String) throws(SystemError) -> Bool {
        while true {
            let result = flock(rawValue, LOCK_EX | LOCK_NB)
            let code = SystemErrorCode.last
            if result == 0 { return true }
            if code == .EAGAIN { return false }
            if code != .EINTR { throw SystemError("lock", path, code) }
        }
    }

    /// Whether `path` names the open file: false once that was unlinked or replaced by a rename.
    borrowing func isNamed(_ path: String) throws(SystemError) -> Bool {
        let held = try status(name: path)
        guard let named = try FileStatus.of(path) else { return false }
        return named.inode == held.inode && named.device == held.device
    }
}
