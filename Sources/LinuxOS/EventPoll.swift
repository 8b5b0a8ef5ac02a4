import CLinuxShim
import Glibc
package import NetTypes

/// epoll(7), level-triggered: which of many descriptors are ready. A descriptor that is closed is no longer waited for.
///
/// For one thread; the descriptors stay their owners'.
package struct EventPoll: ~Copyable, Sendable {
    /// What to wait for. The end of a connection is told of in any case.
    package struct Interest: OptionSet, Sendable, Hashable {
        /// The bits, this type's own.
        package let rawValue: UInt8

        /// Takes the bits as they are.
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// There is something to read, or the peer has closed its end.
        package static let readable = Interest(rawValue: 1)
        /// There is room to write.
        package static let writable = Interest(rawValue: 2)

        fileprivate var bits: UInt32 {
            (contains(.readable) ? EPOLLIN.rawValue : 0) | (contains(.writable) ? EPOLLOUT.rawValue : 0)
        }
    }

    /// What has become of one descriptor.
    package struct Event: Sendable, Hashable {
        /// What the descriptor was added as.
        package let token: UInt64
        /// Whether the connection is over in both directions.
        package let hasEnded: Bool
    }

    /// How many events one wait answers at most; the shim's number.
    private static let batch = 64

    private let file: FileDescriptor

    /// Opens one that waits for nothing.
    package init() throws(SystemError) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        let code = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("epoll_create", "event poll", code) }
        file = FileDescriptor(owning: number)
    }

    /// Begins to wait for a descriptor.
    package borrowing func add(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, descriptor, interest, token)
    }

    /// Waits for something else of a descriptor from now on.
    package borrowing func change(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, descriptor, interest, token)
    }

    /// Waits for nothing of a descriptor any more, not even for its end.
    package borrowing func remove(_ descriptor: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, descriptor, [], 0)
    }

    /// Waits until something is ready.
    ///
    /// - Parameter deadline: on `BootClock`; nil waits for as long as it takes.
    /// - Returns: what is ready; nothing at the deadline, or when a signal came.
    package borrowing func wait(until deadline: MonotonicTime?) throws(SystemError) -> [Event] {
        var tokens = [UInt64](repeating: 0, count: Self.batch)
        var states = [UInt32](repeating: 0, count: Self.batch)
        // SAFETY: the call writes at most as many entries as each array has.
        let count = unsafe clinux_epoll_wait(file.rawValue, &tokens, &states, Self.milliseconds(until: deadline))
        let code = SystemErrorCode.last
        guard count >= 0 else {
            if code == .EINTR { return [] }
            throw SystemError("epoll_wait", "event poll", code)
        }
        let ended = EPOLLHUP.rawValue | EPOLLERR.rawValue
        return zip(tokens, states).prefix(Int(count)).map { Event(token: $0, hasEnded: $1 & ended != 0) }
    }

    private borrowing func control(
        _ operation: Int32, _ descriptor: Int32, _ interest: Interest, _ token: UInt64,
    ) throws(SystemError) {
        let result = clinux_epoll_control(file.rawValue, operation, descriptor, interest.bits, token)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("epoll_ctl", "descriptor \(descriptor)", code) }
    }

    /// The time left, rounded up so that the wait does not spin through its last millisecond.
    private static func milliseconds(until deadline: MonotonicTime?) -> Int32 {
        guard let deadline else { return -1 }
        let now = BootClock.now()
        guard deadline > now else { return 0 }
        return Int32(clamping: (deadline.nanoseconds - now.nanoseconds) / 1_000_000 + 1)
    }
}
