import LinuxOS
import Logging
import NIOCore
import NIOPosix
import NetTypes
import NodeLink
import Synchronization

/// Serves the node's Unix socket: a hello each way, then requests, each answered in its turn.
///
/// A client has `FrameHandler.helloTimeout` for its hello and is dropped after `FrameHandler.idleTimeout` without a word
/// either way. Of more than `connectionLimit` at a time the newest is closed at once.
struct ControlServer: Sendable {
    /// How long between two attempts to bind the socket.
    private static let retryInterval = Duration.seconds(1)

    /// The socket's path.
    let path: String
    /// What this side says of itself.
    let hello: Hello
    /// The loop that the connections live on.
    let eventLoop: any EventLoop
    /// Who answers.
    let responder: @Sendable (Request.Operation) async -> Result<JSONObject, RemoteError>
    let logger: Logger
    /// How many clients are served at a time.
    var connectionLimit = 1024

    private typealias Server = NIOAsyncChannel<any Channel, Never>
    private typealias Connection = NIOAsyncChannel<JSONValue, JSONValue>

    /// Ends the serving of the socket there is.
    private let turn = Turn()

    /// Serves until the task is cancelled. What goes wrong with a socket that was bound once is logged, and another is
    /// bound.
    ///
    /// - Throws: when the socket cannot be bound at first.
    func run() async throws {
        var end = turn.next()
        var server: Server? = try await bind()
        while let bound = server {
            await serve(bound, until: end)
            end = turn.next()
            server = await bindAgain()
        }
    }

    /// The socket's file is gone, so that nobody can connect any more: another is bound.
    func rebind() { turn.finish() }

