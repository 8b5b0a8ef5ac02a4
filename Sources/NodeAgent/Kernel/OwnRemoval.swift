import Synchronization

/// A deletion whose asker is a thread of this process that waits for it: while it is alone in its batch, the asker watches
/// the link go and does the rest, instead of being woken when others have done it.
///
/// Whoever takes it sees to the rest, and to the batches after it; nobody else does then.
final class OwnRemoval: Sendable {
    private enum Phase {
        /// Asked for, and in no batch yet.
        case waiting
        /// The kernel is at it.
        case alone
        /// A thread has taken it, which answers it.
        case taken
        /// Its asker has taken it.
        case takenByAsker
    }

    /// The index of the link.
    let index: UInt32
    private let phase = Mutex(Phase.waiting)

    init(index: UInt32) { self.index = index }

    /// Whether nobody has taken it.
    var isOpen: Bool { phase.withLock { $0 == .waiting || $0 == .alone } }

    /// The kernel begins with it, and with nothing else.
    ///
    /// - Returns: false when it is taken: its asker waits for the answer.
    func beginAlone() -> Bool {
        phase.withLock { phase in
            guard phase == .waiting else { return false }
            phase = .alone
            return true
        }
    }

    /// Takes it for a thread that answers it: its asker waits for the answer from now on.
    ///
    /// - Returns: false when the asker has taken it: it gets no answer. That another thread has is no obstacle.
    @discardableResult
    func take() -> Bool {
        phase.withLock { phase in
            guard phase != .takenByAsker else { return false }
            phase = .taken
            return true
        }
    }

    /// Takes it for its asker, which has seen the link gone.
    ///
    /// - Returns: false when it is not alone in its batch, or a thread has taken it: there will be an answer.
    func takeForAsker() -> Bool {
        phase.withLock { phase in
            guard phase == .alone else { return false }
            phase = .takenByAsker
            return true
        }
    }
}
