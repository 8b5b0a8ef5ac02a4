import NIOCore
import NetTypes

/// Raises a signal when a time has come. It has one time at once: whoever waits for several sets the earliest.
struct Alarm {
    private let eventLoop: any EventLoop
    private let signal: Signal
    private var pending: (due: MonotonicTime, task: Scheduled<Void>)?

    /// - Parameter eventLoop: whose clock is used; nothing else is done on it.
    init(_ signal: Signal, by eventLoop: any EventLoop) {
        self.signal = signal
        self.eventLoop = eventLoop
    }

    /// Sets the time in place of the former; nil for none. A time that is over has come.
    mutating func set(_ due: MonotonicTime?, at now: MonotonicTime) {
        guard due != pending?.due else { return }
        pending?.task.cancel()
        pending = due.map { [signal] due in
            (due, eventLoop.scheduleTask(in: TimeAmount(max(due - now, .zero))) { signal.raise() })
        }
    }

    /// Takes note that the signal was heard. The clock of the event loop may be early by a little: what was set and has
    /// not come yet is to be set again.
    mutating func heard() { pending = nil }
}
