import LinuxOS
import Logging
import Synchronization

/// What the service manager is told that has started the daemon: that it is ready, what it waits for, that it ends. Where
/// nobody wants to hear that, nothing is told.
///
/// Ready is a daemon whose sockets are there and that has carried out what the first reading of its files came to: an ADD
/// finds node.json with a block. One whose files lack its Node resource is ready, too, and says what it waits for: what is
/// to start after the daemon, be it the kubelet that would bring the file, starts all the same.
final class ServiceNotices: Sendable {
    /// What there must be.
    enum Part: Sendable, Hashable {
        /// The first reading of the configuration has been carried out.
        case configuration
        /// The node socket is bound.
        case socket
        /// The socket for calls is bound, or who is called does it all.
        case callSocket
    }

    private let missing: Mutex<Set<Part>>
    private let lastStatus = Mutex("")
    private let send: @Sendable (String) -> Void

    /// - Parameter send: sends one notice.
    init(awaiting parts: Set<Part>, send: @escaping @Sendable (String) -> Void) {
        missing = Mutex(parts)
        self.send = send
    }

    /// Tells the service manager that the process's environment names.
    convenience init(servesCalls: Bool, logger: Logger) {
        let name = NotifySocket.name
        let calls: Set<Part> = servesCalls ? [.callSocket] : []
        self.init(awaiting: calls.union([.configuration, .socket])) { notice in
            guard let name else { return }
            do throws(SystemError) {
                try NotifySocket.send(notice, to: name)
            } catch {
                logger.warning(
                    "the service manager is not told", metadata: ["notice": "\(notice)", "reason": "\(error)"])
            }
        }
    }

    /// A part is there now; with the last one the daemon is ready.
    func has(_ part: Part) {
        let isLast = missing.withLock { $0.remove(part) != nil && $0.isEmpty }
        if isLast { send("READY=1") }
    }

    /// What the daemon is at, in a line; it is told when it is another.
    func status(_ text: String) {
        let isNews = lastStatus.withLock { last in
            defer { last = text }
            return last != text
        }
        if isNews { send("STATUS=\(text.split(separator: "\n").joined(separator: " "))") }
    }

    /// The daemon ends.
    func stopping() { send("STOPPING=1") }
}
