import LinuxOS
import Synchronization

/// What other threads have to say to the thread of a `ControlLoop`.
final class ControlInbox: Sendable {
    /// What has been said since it was last read.
    struct Messages: Sendable {
        /// The connections that have something to do.
        var tokens: [UInt64] = []
        /// Whether the loop is to end.
        var isStopped = false
    }

    private let wakeUp: WakeUp
    private let messages = Mutex(Messages())

    /// An empty one.
    init() throws(SystemError) { wakeUp = try WakeUp() }

    /// Readable when there is something to read.
    var descriptor: Int32 { wakeUp.descriptor }

    /// A connection has something to do.
    func attend(_ token: UInt64) {
        messages.withLock { $0.tokens.append(token) }
        wakeUp.raise()
    }

    /// The loop is to end, now or as soon as it begins.
    func stop() {
        messages.withLock { $0.isStopped = true }
        wakeUp.raise()
    }

    /// Reads what there is; that it is to end is said each time.
    func take() -> Messages {
        wakeUp.lower()
        return messages.withLock { messages in
            defer { messages.tokens = [] }
            return messages
        }
    }
}
