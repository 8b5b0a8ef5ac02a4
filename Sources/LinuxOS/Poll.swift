import CLinuxShim
import Glibc
package import NetTypes

/// poll(2) with a deadline.
package enum Poll {
    /// What to wait for.
    package enum Readiness: Sendable {
        case readable
        case writable
    }

    /// Waits until the descriptor is ready, or has an error for the next call to find.
    ///
    /// - Parameters:
    ///   - deadline: on `BootClock`.
    ///   - name: what the error calls the file.
    /// - Throws: `ETIMEDOUT` at the deadline.
    package static func wait(
        _ descriptor: borrowing FileDescriptor, for readiness: Readiness, until deadline: MonotonicTime, name: String,
    ) throws(SystemError) {
        guard try isReady(descriptor.rawValue, readiness, until: deadline, name: name) else {
            throw SystemError("wait for", name, .ETIMEDOUT)
        }
    }

    /// Waits until one of the descriptors is readable or has an error.
    ///
    /// - Returns: whether each is; all false at the deadline.
    package static func readable(
        _ descriptors: [Int32], until deadline: MonotonicTime, name: String,
    ) throws(SystemError) -> [Bool] {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = try poll(&entries, until: deadline, name: name)
        return entries.map { $0.revents != 0 }
    }

    private static func isReady(
        _ number: Int32, _ readiness: Readiness, until deadline: MonotonicTime, name: String,
    ) throws(SystemError) -> Bool {
        var entries = [pollfd(fd: number, events: Int16(readiness == .readable ? POLLIN : POLLOUT), revents: 0)]
        return try poll(&entries, until: deadline, name: name)
    }

    private static func poll(
        _ entries: inout [pollfd], until deadline: MonotonicTime, name: String,
    ) throws(SystemError) -> Bool {
        while true {
            // SAFETY: the kernel writes as many entries as the array has.
            let result = unsafe Glibc.poll(&entries, nfds_t(entries.count), milliseconds(until: deadline))
            let code = SystemErrorCode.last
            if result > 0 { return true }
            if result < 0, code != .EINTR { throw SystemError("poll", name, code) }
            if BootClock.now() >= deadline { return false }
        }
    }

    /// The time left, rounded up so that the wait does not spin through its last millisecond.
    private static func milliseconds(until deadline: MonotonicTime) -> Int32 {
        let now = BootClock.now()
        guard deadline > now else { return 0 }
        return Int32(clamping: (deadline.nanoseconds - now.nanoseconds) / 1_000_000 + 1)
    }
}

/// A counter that one thread raises to wake another that waits in `Poll` (eventfd(2)).
package final class WakeUp: Sendable {
    private let file: FileDescriptor

    /// Makes one that is not raised.
    package init() throws(SystemError) {
        let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        let code = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("eventfd", "wake-up", code) }
        file = FileDescriptor(owning: number)
    }

    /// The descriptor to wait for; readable once raised.
    package var descriptor: Int32 { file.rawValue }

    /// Wakes the waiter, now or at its next wait. Never blocks; safe from any thread.
    package func raise() {
        // The only possible failure is a counter at its limit, which is raised as it is.
        _ = eventfd_write(file.rawValue, 1)
    }

    /// Lowers it again.
    package func lower() {
        var value: eventfd_t = 0
        // SAFETY: the call fills the number it is given.
        _ = unsafe eventfd_read(file.rawValue, &value)
    }
}
