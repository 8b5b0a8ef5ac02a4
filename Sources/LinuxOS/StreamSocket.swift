import Glibc

/// A connected stream socket that somebody else owns, by its number.
package enum StreamSocket {
    /// Sends as much as the socket takes without waiting; nothing where it fails. The error is told once (`SO_ERROR`): what
    /// the socket is asked next fails with `EPIPE`, or is at the end of what is received.
    ///
    /// - Returns: how many octets that were.
    package static func sendNow(_ bytes: UnsafeRawBufferPointer, on socket: Int32) -> Int {
        while true {
            // SAFETY: the call reads the buffer that the caller keeps for its time.
            let sent = unsafe send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if sent >= 0 { return sent }
            if SystemErrorCode.last != .EINTR { return 0 }
        }
    }
}
