import CLinuxShim
import Glibc

// What a server of many connections needs: calls that never wait.
extension UnixStream {
    /// Sends as much as the socket takes.
    ///
    /// - Returns: how many octets that were.
    /// - Throws: `EPIPE` when the peer has gone (without a signal).
    package borrowing func sendNow(_ bytes: some RandomAccessCollection<UInt8>) throws(SystemError) -> Int {
        let bytes = Array(bytes)
        while true {
            // SAFETY: the buffer is the array's own and outlives the call.
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(descriptor.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            let code = SystemErrorCode.last
            if sent >= 0 { return sent }
            if code == .EAGAIN { return 0 }
            if code != .EINTR { throw SystemError("send", path, code) }
        }
    }

    /// Receives what is there.
    ///
    /// - Parameter limit: the largest number of octets taken, at least 1.
    /// - Returns: nil when nothing is there; empty when the peer has closed its end.
    package borrowing func receiveNow(limit: Int) throws(SystemError) -> [UInt8]? {
        while true {
            var outcome = (count: 0, code: SystemErrorCode(rawValue: 0))
            // SAFETY: recv(2) writes at most the buffer's own length, and says how much.
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(limit, 1)) { buffer, filled in
                outcome.count = unsafe recv(descriptor.rawValue, buffer.baseAddress, buffer.count, 0)
                outcome.code = .last
                filled = max(outcome.count, 0)
            }
            if outcome.count >= 0 { return bytes }
            if outcome.code == .EAGAIN { return nil }
            if outcome.code != .EINTR { throw SystemError("receive", path, outcome.code) }
        }
    }
}

extension UnixListener {
    /// The next client that is there; nil when there is none.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM` and their kin while there is no room for another; the client waits.
    package borrowing func acceptNow() throws(SystemError) -> UnixStream? {
        while true {
            let number = clinux_accept(descriptor.rawValue)
            let code = SystemErrorCode.last
            if number >= 0 { return UnixStream(descriptor: FileDescriptor(owning: number), path: path) }
            if code == .EAGAIN { return nil }
            // A client that has gone again makes room for the next.
            if code != .EINTR, code != .ECONNABORTED { throw SystemError("accept", path, code) }
        }
    }
}