    private func bind() async throws -> Server {
        // The directory is open to root alone, so that there is no moment at which others could connect.
        try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 1024)
            // Nothing is read before somebody is there to serve it.
            .childChannelOption(.autoRead, value: false)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameHandler())
                    return channel
                }
            }
    }

    /// Binds as soon as it can be done; nil when the task is cancelled.
    private func bindAgain() async -> Server? {
        var reported = ""
        while !Task.isCancelled {
            do {
                return try await bind()
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

    private func serve(_ server: Server, until end: Signal) async {
        await withTaskGroup { group in
            group.addTask {
                do {
                    try await serve(server)
                } catch {
                    guard !Task.isCancelled else { return }
                    logger.error("the node socket has failed; another is bound", metadata: ["reason": "\(error)"])
                    try? await Task.sleep(for: Self.retryInterval)
                }
            }
            group.addTask { await end.wait() }
            // Whichever ends first ends the other.
            await group.next()
            group.cancelAll()
        }
    }

    private func serve(_ server: Server) async throws {
        let open = ConnectionCount(limit: connectionLimit)
        try await withTaskExecutorPreference(EventLoopExecutor(eventLoop)) {
            try await withThrowingDiscardingTaskGroup { group in
                try await server.executeThenClose { connections in
                    try Files.setPermissions(path, 0o600)
                    logger.info("serving the node socket", metadata: ["path": "\(path)"])
                    for try await channel in connections {
                        guard open.enter() else {
                            channel.close(promise: nil)
                            continue
                        }
                        group.addTask {
                            await serve(channel)
                            open.leave()
                        }
                    }
                }
            }
        }
    }

    /// The answer. What is more than a note is made elsewhere: the loop has BGP's timers on it.
    private func answer(_ operation: Request.Operation) async -> Result<JSONObject, RemoteError> {
        switch operation {
        case .endpointAdd, .endpointDelete, .linkDelete: await responder(operation)
        default: await withTaskExecutorPreference(globalConcurrentExecutor) { await responder(operation) }
        }
    }

    private func serve(_ channel: any Channel) async {
        do {
            // From here to `executeThenClose` nothing may fail: NIO traps where a connection that was wrapped is dropped.
            let connection = try await Self.wrap(channel)
            try await connection.executeThenClose { inbound, outbound in
                let credentials = try await SocketCredentials.of(channel)
                guard credentials.userID == 0 else {
                    logger.warning("client refused", metadata: ["uid": "\(credentials.userID)"])
                    return
                }
                try await outbound.write(hello.json)
                try await channel.setOption(.autoRead, value: true).get()
                try await converse(inbound, outbound)
            }
        } catch {
            logger.debug("client connection ended", metadata: ["reason": "\(error)"])
        }
    }

    private static func wrap(_ channel: any Channel) async throws -> Connection {
        let wrap = { @Sendable () throws -> Connection in
            // A client may have gone already, and what is closed takes no handler: NIO would trap over its half.
            guard channel.isActive else { throw ChannelError.alreadyClosed }
            return try Connection(wrappingChannelSynchronously: channel)
        }
        return try await channel.eventLoop.inEventLoop ? wrap() : channel.eventLoop.submit(wrap).get()
    }

    private func converse(
        _ inbound: NIOAsyncChannelInboundStream<JSONValue>, _ outbound: NIOAsyncChannelOutboundWriter<JSONValue>,
    ) async throws {
        var isGreeted = false
        for try await json in inbound {
            guard isGreeted else {
                if let objection = hello.objection(to: try Hello(json: json)) {
                    logger.warning("client refused", metadata: ["reason": "it \(objection)"])
                    return
                }
                isGreeted = true
                continue
            }
            let request = try Request(json: json)
            let response = Response(id: request.id, result: await answer(request.operation))
            do {
                try await outbound.write(response.json)
            } catch NodeLinkError.malformed(let reason) {
                let refusal = RemoteError(code: 5, message: "the answer does not fit: \(reason)")
                try await outbound.write(Response(id: request.id, result: .failure(refusal)).json)
            }
        }
    }
}

/// The time during which one socket is served. What ends it while the next socket is not bound yet ends that one's, too:
/// nobody knows which of the two was meant.
private final class Turn: Sendable {
    private let current = Mutex(Signal())

    /// Begins the next.
    func next() -> Signal {
        let signal = Signal()
        current.withLock { $0 = signal }
        return signal
    }

    /// Ends the current one.
    func finish() { current.withLock { $0 }.raise() }
}

/// How many clients there are.
private final class ConnectionCount: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts one more, unless there are as many as may be.
    func enter() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}

/// Messages of the node socket, both ways.
private final class FrameHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = JSONValue
    typealias OutboundIn = JSONValue
    typealias OutboundOut = ByteBuffer

    /// The longest wait for a client's hello.
    static let helloTimeout: TimeAmount = .seconds(2)
    /// The longest silence of a connection after that. An answer may take ten seconds.
    static let idleTimeout: TimeAmount = .seconds(60)

    private var decoder = FrameDecoder()
    private var deadline: Scheduled<Void>?

    func channelActive(context: ChannelHandlerContext) {
        expect(Self.helloTimeout, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    private func expect(_ patience: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        expect(Self.idleTimeout, context)
        decoder.append(unwrapInboundIn(data).readableBytesView)
        do {
            while let message = try decoder.nextMessage() { context.fireChannelRead(wrapInboundOut(message)) }
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        do {
            let frame = try FrameDecoder.encode(unwrapOutboundIn(data))
            if deadline == nil { expect(Self.helloTimeout, context) }
            context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: frame)), promise: promise)
        } catch {
            promise?.fail(error)
        }
    }
}

/// Who connected (SO_PEERCRED, unix(7)): three 32-bit numbers.
private struct SocketCredentials: Sendable {
    var processID: Int32 = 0
    var userID: UInt32 = .max
    var groupID: UInt32 = .max

    static func of(_ channel: any Channel) async throws -> SocketCredentials {
        guard let provider = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
        // The kernel fills a ucred, whose layout is that of these three numbers.
        return try await provider.unsafeGetSocketOption(
            level: .init(PeerCredentials.socketOption.level), name: .init(PeerCredentials.socketOption.name)
        ).get()
    }
}
