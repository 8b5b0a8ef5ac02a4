package import NetTypes
import Synchronization

/// A clock that moves only when it is told to.
package final class ManualClock: Sendable {
    private let time: Mutex<MonotonicTime>

    /// Starts at a moment that is not zero, so that earlier ones exist.
    package init(_ start: MonotonicTime = MonotonicTime(nanoseconds: 1_000_000_000_000)) { time = Mutex(start) }

    /// The time now.
    package var now: MonotonicTime { time.withLock { $0 } }

    /// Moves forward.
    package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}
