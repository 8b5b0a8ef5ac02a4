import CLinuxShim
import Glibc

/// A network namespace, held open: it lives at least as long as this value.
package struct NetNS: ~Copyable, Sendable {
    /// The open nsfs file.
    package let descriptor: FileDescriptor
    /// Its path, or what else it was opened as; for messages.
    package let name: String
    /// The number of the namespace's nsfs inode, which names it for as long as it lives.
    package let inode: UInt64

    /// Opens a namespace.
    ///
    /// - Throws: `EINVAL` when the path is no namespace file at all.
    package static func open(_ path: String) throws(SystemError) -> NetNS {
        // A FIFO would keep the call until somebody writes to it.
        let descriptor = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
        return try NetNS(descriptor, name: path)
    }

    /// Opens a namespace that somebody else holds open too.
    ///
    /// - Parameter name: what it was opened as; for messages.
    /// - Throws: `EINVAL` when the descriptor is no namespace file's at all.
    package static func open(
        sharing descriptor: borrowing FileDescriptor, name: String,
    ) throws(SystemError) -> NetNS {
        try NetNS(descriptor.duplicate(name: name), name: name)
    }

    /// The namespace the calling thread is in.
    package static func current() throws(SystemError) -> NetNS {
        // /proc/self is the main thread, whose namespace may be another.
        let path = "/proc/thread-self/ns/net"
        if let descriptor = ofNewSocket() { return try NetNS(namespace: descriptor, name: path) }
        return try NetNS(namespace: FileDescriptor.open(path, O_RDONLY), name: path)
    }

    /// A socket is of the namespace that its thread was in, and tells it whoever has CAP_NET_ADMIN there (SIOCGSKNS): that
    /// is a third of the work of walking through /proc.
    private static func ofNewSocket() -> FileDescriptor? {
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        let socket = FileDescriptor(owning: number)
        let namespace = clinux_socket_netns(socket.rawValue)
        return namespace >= 0 ? FileDescriptor(owning: namespace) : nil
    }

    private init(_ descriptor: consuming FileDescriptor, name: String) throws(SystemError) {
        var fileSystem = statfs()
        // SAFETY: fstatfs fills the structure it is given.
        let result = unsafe fstatfs(descriptor.rawValue, &fileSystem)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("statfs", name, code) }
        // There are namespaces of other kinds; a kernel that does not tell them apart answers -1.
        let kind = fileSystem.f_type == NSFS_MAGIC ? clinux_namespace_kind(descriptor.rawValue) : 0
        guard kind == CLONE_NEWNET || kind == -1 else {
            throw SystemError("open as a network namespace", name, .EINVAL)
        }
        try self.init(namespace: descriptor, name: name)
    }

    /// - Parameter descriptor: a namespace file, which is not looked at again.
    private init(namespace descriptor: consuming FileDescriptor, name: String) throws(SystemError) {
        inode = try descriptor.status(name: name).inode
        self.descriptor = descriptor
        self.name = name
    }

    /// Moves the calling thread into a new, empty namespace for good, and answers it.
    package static func unshare() throws(SystemError) -> NetNS {
        let result = clinux_unshare(CLONE_NEWNET)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("unshare", "the network namespace", code) }
        return try current()
    }

    /// Runs `body` with the calling thread inside the namespace, and brings the thread back whatever happens.
    ///
    /// `body` must not suspend, and nothing it starts on another thread is in the namespace.
    ///
    /// - Parameter failure: turns an error of entering into the caller's own.
    /// - Throws: what `body` throws, or `failure(…)` when the namespace cannot be entered; `body` has not run then.
    package borrowing func within<Value: ~Copyable, Failure: Error>(
        orThrow failure: (SystemError) -> Failure, _ body: () throws(Failure) -> Value,
    ) throws(Failure) -> Value {
        let home = try entered(orThrow: failure)
        defer { home.comeBack() }
        return try body()
    }

    /// Runs `body` with the calling thread inside the namespace, and brings the thread back whatever happens.
    package borrowing func within<Value: ~Copyable>(
        _ body: () throws(SystemError) -> Value,
    ) throws(SystemError) -> Value {
        try within(orThrow: { $0 }, body)
    }

    /// Runs `body` as `within(orThrow:_:)` does, without asking where the thread is: a thread that carries out many calls
    /// knows.
    ///
    /// - Parameter home: the namespace the thread is in; nil if that is not known.
    package borrowing func within<Value: ~Copyable, Failure: Error>(
        from home: SharedNetNS?, orThrow failure: (SystemError) -> Failure, _ body: () throws(Failure) -> Value,
    ) throws(Failure) -> Value {
        guard let home else { return try within(orThrow: failure, body) }
        do throws(SystemError) {
            try enter()
        } catch {
            throw failure(error)
        }
        defer { home.namespace.comeBack() }
        return try body()
    }

    /// Moves the thread in, and answers the namespace it came from.
    private borrowing func entered<Failure: Error>(
        orThrow failure: (SystemError) -> Failure,
    ) throws(Failure) -> NetNS {
        do throws(SystemError) {
            let home = try NetNS.current()
            try enter()
            return home
        } catch {
            throw failure(error)
        }
    }

    private borrowing func enter() throws(SystemError) {
        let result = clinux_setns(descriptor.rawValue, CLONE_NEWNET)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("setns", name, code) }
    }

    private borrowing func comeBack() {
        let result = clinux_setns(descriptor.rawValue, CLONE_NEWNET)
        // Going on would do the host's work inside a container; no error could be handled safely from in there.
        precondition(result == 0, "cannot return to the network namespace \(inode): errno \(errno)")
    }
}

/// A namespace that many hold.
package final class SharedNetNS: Sendable {
    /// The namespace.
    package let namespace: NetNS

    /// Shares it.
    package init(_ namespace: consuming NetNS) { self.namespace = namespace }
}
