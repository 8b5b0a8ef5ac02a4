import CLinuxShim
import Glibc

/// A connected Unix socket of packets (SOCK_SEQPACKET): what one side sends in one piece the other receives in one, and a
/// descriptor may go with it. Its calls wait, each for its own time.
package struct PacketStream: ~Copyable, Sendable {
    /// One packet.
    package struct Packet: ~Copyable, Sendable {
        /// Its octets; none when the peer has closed its end.
        package let bytes: [UInt8]
        private let descriptor: FileDescriptor?

        fileprivate init(bytes: [UInt8], descriptor: consuming FileDescriptor?) {
            self.bytes = bytes
            self.descriptor = descriptor
        }

        /// What came with it (SCM_RIGHTS), with O_CLOEXEC.
        package consuming func takeDescriptor() -> FileDescriptor? { descriptor }
    }

    let socket: FileDescriptor
    private let path: String

    /// Takes over a connected socket by its number, which the caller owns.
    ///
    /// - Parameter path: what it is connected to; for messages.
    package init(owning number: Int32, path: String) { self.init(socket: FileDescriptor(owning: number), path: path) }

    /// Takes over a connected socket, whose calls wait.
    init(socket: consuming FileDescriptor, path: String) {
        self.socket = socket
        self.path = path
    }

    /// How long each call may take from now on.
    package borrowing func setTimeout(_ timeout: Duration) throws(SystemError) {
        let (seconds, attoseconds) = timeout.components
        let milliseconds = Int(clamping: seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
        let result = clinux_socket_timeouts(socket.rawValue, milliseconds, milliseconds)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("setsockopt SO_RCVTIMEO", path, code) }
    }

    /// Who is at the other end.
    package borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
        try PeerCredentials(of: socket, path: path)
    }

    /// Sends one packet of at least one octet.
    ///
    /// - Parameter descriptor: what goes with it; the peer gets one of its own.
    /// - Throws: `EMSGSIZE` when it is too long, `EPIPE` when the peer has gone (without a signal), `EAGAIN` when its time
    ///   is over.
    package borrowing func send(_ bytes: [UInt8], with descriptor: Int32? = nil) throws(SystemError) {
        _ = try attempt("send") {
            // SAFETY: the buffer is the array's own and outlives the call.
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe clinux_send_packet(socket.rawValue, buffer.baseAddress, buffer.count, descriptor ?? -1)
            }
        }
    }

    /// Receives one packet.
    ///
    /// - Parameter limit: the most octets it may have.
    /// - Throws: `EMSGSIZE` when it has more, `EAGAIN` when its time is over.
    package borrowing func receive(limit: Int) throws(SystemError) -> Packet {
        // To ask for its length costs less than memory for the longest.
        let length = try attempt("receive") { clinux_packet_length(socket.rawValue) }
        guard length <= limit else { throw SystemError("receive", path, .EMSGSIZE) }
        var (count, descriptor) = (0, Int32(-1))
        var code = SystemErrorCode(rawValue: 0)
        // SAFETY: recvmsg(2) writes at most the buffer's own length, and says how much.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(length, 1)) { buffer, filled in
            count = unsafe clinux_receive_packet(socket.rawValue, buffer.baseAddress, buffer.count, &descriptor)
            code = .last
            filled = max(count, 0)
        }
        guard count >= 0 else { throw SystemError("receive", path, code) }
        return Packet(bytes: bytes, descriptor: descriptor >= 0 ? FileDescriptor(owning: descriptor) : nil)
    }

    /// Repeats a call that a signal has interrupted.
    private borrowing func attempt(_ name: String, _ call: () -> Int) throws(SystemError) -> Int {
        while true {
            let result = call()
            let code = SystemErrorCode.last
            if result >= 0 { return result }
            if code != .EINTR { throw SystemError(name, path, code) }
        }
    }

    /// Whether the peer has not yet received all that was sent.
    package borrowing func hasUnreadOutput() throws(SystemError) -> Bool {
        let count = clinux_unread_output(socket.rawValue)
        let code = SystemErrorCode.last
        guard count >= 0 else { throw SystemError("ioctl SIOCOUTQ", path, code) }
        return count > 0
    }

    /// Says that nothing more comes.
    package borrowing func finishSending() throws(SystemError) {
        let result = clinux_finish_sending(socket.rawValue)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("shutdown", path, code) }
    }

    /// Whether the peer has said that nothing more comes, or has gone; what it has sent before is not looked at.
    package borrowing func hasFinished() -> Bool { clinux_peer_state(socket.rawValue) != 0 }

    /// Whether the peer has closed its end; what it has sent before is not looked at.
    package borrowing func hasEnded() -> Bool { clinux_peer_state(socket.rawValue) == 2 }
}

/// A listening Unix socket of packets. Many threads may wait for a client at once; each client wakes one of them.
package final class PacketListener: Sendable {
    private let socket: FileDescriptor
    private let path: String

    /// How many clients may wait to be accepted. What they have sent with their packets lives as long as they wait.
    private static let backlog: Int32 = 64

    /// Binds and listens, in place of a socket that nobody serves any more.
    package init(_ path: String, mode: UInt32 = 0o600) throws(SystemError) {
        try Files.remove(path)
        let socket = try UnixAddress.packetSocket(path)
        try UnixAddress.listen(socket, path, mode: mode, backlog: Self.backlog)
        self.socket = socket
        self.path = path
    }

    /// Waits for a client.
    ///
    /// - Returns: nil once the listener is stopped.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM` and their kin while there is no room for another; the client waits.
    package func accept() throws(SystemError) -> PacketStream? {
        while true {
            let number = clinux_accept_waiting(socket.rawValue)
            let code = SystemErrorCode.last
            if number >= 0 { return PacketStream(socket: FileDescriptor(owning: number), path: path) }
            if code == .EINVAL { return nil }
            if code != .EINTR, code != .ECONNABORTED { throw SystemError("accept", path, code) }
        }
    }

    /// Wakes all who wait; nobody can connect any more.
    package func stop() { _ = shutdown(socket.rawValue, Int32(SHUT_RDWR)) }
}
