package import LinuxOS

/// Why a call to the daemon, or a message from the other side, came to nothing.
package enum NodeLinkError: Error, Sendable, CustomStringConvertible {
    /// Nobody listens: no socket, or one that a dead daemon left. The path.
    case absent(path: String, SystemError)
    /// The other side did not answer in time. What was waited for.
    case timeout(String)
    /// The other side closed the connection. What was waited for.
    case closed(String)
    /// The other side is not one to talk to: another boot, another namespace, not root. The reason.
    case refused(String)
    /// The bytes are not a message: a length above 1 MiB, no JSON, a member missing or of the wrong type.
    case malformed(String)
    /// The system failed in the middle of a call.
    case system(SystemError)

    /// The reason in one line.
    package var description: String {
        switch self {
        case .absent(let path, let error): "apusd is not reachable at \(path): \(error)"
        case .timeout(let what): "apusd did not answer in time: \(what)"
        case .closed(let what): "apusd closed the connection: \(what)"
        case .refused(let reason): "apusd at the socket is not to be used: it \(reason)"
        case .malformed(let reason): "malformed message: \(reason)"
        case .system(let error): "\(error)"
        }
    }

    /// Whether the daemon took no notice of the call: it is absent, or silent. Then an ADD may go on without it.
    package var isAbsence: Bool {
        switch self {
        case .absent, .timeout, .closed: true
        case .refused, .malformed, .system: false
        }
    }
}
