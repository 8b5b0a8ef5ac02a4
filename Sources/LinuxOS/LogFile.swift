import Glibc

/// A log file that many short-lived processes write to at once.
package enum LogFile {
    /// When a file is put aside.
    package struct Rotation: Sendable, Hashable {
        /// The size in octets that a file does not exceed, unless one line does.
        package var maximumBytes: Int64
        /// How many files that were put aside are kept: `path.1` is the youngest.
        package var olderFiles: Int

        /// Ten mebibytes, three files.
        package static let standard = Rotation(maximumBytes: 10 << 20, olderFiles: 3)

        /// Joins the two.
        package init(maximumBytes: Int64, olderFiles: Int) {
            self.maximumBytes = maximumBytes
            self.olderFiles = olderFiles
        }
    }

    /// Appends a line, and puts a file aside first that has no room for it.
    ///
    /// No line is lost or torn: one written by a process that opened the file before it was put aside lands there.
    package static func append(_ line: [UInt8], to path: String, _ rotation: Rotation) throws(SystemError) {
        // Another process may fill the new file before this one gets to it.
        for _ in 0..<3 {
            // A pipe that nobody reads would keep the open waiting.
            let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK)
            let status = try file.status(name: path)
            let isFull = status.size > 0 && status.size + Int64(line.count) > rotation.maximumBytes
            // A device, or a pipe, has no size to speak of.
            guard isFull, status.isRegularFile, try putAside(path, status, rotation) else {
                return try file.writeAll(line, name: path)
            }
        }
        try Files.append(path, line)
    }

    /// Renames the file that has this status, unless somebody else has done so by now or is at it.
    ///
    /// - Returns: whether there is another file now.
    private static func putAside(
        _ path: String, _ status: FileStatus, _ rotation: Rotation,
    ) throws(SystemError) -> Bool {
        guard let lock = try FileLock.tryLock(path) else { return false }
        // The lock is on the file that has the name now. It is released with the file under its new name.
        guard try lock.descriptor.status(name: path).inode == status.inode, try lock.isStill(at: path) else {
            return true
        }
        for number in stride(from: rotation.olderFiles - 1, through: 1, by: -1) {
            try rename("\(path).\(number)", to: "\(path).\(number + 1)")
        }
        try rename(path, to: "\(path).1")
        return true
    }

    /// A file that is missing leaves a gap and no error.
    private static func rename(_ path: String, to other: String) throws(SystemError) {
        // SAFETY: both paths are C strings for the time of the call.
        let result = unsafe Glibc.rename(path, other)
        let code = SystemErrorCode.last
        guard result == 0 || code == .ENOENT else { throw SystemError("rename", path, code) }
    }
}
