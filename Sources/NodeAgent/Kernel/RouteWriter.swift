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
    /// Raised when what was begun is finished, for who waits for it and for who does not.
    private let finished: WakeUp
    private let answered: Signal

    /// How long `finish` waits before it looks again; the socket itself has a deadline for each answer.
    private static let patience: Duration = .seconds(3600)

    /// Opens the socket in the calling thread's network namespace; it stays there.
    ///
    /// - Parameter answered: is raised whenever a batch that was begun is finished.
    init(thread: NIOThreadPool, answered: Signal) throws(NetlinkError) {
        let finished = try Self.wakeUp()
        let desk = Desk(try NetlinkSocket())
        self.desk = desk
        self.thread = thread
        self.finished = finished
        self.answered = answered
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

    mutating func nextHops(protocolNumber: UInt8) throws(NetlinkError) -> [NextHopObject] {
        try desk.socket.withLock { socket throws(NetlinkError) in try socket.nextHops(protocolNumber: protocolNumber) }
    }

    mutating func deleteNextHops(_ objects: [NextHopObject]) throws(NetlinkError) {
        try desk.socket.withLock { socket throws(NetlinkError) in try socket.deleteNextHops(objects) }
    }

    mutating func carryOut(_ batch: RouteBatch) throws(NetlinkError) -> [NetlinkFailure] {
        try desk.carryOut(batch).get()
    }

    mutating func begin(_ batch: RouteBatch) {
        let (desk, finished, answered) = (desk, finished, answered)
        desk.answers.withLock { $0.outstanding += 1 }
        thread.submit { _ in
            let isToBeTried = desk.answers.withLock { !$0.isStopped }
            let answer = isToBeTried ? desk.carryOut(batch).map { Optional($0) } : .success(nil)
            desk.answers.withLock { $0.put(answer) }
            finished.raise()
            answered.raise()
        }
    }

    var isFinished: Bool { desk.answers.withLock { !$0.ready.isEmpty } }

    mutating func finish() throws(NetlinkError) -> [NetlinkFailure]? {
        while true {
            if let answer = desk.answers.withLock({ $0.take() }) { return try answer.get() }
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

/// What became of the batches that were begun.
private struct Answers: Sendable {
    typealias Answer = Result<[NetlinkFailure]?, NetlinkError>

    /// The answers that nobody has taken, the oldest first.
    private(set) var ready: [Answer] = []
    /// How many batches were begun whose answers nobody has taken.
    var outstanding = 0
    /// Whether a batch has failed in part or whole: those behind it are not tried.
    private(set) var isStopped = false

    mutating func put(_ answer: Answer) {
        ready.append(answer)
        if case .success(let failures) = answer, failures?.isEmpty ?? false { return }
        isStopped = true
    }

    mutating func take() -> Answer? {
        guard !ready.isEmpty else { return nil }
        outstanding -= 1
        if outstanding == 0 { isStopped = false }
        return ready.removeFirst()
    }
}

/// What the two threads share.
private final class Desk: Sendable {
    let socket: Mutex<NetlinkSocket>
    let answers = Mutex(Answers())

    init(_ socket: consuming sending NetlinkSocket) {
        self.socket = Mutex(socket)
    }

    func carryOut(_ batch: RouteBatch) -> Result<[NetlinkFailure], NetlinkError> {
        socket.withLock { socket in
            Result { () throws(NetlinkError) in try socket.carryOut(batch) }
        }
    }
}
