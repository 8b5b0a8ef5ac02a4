import NIOCore
import Synchronization

/// What the peers tell the speaker, in the order in which it happened. The speaker takes all that is there at once.
///
/// Speaker and peers share an event loop: the speaker is run on it, soon, once for however much there is.
final class PeerInbox: Sendable {
    private struct State {
        var events: [PeerEvent] = []
        var worker: (@Sendable () -> Void)?
        var isScheduled = false
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Runs `worker` on the event loop whenever there may be something to do, until `close`.
    func open(_ worker: @escaping @Sendable () -> Void) {
        state.withLock { $0.worker = worker }
        wake()
    }

    /// Runs nobody any more.
    func close() { state.withLock { $0.worker = nil } }

    /// Adds an event.
    func put(_ event: PeerEvent) {
        state.withLock { $0.events.append(event) }
        wake()
    }

    /// How many events wait.
    var count: Int { state.withLock { $0.events.count } }

    /// Takes everything out.
    func take() -> [PeerEvent] {
        state.withLock { state in
            let taken = state.events
            state.events = []
            return taken
        }
    }

    /// Has the worker run soon, or after a delay.
    func wake(after delay: TimeAmount? = nil) {
        let isNew = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard isNew else { return }
        if let delay {
            eventLoop.scheduleTask(in: delay) { self.work() }
        } else {
            eventLoop.execute { self.work() }
        }
    }

    private func work() {
        let worker = state.withLock { state in
            state.isScheduled = false
            return state.worker
        }
        worker?()
    }
}
