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
    private static let connectionLimit = 1024

    /// The socket's path.
    let path: String
    /// What this side says of itself.
    let hello: Hello
    /// The loop that the connections live on.
    let eventLoop: any EventLoop
    /// Who answers.
    let responder: @Sendable (Request.Operation) async -> Result<JSONObject, RemoteError>
    let logger: Logger

    /// Serves until the task is cancelled.
    ///
    /// - Throws: when the socket cannot be bound.
    func run() async throws {
        // The directory is open to root alone, so that there is no moment at which others could connect.
        let server = try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 1024)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameHandler())
                    return try NIOAsyncChannel<JSONValue, JSONValue>(wrappingChannelSynchronously: channel)
                }
            }
        try Files.setPermissions(path, 0o600)
        logger.info("serving the node socket", metadata: ["path": "\(path)"])
        let open = ConnectionCount(limit: Self.connectionLimit)
        try await withTaskExecutorPreference(EventLoopExecutor(eventLoop)) {
            try await withThrowingDiscardingTaskGroup { group in
                try await server.executeThenClose { connections in
                    for try await connection in connections {
                        guard open.enter() else {
                            connection.channel.close(promise: nil)
                            continue
                        }
                        group.addTask {
                            await serve(connection)
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
        case .endpointAdd, .endpointDelete: await responder(operation)
        default: await withTaskExecutorPreference(globalConcurrentExecutor) { await responder(operation) }
        }
    }

    private func serve(_ connection: NIOAsyncChannel<JSONValue, JSONValue>) async {
        do {
            let credentials = try await SocketCredentials.of(connection.channel)
            guard credentials.userID == 0 else {
                logger.warning("client refused", metadata: ["uid": "\(credentials.userID)"])
                return try await connection.channel.close()
            }
            try await connection.executeThenClose { inbound, outbound in
                try await outbound.write(hello.json)
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
        } catch {
            logger.debug("client connection ended", metadata: ["reason": "\(error)"])
        }
    }
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
