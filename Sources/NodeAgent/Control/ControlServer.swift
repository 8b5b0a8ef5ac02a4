import LinuxOS
import Logging
import NIOPosix
import NetTypes
import NodeLink
import Synchronization

/// Serves the node's Unix socket: a hello each way, then requests, each answered in its turn.
///
/// A thread of its own has the connections (`ControlLoop`) and answers what the CNI executable asks with every pod. What
/// takes longer is answered by tasks. A client has two seconds for its hello and is dropped after a minute without a
/// word. Of more than `connectionLimit` at a time the newest is closed at once.
struct ControlServer: Sendable {
    /// What has become of a request.
    typealias Reply = @Sendable (Result<JSONObject, RemoteError>) -> Void

    /// How long between two attempts to bind the socket.
    private static let retryInterval = Duration.seconds(1)

    /// The socket's path.
    let path: String
    /// What this side says of itself.
    let hello: Hello
    /// Answers what needs no waiting for, at once or from another thread; false leaves it to `responder`.
    var prompt: @Sendable (Request.Operation, @escaping Reply) -> Bool = { _, _ in false }
    /// Answers everything else, but for pages.
    let responder: @Sendable (Request.Operation) async -> Result<JSONObject, RemoteError>
    /// Has the tables that are read in pages.
    var tables: @Sendable (PagedTable) async -> Result<TableRows, RemoteError> = { _ in .success(TableRows([])) }
    let logger: Logger
    /// How many clients are served at a time.
    var connectionLimit = 1024
    /// Is told that the socket is there, once.
    var isBound: @Sendable () -> Void = {}

    /// Ends the serving of the socket there is.
    private let turn = Turn()

    /// Serves until the task is cancelled. What goes wrong with a socket that was bound once is logged, and another is
    /// bound.
    ///
    /// - Throws: when the socket cannot be bound at first.
    func run() async throws {
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        do {
            var bound: Bound? = try bind()
            isBound()
            while let current = bound {
                await serve(current, on: thread)
                bound = await bindAgain()
            }
            try await thread.shutdownGracefully()
        } catch {
            try await thread.shutdownGracefully()
            throw error
        }
    }

    /// The socket's file is gone, so that nobody can connect any more: another is bound.
    func rebind() { turn.finish() }

    private func bind() throws(SystemError) -> Bound {
        // In this order: what is said of the socket while it is not bound yet counts for it.
        let inbox = try turn.next()
        return Bound(socket: try ControlSocket(path), inbox: inbox)
    }

    /// Binds as soon as it can be done; nil when the task is cancelled.
    private func bindAgain() async -> Bound? {
        var reported = ""
        while !Task.isCancelled {
            do throws(SystemError) {
                return try bind()
            } catch {
                let reason = "\(error)"
                if reason != reported {
                    logger.error(
                        "the node socket cannot be bound; trying again",
                        metadata: ["path": "\(path)", "reason": "\(reason)"])
                }
                reported = reason
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
        return nil
    }

    /// Serves one socket until the inbox says stop, or the task is cancelled.
    private func serve(_ bound: Bound, on thread: NIOThreadPool) async {
        // One call of each connection at a time.
        let (calls, continuation) = AsyncStream<Call>.makeStream()
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    do {
                        try await thread.runIfActive { try self.loop(bound, continuation) }
                    } catch {
                        logger.error("the node socket has failed; another is bound", metadata: ["reason": "\(error)"])
                        try? await Task.sleep(for: Self.retryInterval)
                    }
                    continuation.finish()
                }
                logger.info("serving the node socket", metadata: ["path": "\(path)"])
                for await call in calls { group.addTask { await carryOut(call) } }
                group.cancelAll()
            }
        } onCancel: {
            bound.inbox.stop()
        }
    }

    private func loop(_ bound: Bound, _ calls: AsyncStream<Call>.Continuation) throws(SystemError) {
        let loop = try ControlLoop(bound.socket, inbox: bound.inbox, server: self) { connection, request in
            if prompt(request.operation, { connection.reply(to: request, $0) }) { return }
            connection.greet()
            calls.yield(Call(connection: connection, request: request))
        }
        try loop.run()
    }

    private func carryOut(_ call: Call) async {
        let result: Result<JSONObject, RemoteError>
        if case .page(let table, let from) = call.request.operation {
            result = await call.connection.page(table, from: from, tables)
        } else {
            result = await responder(call.request.operation)
        }
        call.connection.reply(to: call.request, result)
    }
}

/// A socket, and the way to whoever serves it.
private struct Bound: Sendable {
    let socket: ControlSocket
    let inbox: ControlInbox
}

/// A request that takes its time.
private struct Call: Sendable {
    let connection: ControlConnection
    let request: Request
}

/// The bound socket.
final class ControlSocket: Sendable {
    /// The socket, for root alone.
    let listener: UnixListener

    /// Binds, in place of what a daemon before this one has left.
    init(_ path: String) throws(SystemError) {
        try Files.remove(path)
        listener = try UnixListener.bind(path)
    }
}

/// The time during which one socket is served. What ends it while the next socket is not bound yet ends that one's, too:
/// nobody knows which of the two was meant.
private final class Turn: Sendable {
    private let current = Mutex<ControlInbox?>(nil)

    /// Begins the next.
    func next() throws(SystemError) -> ControlInbox {
        let inbox = try ControlInbox()
        current.withLock { $0 = inbox }
        return inbox
    }

    /// Ends the current one.
    func finish() { current.withLock { $0 }?.stop() }
}
