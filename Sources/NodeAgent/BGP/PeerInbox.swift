import Synchronization

/// What the peers tell the speaker, in the order in which it happened. The speaker takes all that is there at once.
final class PeerInbox: Sendable {
    /// Raised when there is something to take, or when a peer that was waited for can send again.
    let signal = Signal()
    private let events = Mutex<[PeerEvent]>([])

    /// Adds an event.
    func put(_ event: PeerEvent) {
        let isFirst = events.withLock { events in
            events.append(event)
            return events.count == 1
        }
        if isFirst { signal.raise() }
    }

    /// Takes everything out.
    func take() -> [PeerEvent] {
        events.withLock { events in
            let taken = events
            events = []
            return taken
        }
    }
}
