import Dataplane
import LinuxOS
import NIOPosix
import NetTypes
import Netlink
import Synchronization

/// The socket that carries routes, with a thread of its own for large batches: while the kernel works on one, the agent's
/// thread plans the next. Everything else runs on the caller's thread.
struct RouteWriter: ConcurrentRouteKernel, ~Copyable {
    private let desk: Desk
    private let thread: NIOThreadPool
    /// Raised when what was begun is finished.
    private let finished: WakeUp

    /// How long `finish` waits before it looks again; the socket itself has a deadline for each answer.
    private static let patience: Duration = .seconds(3600)

    /// Opens the socket in the calling thread's network namespace; it stays there.
    init(thread: NIOThreadPool) throws(NetlinkError) {
        let finished = try Self.wakeUp()
        let desk = Desk(try NetlinkSocket())
        self.desk = desk
        self.thread = thread
        self.finished = finished
    }

    private static func wakeUp() throws(NetlinkError) -> WakeUp {
        do throws(SystemError) {
            return try WakeUp()
        } catch {
            throw NetlinkError(.socketOpen, "wake-up", error.code)
        }
    }

    /// Who the socket is to the kernel.
    var port: NetlinkPort { desk.socket.withLock { $0.port } }

    mutating func links() throws(NetlinkError) -> [Link] {
        try desk.socket.withLock { socket throws(NetlinkError) in try socket.links() }
    }

    mutating func routes(protocolNumber: UInt8?, family: AddressFamily) throws(NetlinkError) -> [Route] {
        try desk.socket.withLock { socket throws(NetlinkError) in
            try socket.routes(protocolNumber: protocolNumber, family: family)
        }
    }

    mutating func carryOut(_ batch: NetlinkBatch) throws(NetlinkError) -> [NetlinkFailure] {
        try desk.carryOut(batch).get()
    }

    mutating func begin(_ batch: NetlinkBatch) {
        let (desk, finished) = (desk, finished)
        thread.submit { _ in
            let result = desk.carryOut(batch)
            desk.result.withLock { $0 = result }
            finished.raise()
        }
    }

    var isFinished: Bool { desk.result.withLock { $0 != nil } }

    mutating func finish() throws(NetlinkError) -> [NetlinkFailure] {
        while true {
            let result = desk.result.withLock { result in
                defer { result = nil }
                return result
            }
            if let result { return try result.get() }
            do throws(SystemError) {
                _ = try Poll.readable(
                    [finished.descriptor], until: BootClock.now() + Self.patience, name: "the route writer")
            } catch {
                throw NetlinkError(.receive, "the route writer", error.code)
            }
            finished.lower()
        }
    }
}

/// What the two threads share.
private final class Desk: Sendable {
    let socket: Mutex<NetlinkSocket>
    let result = Mutex<Result<[NetlinkFailure], NetlinkError>?>(nil)

    init(_ socket: consuming sending NetlinkSocket) {
        self.socket = Mutex(socket)
    }

    func carryOut(_ batch: NetlinkBatch) -> Result<[NetlinkFailure], NetlinkError> {
        socket.withLock { socket in
            Result { () throws(NetlinkError) in try socket.carryOut(batch) }
        }
    }
}
