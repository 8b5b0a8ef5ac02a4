import CLinuxShim
import Glibc
package import NetTypes

/// Who is at the other end of a Unix socket (SO_PEERCRED), as of the moment it connected.
package struct PeerCredentials: Sendable, Hashable {
    /// The process's number; 0 when it is in another pid namespace.
    package let processID: Int32
    /// The effective user's number.
    package let userID: UInt32
    /// The effective group's number.
    package let groupID: UInt32
}

extension PeerCredentials {
    /// Asks a connected socket.
    init(of socket: borrowing FileDescriptor, path: String) throws(SystemError) {
        var (process, user, group) = (Int32(0), UInt32(0), UInt32(0))
        // SAFETY: the call fills the three numbers it is given.
        let result = unsafe clinux_peer_credentials(socket.rawValue, &process, &user, &group)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("getsockopt SO_PEERCRED", path, code) }
        self.init(processID: process, userID: user, groupID: group)
    }

    /// What getsockopt(2) is asked for when somebody else owns the socket; the answer is three 32-bit numbers: process,
    /// user, group (`struct ucred`).
    package static var socketOption: (level: Int32, name: Int32) { (SOL_SOCKET, SO_PEERCRED) }
}

/// A connected Unix stream socket. Every wait has a deadline, on `BootClock`.
package struct UnixStream: ~Copyable, Sendable {
    /// The socket, non-blocking.
    package let descriptor: FileDescriptor
    /// The path it is connected to; for messages.
    package let path: String

    /// Connects.
    ///
    /// - Throws: `ENOENT` or `ECONNREFUSED` when nobody listens, `ETIMEDOUT` when the listener's queue stays full.
    package static func connect(_ path: String, timeout: Duration) throws(SystemError) -> UnixStream {
        let deadline = BootClock.now() + timeout
        let descriptor = try UnixAddress.socket(path)
        while true {
            let code = unsafe try UnixAddress.apply(Glibc.connect, descriptor, path)
            switch code {
            case nil: return UnixStream(descriptor: descriptor, path: path)
            // A full queue answers EAGAIN at once, and poll(2) does not wait for its room (unix(7)).
            case .EAGAIN?, .EINTR?:
                if BootClock.now() >= deadline { throw SystemError("connect", path, .ETIMEDOUT) }
                var pause = timespec(tv_sec: 0, tv_nsec: 2_000_000)
                // SAFETY: the structure outlives the call; a pause cut short by a signal does no harm.
                _ = unsafe nanosleep(&pause, nil)
            case let code?: throw SystemError("connect", path, code)
            }
        }
    }

    /// Takes over a connected socket, which is non-blocking.
    init(descriptor: consuming FileDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Who is at the other end.
    package borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
        try PeerCredentials(of: descriptor, path: path)
    }

    /// Sends everything.
    ///
    /// - Throws: `ETIMEDOUT` at the deadline, `EPIPE` when the peer has gone (without a signal).
    package borrowing func send(_ bytes: [UInt8], deadline: MonotonicTime) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            // SAFETY: the buffer is the array's own and outlives the call.
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor.rawValue, buffer.baseAddress?.advanced(by: done), buffer.count - done,
                    Int32(MSG_NOSIGNAL))
            }
            let code = SystemErrorCode.last
            if sent >= 0 {
                done += sent
            } else if code == .EAGAIN {
                try Poll.wait(descriptor, for: .writable, until: deadline, name: path)
            } else if code != .EINTR {
                throw SystemError("send", path, code)
            }
        }
    }

    /// Receives what is there, waiting for the first octet.
    ///
    /// - Parameter limit: the largest number of octets taken, at least 1.
    /// - Returns: 1 to `limit` octets; empty when the peer has closed its end.
    /// - Throws: `ETIMEDOUT` at the deadline.
    package borrowing func receive(limit: Int, deadline: MonotonicTime) throws(SystemError) -> [UInt8] {
        while true {
            if let bytes = try receiveNow(limit: limit) { return bytes }
            try Poll.wait(descriptor, for: .readable, until: deadline, name: path)
        }
    }

    /// Receives exactly so many octets.
    ///
    /// - Throws: `ECONNRESET` when the peer closes its end before, `ETIMEDOUT` at the deadline.
    package borrowing func receive(exactly count: Int, deadline: MonotonicTime) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let chunk = try receive(limit: count - bytes.count, deadline: deadline)
            guard !chunk.isEmpty else { throw SystemError("receive", path, .ECONNRESET) }
            bytes += chunk
        }
        return bytes
    }
}

/// A listening Unix stream socket.
package struct UnixListener: ~Copyable, Sendable {
    /// The socket, non-blocking.
    package let descriptor: FileDescriptor
    /// Its path.
    package let path: String

    /// Binds and listens.
    ///
    /// - Throws: `EADDRINUSE` when the path exists, be it a socket that nobody serves any more.
    package static func bind(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> UnixListener {
        let descriptor = try UnixAddress.socket(path)
        try UnixAddress.listen(descriptor, path, mode: mode)
        return UnixListener(descriptor: descriptor, path: path)
    }

    /// Waits for a client.
    ///
    /// - Throws: `ETIMEDOUT` at the deadline.
    package borrowing func accept(deadline: MonotonicTime) throws(SystemError) -> UnixStream {
        while true {
            if let client = try acceptNow() { return client }
            try Poll.wait(descriptor, for: .readable, until: deadline, name: path)
        }
    }
}
