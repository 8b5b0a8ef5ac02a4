import Logging
import NIOCore
import NIOPosix
import NetTypes

/// Accepts the connections that peers open, at the node's own addresses and nowhere else.
///
/// An address that is not there yet is tried again; a change of the configuration moves the sockets.
struct BGPListener: Sendable {
    /// Thousands of nodes may connect in the moment in which a reflector comes up.
    private static let backlog: Int32 = 4096
    private static let retryInterval: Duration = .seconds(1)

    let speaker: Speaker
    let eventLoop: any EventLoop
    let logger: Logger

    /// Listens until the task is cancelled.
    func run() async {
        var sockets: [SocketAddress: any Channel] = [:]
        var failures: [SocketAddress: String] = [:]
        await speaker.listenSignal.forEach {
            let wanted = await speaker.listenAddresses()
            for (address, channel) in sockets where !wanted.contains(address) {
                channel.close(promise: nil)
                sockets[address] = nil
            }
            for address in wanted where sockets[address] == nil {
                do {
                    sockets[address] = try await bind(address)
                    failures[address] = nil
                    logger.notice("listening for BGP", metadata: ["address": "\(address)"])
                } catch {
                    let reason = Dialer.reason(of: error)
                    if failures.updateValue(reason, forKey: address) != reason {
                        logger.warning(
                            "cannot listen for BGP; trying again",
                            metadata: ["address": "\(address)", "reason": "\(reason)"])
                    }
                }
            }
            guard sockets.count < wanted.count else { return }
            try? await Task.sleep(for: Self.retryInterval)
            speaker.listenSignal.raise()
        }
        for channel in sockets.values { channel.close(promise: nil) }
    }

    private func bind(_ address: SocketAddress) async throws -> any Channel {
        try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(peers: speaker.directory, logger: logger))
                }
            }
            .bind(to: address).get()
    }
}

/// Hands a connection to the peer it is from before the first byte is read; any other is closed.
private final class AdmissionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peers: PeerDirectory
    private let logger: Logger

    init(peers: PeerDirectory, logger: Logger) {
        self.peers = peers
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        if let remote = channel.remoteAddress?.address, let peer = peers.peer(at: remote) {
            peer.assumeIsolated { $0.accept(channel) }
            context.fireChannelActive()
        } else {
            let remote = channel.remoteAddress.map { "\($0)" } ?? "unknown"
            logger.notice("connection refused: no such peer", metadata: ["address": "\(remote)"])
            channel.close(promise: nil)
        }
    }
}
