import Glibc
import LinuxOS
import NetTypes

/// The time of day, for people. Nothing is decided by it.
enum WallClock {
    /// Seconds since 1970.
    static func now() -> Int64 { Int64(time(nil)) }

    /// When a moment of the boot clock was, in seconds since 1970.
    static func seconds(at moment: MonotonicTime) -> Int64 {
        now() - (BootClock.now() - moment).components.seconds
    }
}
