/// A moment on a clock that never goes back, as nanoseconds since an arbitrary start.
///
/// Pure cores take it as an argument; only shells read a clock. `CLOCK_BOOTTIME` is the usual source.
@frozen @usableFromInline
package struct MonotonicTime: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's start.
    @usableFromInline package let nanoseconds: UInt64

    /// The moment so many nanoseconds after the clock's start.
    @inlinable package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The moment `duration` later (earlier, if negative); it saturates at the ends of the clock.
    package static func + (left: MonotonicTime, right: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = right.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return MonotonicTime(nanoseconds: seconds < 0 ? 0 : .max) }
        let shift = scaled.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
        let (sum, carried) =
            shift >= 0
            ? left.nanoseconds.addingReportingOverflow(UInt64(shift))
            : left.nanoseconds.subtractingReportingOverflow(shift.magnitude)
        return MonotonicTime(nanoseconds: carried ? (shift < 0 ? 0 : .max) : sum)
    }

    /// The time from `right` to `left`; negative when `right` is later.
    package static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
        left >= right
            ? .nanoseconds(Int64(clamping: left.nanoseconds - right.nanoseconds))
            : .nanoseconds(-Int64(clamping: right.nanoseconds - left.nanoseconds))
    }

    @inlinable package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
