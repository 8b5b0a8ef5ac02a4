import Glibc

/// A connected stream socket that somebody else owns, by its number.
package enum StreamSocket {
    /// Sends as much as the socket takes without waiting; nothing where it fails, which the next call tells again or the
    /// end of what is received does.
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
