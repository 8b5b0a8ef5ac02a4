import Glibc
import NetTypes

/// The socket of the service manager that has started this process and wants to hear of it (sd_notify(3)).
package enum NotifySocket {
    /// How long it may take to take a notice.
    private static let timeout = Duration.seconds(2)

    /// Its path, or after `@` its name that is no file's (unix(7)); nil when nobody wants to hear anything.
    package static var name: String? { ProcessIO.environment()["NOTIFY_SOCKET"] }

    /// Sends one notice, such as `READY=1`.
    ///
    /// - Parameter name: the socket's.
    /// - Throws: `EINVAL` for a socket of another kind, `ETIMEDOUT` when nobody takes the notice.
    package static func send(_ notice: String, to name: String) throws(SystemError) {
        guard name.hasPrefix("/") || name.hasPrefix("@") else { throw SystemError("send", name, .EINVAL) }
        let isAbstract = name.hasPrefix("@")
        let descriptor = try UnixAddress.datagramSocket(name)
        let path = isAbstract ? String(name.dropFirst()) : name
        if let code = unsafe try UnixAddress.apply(Glibc.connect, descriptor, path, isAbstract: isAbstract) {
            throw SystemError("connect", name, code)
        }
        let bytes = Array(notice.utf8)
        let deadline = BootClock.now() + timeout
        while true {
            // SAFETY: the buffer is the array's own and outlives the call.
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(descriptor.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            let code = SystemErrorCode.last
            if sent >= 0 { return }
            if code == .EAGAIN {
                try Poll.wait(descriptor, for: .writable, until: deadline, name: name)
            } else if code != .EINTR {
                throw SystemError("send", name, code)
            }
        }
    }
}
