import Glibc

/// The address of a Unix socket and the calls that take one.
enum UnixAddress {
    static func socket(_ path: String) throws(SystemError) -> FileDescriptor {
        try socket(path, kind: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    }

    /// A socket of packets, whose calls wait.
    static func packetSocket(_ path: String) throws(SystemError) -> FileDescriptor {
        try socket(path, kind: SOCK_SEQPACKET.rawValue)
    }

    /// A socket of datagrams, whose calls do not wait.
    static func datagramSocket(_ path: String) throws(SystemError) -> FileDescriptor {
        try socket(path, kind: SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue)
    }

    private static func socket(_ path: String, kind: UInt32) throws(SystemError) -> FileDescriptor {
        let number = Glibc.socket(AF_UNIX, Int32(kind | SOCK_CLOEXEC.rawValue), 0)
        let code = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("socket", path, code) }
        return FileDescriptor(owning: number)
    }

    /// Calls connect(2) or bind(2); nil is success.
    ///
    /// - Parameter isAbstract: whether `path` is a name that is no file's.
    static func apply(
        _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ descriptor: borrowing FileDescriptor,
        _ path: String, isAbstract: Bool = false,
    ) throws(SystemError) -> SystemErrorCode? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard !path.isEmpty, !path.utf8.contains(0) else { throw SystemError("open socket", path, .EINVAL) }
        let bytes = (isAbstract ? [0] : []) + Array(path.utf8)
        // The last octet stays NUL.
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("open socket", path, .ENAMETOOLONG)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        // An abstract name is as long as the length says, a path ends at its NUL.
        let unused = isAbstract ? MemoryLayout.size(ofValue: address.sun_path) - bytes.count : 0
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - unused)
        // SAFETY: the kernel reads `length` octets of a structure that outlives the call.
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call(descriptor.rawValue, $0, length) }
        }
        let code = SystemErrorCode.last
        return result == 0 ? nil : code
    }

    /// Binds a socket to a path and listens; what was there must be gone.
    static func listen(
        _ descriptor: borrowing FileDescriptor, _ path: String, mode: UInt32, backlog: Int32 = SOMAXCONN,
    ) throws(SystemError) {
        if let code = unsafe try apply(Glibc.bind, descriptor, path) { throw SystemError("bind", path, code) }
        // The socket is of use to nobody before listen(2), so there is no moment of a wider mode.
        let changed = unsafe chmod(path, mode)
        let code = SystemErrorCode.last
        guard changed == 0 else { throw SystemError("chmod", path, code) }
        let result = Glibc.listen(descriptor.rawValue, backlog)
        let listenCode = SystemErrorCode.last
        guard result == 0 else { throw SystemError("listen", path, listenCode) }
    }
}
