import LinuxOS
import Logging
import NIOPosix
import NetTypes
import Netlink
import Synchronization

/// Listens to the kernel's events on a thread of its own and hands them on in order.
///
/// The queue between the two holds `queueLimit` batches; what does not fit is dropped and told as an overrun, after
/// which whoever listens reads everything anew.
final class KernelMonitor: Sendable {
    private static let queueLimit = 256

    private let logger: Logger
    private let socket = Mutex<MonitorSocket?>(nil)

    init(logger: Logger) {
        self.logger = logger
    }

    /// Subscribes. Events after this call are not missed, whenever `run` begins.
    func open() throws {
        let opened = MonitorSocket(monitor: try NetlinkMonitor(), wakeUp: try WakeUp())
        socket.withLock { $0 = opened }
    }

    /// Leaves out what the socket of this port asks for: it has had its answer, and a table of routes that is written
    /// comes back as an event for each. A kernel that does not do it costs time only.
    func ignore(_ port: NetlinkPort) {
        guard let socket = socket.withLock({ $0 }) else { return }
        do {
            try socket.ignore(port)
        } catch {
            logger.info("own changes come back as events", metadata: ["reason": "\(error)"])
        }
    }

    /// Calls `observe` with everything that happens until the task is cancelled.
    func run(_ observe: (sending [KernelEvent]) async -> Void) async throws {
        guard let socket = socket.withLock({ $0 }) else { return }
        let (stream, continuation) = AsyncStream<[KernelEvent]>.makeStream(
            bufferingPolicy: .bufferingOldest(Self.queueLimit))
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    try? await pool.runIfActive { socket.pump(into: continuation, logger: self.logger) }
                    continuation.finish()
                }
                for await events in stream { await observe(events) }
            }
        } onCancel: {
            socket.wakeUp.raise()
        }
        try await pool.shutdownGracefully()
    }
}

/// How long events are gathered after the first: far below what anybody waits for, far above what a pod's take. Where
/// pods come and go one after the other, those of several are taken together.
private let gatheringTime = Duration.milliseconds(10)

/// The monitor's socket, owned by the thread that reads it.
private final class MonitorSocket: Sendable {
    /// Ends `pump`.
    let wakeUp: WakeUp
    private let ignored: Mutex<IgnoredPort>
    private let monitor: Mutex<NetlinkMonitor>

    init(monitor: consuming sending NetlinkMonitor, wakeUp: WakeUp) {
        ignored = Mutex(IgnoredPort(descriptor: monitor.descriptor))
        self.monitor = Mutex(monitor)
        self.wakeUp = wakeUp
    }

    func ignore(_ port: NetlinkPort) throws(SystemError) {
        try ignored.withLock { ignored throws(SystemError) in try ignored.ignore(port, by: Self.filter) }
    }

    /// Before the former socket is closed, which ends what its number stands for.
    private func listen(on replacement: borrowing NetlinkMonitor, logger: Logger) {
        let descriptor = replacement.descriptor
        do throws(SystemError) {
            try ignored.withLock { ignored throws(SystemError) in try ignored.listen(on: descriptor, by: Self.filter) }
        } catch {
            logger.info("own changes come back as events", metadata: ["reason": "\(error)"])
        }
    }

    private static func filter(_ port: NetlinkPort, _ descriptor: Int32) throws(SystemError) {
        try port.beIgnored(by: descriptor)
    }

    /// Blocks the thread it is on until it is woken. A socket that fails is replaced; what was missed meanwhile, or did
    /// not fit into the queue, is told as an overrun, again and again until it is taken.
    func pump(into continuation: AsyncStream<[KernelEvent]>.Continuation, logger: Logger) {
        monitor.withLock { monitor in
            var owesOverrun = false
            while true {
                do {
                    let patience: Duration = owesOverrun ? .milliseconds(100) : .seconds(3600)
                    if try monitor.wait(until: BootClock.now() + patience, or: wakeUp).wokenUp { return }
                    // A pod that comes or goes is a dozen events within a millisecond: they are taken together.
                    if isWoken(within: gatheringTime) { return }
                    var events = try monitor.drain()
                    if owesOverrun { events.append(.overrun) }
                    guard !events.isEmpty else { continue }
                    if case .dropped = continuation.yield(events) { owesOverrun = true } else { owesOverrun = false }
                } catch {
                    logger.error("the kernel's events cannot be read; a new socket", metadata: ["reason": "\(error)"])
                    owesOverrun = true
                    if isWoken(within: .seconds(1)) { return }
                    if let replacement = try? NetlinkMonitor() {
                        listen(on: replacement, logger: logger)
                        monitor = replacement
                    }
                }
            }
        }
    }

    private func isWoken(within patience: Duration) -> Bool {
        let ready = try? Poll.readable([wakeUp.descriptor], until: BootClock.now() + patience, name: "wake-up")
        return ready?[0] ?? true
    }
}
