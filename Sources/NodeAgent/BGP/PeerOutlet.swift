import Synchronization

/// Whether a peer's connection can take more bytes: the peer says so, the speaker asks. A speaker that was told no is
/// woken when that changes.
final class PeerOutlet: Sendable {
    private struct State {
        var isBusy = false
        var isWaitedFor = false
    }

    private let state = Mutex(State())
    private let signal: Signal

    init(signal: Signal) {
        self.signal = signal
    }

    /// Whether something can be sent now. If not, the speaker is woken when it can.
    var isFree: Bool {
        state.withLock { state in
            state.isWaitedFor = state.isBusy
            return !state.isBusy
        }
    }

    /// Something is about to be sent.
    func occupy() { state.withLock { $0.isBusy = true } }

    /// What was sent is with the kernel, or nothing was to be sent after all.
    func release() {
        let isWaitedFor = state.withLock { state in
            defer { state = State() }
            return state.isWaitedFor
        }
        if isWaitedFor { signal.raise() }
    }
}
