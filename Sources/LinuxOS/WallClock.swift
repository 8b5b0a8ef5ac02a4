import Glibc
package import NetTypes

/// The time of day (CLOCK_REALTIME), for people. Nothing is to be decided by it: it jumps.
package enum WallClock {
    /// The time of day at which the boot clock stood at zero, reckoned once, so that a moment reads the same every time.
    private static let origin = now() * 1000 - Int64(clamping: BootClock.now().nanoseconds / 1_000_000)

    /// Seconds since 1970.
    package static func now() -> Int64 { Int64(time(nil)) }

    /// When a moment of the boot clock was, in seconds since 1970.
    package static func seconds(at moment: MonotonicTime) -> Int64 {
        (origin + Int64(clamping: moment.nanoseconds / 1_000_000)) / 1000
    }
}
