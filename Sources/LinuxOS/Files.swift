import Glibc

/// Whole files and directories by path.
package enum Files {
    /// The content of a file.
    ///
    /// - Parameter limit: the largest number of octets accepted.
    /// - Throws: `ENOENT` when it is missing, `ELOOP` when the last part is a symbolic link, `EFBIG` beyond the limit,
    ///   `EINVAL` for a FIFO, a device or a socket, `EISDIR` for a directory: none of these is waited for.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        try readPlain(path, O_NOFOLLOW, limit: limit)
    }

    /// The content of a file that others may have put a symbolic link in place of, as a mounted Kubernetes volume does.
    ///
    /// For what an operator owns; never for a directory that others may write to.
    package static func readThroughLinks(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        try readPlain(path, 0, limit: limit)
    }

    /// A FIFO would keep an `open` without O_NONBLOCK until somebody writes, and a device might never end.
    private static func readPlain(_ path: String, _ flags: Int32, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | flags)
        let status = try file.status(name: path)
        guard status.isRegularFile else {
            throw SystemError("open", path, status.isDirectory ? .EISDIR : .EINVAL)
        }
        return try file.readAll(limit: limit, name: path, size: status.size)
    }

    /// The content of a file, or nil when it is missing.
    package static func readIfPresent(_ path: String, limit: Int) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            return try read(path, limit: limit)
        } catch {
            guard error.code == .ENOENT else { throw error }
            return nil
        }
    }

    /// Replaces a file's content in one step: whoever opens the path sees the old content or the new, never a part.
    ///
    /// It is written beside the target and renamed. One writer at a time is the caller's to see to.
    ///
    /// - Parameters:
    ///   - mode: the permission bits of the file, whatever the umask.
    ///   - outlivesPowerCut: whether content and name are on the disk on return, which takes milliseconds: not where the
    ///     directory is a tmpfs, or the loss of the last change does no harm.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, outlivesPowerCut: Bool = false,
    ) throws(SystemError) {
        let temporary = "\(path).tmp-\(getpid())-\(pthread_self())"
        do throws(SystemError) {
            let file = try FileDescriptor.open(
                temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
            try file.writeAll(bytes, name: temporary)
            let result = fchmod(file.rawValue, mode)
            let code = SystemErrorCode.last
            guard result == 0 else { throw SystemError("chmod", temporary, code) }
            // Without it the name may be on the disk before the content is: an empty file.
            if outlivesPowerCut { try file.sync(name: temporary) }
        } catch {
            unsafe _ = unlink(temporary)
            throw error
        }
        let result = unsafe rename(temporary, path)
        let code = SystemErrorCode.last
        guard result == 0 else {
            unsafe _ = unlink(temporary)
            throw SystemError("rename", path, code)
        }
        guard outlivesPowerCut, let slash = path.lastIndex(of: "/") else { return }
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        do throws(SystemError) {
            try FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY).sync(name: directory)
        } catch {
            // Some file systems sync no directory, and the content is on the disk.
            guard error.code == .EINVAL || error.code == .EBADF else { throw error }
        }
    }

    /// Sets a file's permission bits.
    package static func setPermissions(_ path: String, _ mode: UInt32) throws(SystemError) {
        // SAFETY: the path is a C string for the time of the call.
        let result = unsafe chmod(path, mode)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("chmod", path, code) }
    }

    /// Appends to a file, making it if need be.
    package static func append(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: mode)
        try file.writeAll(bytes, name: path)
    }

    /// Removes a file.
    ///
    /// - Returns: false when it was gone already.
    @discardableResult
    package static func remove(_ path: String) throws(SystemError) -> Bool {
        let result = unsafe unlink(path)
        let code = SystemErrorCode.last
        if result == 0 { return true }
        if code == .ENOENT { return false }
        throw SystemError("unlink", path, code)
    }

    /// Makes a directory and those above it that are missing.
    ///
    /// - Parameter mode: the permission bits of every directory that is made; one that exists keeps its own.
    /// - Throws: `ENOTDIR` when something else stands at the path.
    package static func createDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        let result = unsafe mkdir(path, mode)
        let code = SystemErrorCode.last
        if result == 0 { return }
        switch code {
        case .EEXIST:
            guard try FileStatus.of(path)?.isDirectory == true else { throw SystemError("mkdir", path, .ENOTDIR) }
        case .ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
                throw SystemError("mkdir", path, code)
            }
            try createDirectory(String(path[..<slash]), mode: mode)
            let again = unsafe mkdir(path, mode)
            let code = SystemErrorCode.last
            // Somebody else may have made it in between.
            guard again == 0 || code == .EEXIST else { throw SystemError("mkdir", path, code) }
        default:
            throw SystemError("mkdir", path, code)
        }
    }

    /// The names in a directory, sorted, without `.` and `..`.
    package static func list(_ path: String) throws(SystemError) -> [String] {
        // SAFETY: the stream is closed on every way out, and each entry is copied before the next is read.
        guard let stream = unsafe opendir(path) else { throw SystemError("opendir", path, .last) }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                let code = SystemErrorCode.last
                guard code.rawValue == 0 else { throw SystemError("readdir", path, code) }
                return names.sorted()
            }
            // SAFETY: the kernel ends d_name with NUL inside of the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Removes an empty directory.
    ///
    /// - Returns: false when it was gone already.
    @discardableResult
    package static func removeDirectory(_ path: String) throws(SystemError) -> Bool {
        let result = unsafe rmdir(path)
        let code = SystemErrorCode.last
        if result == 0 { return true }
        if code == .ENOENT { return false }
        throw SystemError("rmdir", path, code)
    }
}
