import Glibc

/// A file that this process alone works on: an exclusive flock(2) that outlives every replacement of the content.
///
/// The content is replaced by a rename, and with it the inode; so the new file is locked before it gets the name.
/// Whoever opens the path finds the holder's lock at every moment, or, when it opened just before the rename, a lock
/// on a file that is no longer the path's, and looks again. The kernel releases the lock when the process dies.
package struct LockedFile: ~Copyable, Sendable {
    /// What there is at a path.
    package enum Opening: ~Copyable, Sendable {
        /// Nothing.
        case missing
        /// A file that another process holds.
        case busy
        /// A file that is now this process's.
        case locked(LockedFile)
    }

    /// The path.
    package let path: String
    private var descriptor: FileDescriptor

    private init(path: String, descriptor: consuming FileDescriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Takes the file that is at the path, if there is one and it is free. Makes nothing, never waits.
    package static func open(_ path: String) throws(SystemError) -> Opening {
        // A holder may replace the file any number of times; a few times in this loop means that it is at work.
        for _ in 0..<8 {
            let descriptor: FileDescriptor
            do throws(SystemError) {
                descriptor = try FileDescriptor.open(path, O_RDWR | O_NOFOLLOW)
            } catch {
                guard error.code == .ENOENT else { throw error }
                return .missing
            }
            guard try descriptor.tryLock(path) else { return .busy }
            if try descriptor.isNamed(path) { return .locked(LockedFile(path: path, descriptor: descriptor)) }
        }
        return .busy
    }

    /// Makes the file, locked, with its whole content at once. One maker at a time is the caller's to see to.
    package static func create(_ path: String, content: [UInt8]) throws(SystemError) -> LockedFile {
        LockedFile(path: path, descriptor: try place(content, at: path))
    }

    /// The content.
    /// - Throws: `EFBIG` beyond `limit` octets, `EINVAL` for what is no plain file.
    package borrowing func read(limit: Int) throws(SystemError) -> [UInt8] {
        let status = try descriptor.status(name: path)
        guard status.isRegularFile else { throw SystemError("read", path, .EINVAL) }
        let place = lseek(descriptor.rawValue, 0, SEEK_SET)
        let code = SystemErrorCode.last
        guard place == 0 else { throw SystemError("seek", path, code) }
        return try descriptor.readAll(limit: limit, name: path, size: status.size)
    }

    /// Replaces the content in one step and keeps the lock. On an error the old content stays.
    /// - Throws: `ENOENT` when somebody has removed the file meanwhile: then it is not made again.
    package mutating func replace(with content: [UInt8]) throws(SystemError) {
        guard try descriptor.isNamed(path) else { throw SystemError("replace", path, .ENOENT) }
        descriptor = try Self.place(content, at: path)
    }

    /// Whether somebody has put another file in its place. One that has been removed is not superseded.
    package borrowing func isSuperseded() throws(SystemError) -> Bool {
        guard try FileStatus.of(path) != nil else { return false }
        return try !descriptor.isNamed(path)
    }

    /// Removes the file; one that is gone already is no error.
    package consuming func remove() throws(SystemError) {
        try Files.remove(path)
    }

    /// Removes the temporary file of a process that was killed; one whose maker lives is locked and stays.
    package static func sweep(temporary path: String) throws(SystemError) {
        guard isTemporary(path) else { return }
        switch try open(path) {
        case .missing: break
        case .busy: break
        case .locked(let file): try file.remove()
        }
    }

    /// Whether the path is one that `Files` or this type gives to an unfinished file.
    package static func isTemporary(_ path: String) -> Bool { path.contains(".tmp-") }

    /// Writes a locked file beside the path and renames it over the path.
    private static func place(_ content: [UInt8], at path: String) throws(SystemError) -> FileDescriptor {
        let temporary = "\(path).tmp-\(getpid())-\(pthread_self())"
        let descriptor = try makeTemporary(temporary)
        do throws(SystemError) {
            try descriptor.writeAll(content, name: temporary)
            // SAFETY: both paths are copied to C strings that live as long as the call.
            let result = unsafe rename(temporary, path)
            let code = SystemErrorCode.last
            guard result == 0 else { throw SystemError("rename", path, code) }
        } catch {
            // SAFETY: as above. That it fails changes nothing for the error that is on its way.
            _ = unsafe unlink(temporary)
            throw error
        }
        return descriptor
    }

    private static func makeTemporary(_ path: String) throws(SystemError) -> FileDescriptor {
        // A sweeper may lock and remove the file in the moment between its making and its locking.
        for _ in 0..<8 {
            let descriptor: FileDescriptor
            do throws(SystemError) {
                descriptor = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
            } catch {
                guard error.code == .EEXIST else { throw error }
                // A killed process had this one's number.
                try Files.remove(path)
                continue
            }
            // Nobody gives the file another name: it has its own for as long as it has one.
            if try descriptor.tryLock(path), try descriptor.status(name: path).linkCount > 0 { return descriptor }
        }
        throw SystemError("lock", path, .EBUSY)
    }
}
