import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NodeLink

/// Answers `GET /metrics` on an HTTP port, and nothing else.
struct MetricsServer: Sendable {
    private static let retryInterval: Duration = .seconds(1)
    private static let subject = "metrics"
    /// A connection that asks nothing is closed after so long.
    private static let idleLimit: TimeAmount = .seconds(60)

    let address: SocketAddress
    let eventLoop: any EventLoop
    /// Where it is told that the address is not to be had.
    let faults: DaemonFaults
    let logger: Logger
    /// The text to answer with.
    let metrics: @Sendable () async -> MetricsText

    /// Serves until the task is cancelled. An address that is taken is tried again, and a socket that somebody has
    /// destroyed is made again.
    func run() async {
        var hasWarned = false
        while !Task.isCancelled {
            do {
                let channel = try await bind()
                faults.clear(Self.subject)
                logger.notice("serving metrics", metadata: ["address": "\(address)"])
                await withTaskCancellationHandler {
                    try? await channel.closeFuture.get()
                } onCancel: {
                    channel.close(promise: nil)
                }
                hasWarned = false
            } catch {
                let reason = Dialer.reason(of: error)
                faults.note(fault(reason))
                if !hasWarned {
                    logger.warning(
                        "cannot serve metrics; trying again",
                        metadata: ["address": "\(address)", "reason": "\(reason)"])
                }
                hasWarned = true
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
    }

    private func fault(_ reason: String) -> DaemonFault {
        let place = "\(address.ipAddress ?? "") port \(address.port ?? 0)"
        return DaemonFault(
            subject: Self.subject, problem: "Prometheus is not answered at \(place): \(reason)",
            remedy: "stop the program that is there (ss -ltnp 'sport = :\(address.port ?? 0)'), or start apusd with "
                + "another --metrics; apusd tries again every second")
    }

    private func bind() async throws -> any Channel {
        try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: Self.idleLimit))
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(MetricsHandler(metrics: metrics))
                }
            }
            .bind(to: address).get()
    }
}

/// One connection: one answer to each request, in order.
private final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let metrics: @Sendable () async -> MetricsText
    private var head: HTTPRequestHead?

    init(metrics: @escaping @Sendable () async -> MetricsText) {
        self.metrics = metrics
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context: context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        guard head.uri == "/metrics" || head.uri.hasPrefix("/metrics?") else {
            return write(.notFound, "only /metrics is here\n", head, context)
        }
        guard head.method == .GET else { return write(.methodNotAllowed, "GET only\n", head, context) }
        let promise = context.eventLoop.makePromise(of: String.self)
        let metrics = metrics
        promise.completeWithTask { await metrics().text }
        promise.futureResult.assumeIsolated().whenSuccess { self.write(.ok, $0, head, context) }
    }

    private func write(
        _ status: HTTPResponseStatus, _ text: String, _ request: HTTPRequestHead, _ context: ChannelHandlerContext,
    ) {
        var head = HTTPResponseHead(version: request.version, status: status)
        head.headers.add(name: "Content-Type", value: "text/plain; version=0.0.4; charset=utf-8")
        head.headers.add(name: "Content-Length", value: String(text.utf8.count))
        if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: text)))), promise: nil)
        let end = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !request.isKeepAlive {
            let channel = context.channel
            end.whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
