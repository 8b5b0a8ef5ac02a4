import Glibc
package import NetTypes

/// The one owner of an open file description's number; it is closed when the value's life ends.
///
/// Every descriptor made here has O_CLOEXEC, and every call is retried after EINTR.
package struct FileDescriptor: ~Copyable, Sendable {
    /// The number, valid for as long as the value lives.
    package let rawValue: Int32

    /// Takes over a number that nobody else will close.
    package init(owning rawValue: Int32) { self.rawValue = rawValue }

    /// Room behind what is read, in octets. A record that gets an entry more would otherwise be copied as a whole, into
    /// memory that is touched for the first time.
    private static let slack = 1023
    /// From so many octets on memory is worth a call of its own.
    private static let largeRead = 64 << 10

    deinit { _ = close(rawValue) }

    /// open(2) with O_CLOEXEC added.
    ///
    /// - Parameters:
    ///   - flags: `O_RDONLY` and its kin.
    ///   - mode: the permission bits of a file that is made.
    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0o600,
    ) throws(SystemError) -> FileDescriptor {
        while true {
            // SAFETY: the path is a Swift string, NUL-ended for the call.
            let number = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
            let code = SystemErrorCode.last
            if number >= 0 { return FileDescriptor(owning: number) }
            if code != .EINTR { throw SystemError("open", path, code) }
        }
    }

    /// Another number for the same open file, with O_CLOEXEC.
    ///
    /// - Parameter name: what the error calls the file.
    package borrowing func duplicate(name: String) throws(SystemError) -> FileDescriptor {
        let number = fcntl(rawValue, F_DUPFD_CLOEXEC, 0)
        let code = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("duplicate", name, code) }
        return FileDescriptor(owning: number)
    }

    /// Reads until the end of the file.
    ///
    /// - Parameters:
    ///   - limit: the largest number of octets accepted.
    ///   - name: what the error calls the file.
    /// - Throws: `EFBIG` when there is more than `limit`.
    package borrowing func readAll(limit: Int, name: String) throws(SystemError) -> [UInt8] {
        try readAll(limit: limit, name: name, size: status(name: name).size)
    }

    /// As `readAll`, for who knows the file's length already.
    borrowing func readAll(limit: Int, name: String, size: Int64) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        // A plain file's length; other files say 0 and are read in parts.
        let size = Int(clamping: size)
        while true {
            // One octet beyond the limit tells a file that is too large from one that just fits.
            let room = min(limit - content.count, max(4095, content.count, size - content.count + Self.slack)) + 1
            let (chunk, code) = readSome(room)
            if let code { throw SystemError("read", name, code) }
            if chunk.isEmpty { return content }
            if content.isEmpty { content = chunk } else { content += chunk }
            if content.count > limit { throw SystemError("read", name, .EFBIG) }
            if size > 0, content.count == size { return content }
        }
    }

    /// What comes until the file ends, or until `deadline`; or earlier, when nothing more comes for `pause` and what has
    /// come is enough.
    ///
    /// - Parameters:
    ///   - deadline: on `BootClock`.
    ///   - isEnough: asked only at a pause: whoever closes the file at once pays nothing for it.
    package borrowing func readAll(
        limit: Int, name: String, until deadline: MonotonicTime, pause: Duration, isEnough: ([UInt8]) -> Bool,
    ) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let soon = content.isEmpty ? deadline : min(deadline, BootClock.now() + pause)
            guard try Poll.readable([rawValue], until: soon, name: name) == [true] else {
                guard soon < deadline, !isEnough(content) else { return content }
                continue
            }
            let (chunk, code) = readSome(min(limit - content.count, max(4095, content.count)) + 1)
            if let code { throw SystemError("read", name, code) }
            if chunk.isEmpty { return content }
            content += chunk
            if content.count > limit { throw SystemError("read", name, .EFBIG) }
        }
    }

    /// Writes everything.
    ///
    /// - Parameter name: what the error calls the file.
    package borrowing func writeAll(_ bytes: [UInt8], name: String) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            // SAFETY: the buffer is the array's own and outlives the call.
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(rawValue, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            let code = SystemErrorCode.last
            if written < 0, code == .EINTR { continue }
            guard written > 0 else { throw SystemError("write", name, written < 0 ? code : .EIO) }
            done += written
        }
    }

    /// Has everything that was written on the disk.
    package borrowing func sync(name: String) throws(SystemError) {
        let result = fsync(rawValue)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("fsync", name, code) }
    }

    /// The inode's number, its device and its kind.
    package borrowing func status(name: String) throws(SystemError) -> FileStatus {
        var raw = stat()
        // SAFETY: fstat fills the structure it is given.
        let result = unsafe fstat(rawValue, &raw)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("stat", name, code) }
        return FileStatus(raw)
    }

    private borrowing func readSome(_ count: Int) -> ([UInt8], SystemErrorCode?) {
        var failure: SystemErrorCode?
        // SAFETY: read(2) writes at most the buffer's own length, and says how much.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            if count >= Self.largeRead { unsafe Self.populate(buffer) }
            while true {
                let got = unsafe read(rawValue, buffer.baseAddress, count)
                let code = SystemErrorCode.last
                if got < 0, code == .EINTR { continue }
                filled = max(got, 0)
                failure = got < 0 ? code : nil
                return
            }
        }
        return (bytes, failure)
    }

    /// Has the pages of memory that is about to be filled made at once: that takes a third less than a fault for each.
    private static func populate(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        let pageMask: UInt = 4095
        let address = UInt(bitPattern: buffer.baseAddress)
        let start = (address + pageMask) & ~pageMask
        let end = (address + UInt(buffer.count)) & ~pageMask
        guard start < end else { return }
        // SAFETY: whole pages inside of the buffer; what they hold stays. Where the kernel refuses nothing has changed.
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_POPULATE_WRITE)
    }
}

/// What stat(2) says of a file.
package struct FileStatus: Sendable, Hashable {
    /// The inode's number.
    package let inode: UInt64
    /// The device the inode is on.
    package let device: UInt64
    /// The permission bits (07777).
    package let permissions: UInt32
    /// The owner's number.
    package let owner: UInt32
    /// The number of names the inode has; 0 once it is unlinked.
    package let linkCount: UInt64
    /// The length in octets.
    package let size: Int64
    /// Whether it is a directory.
    package let isDirectory: Bool
    /// Whether it is a plain file.
    package let isRegularFile: Bool
    /// When the inode was last changed (CLOCK_REALTIME), in nanoseconds.
    package let changedAt: Int64

    init(_ raw: stat) {
        inode = UInt64(raw.st_ino)
        device = UInt64(raw.st_dev)
        permissions = UInt32(raw.st_mode & 0o7777)
        owner = raw.st_uid
        linkCount = UInt64(raw.st_nlink)
        size = Int64(raw.st_size)
        isDirectory = raw.st_mode & S_IFMT == S_IFDIR
        isRegularFile = raw.st_mode & S_IFMT == S_IFREG
        changedAt = Int64(raw.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(raw.st_ctim.tv_nsec)
    }

    /// stat(2) of a path; nil when nothing is there.
    package static func of(_ path: String) throws(SystemError) -> FileStatus? {
        var raw = stat()
        // SAFETY: stat fills the structure it is given.
        let result = unsafe stat(path, &raw)
        let code = SystemErrorCode.last
        if result == 0 { return FileStatus(raw) }
        if code == .ENOENT { return nil }
        throw SystemError("stat", path, code)
    }
}
