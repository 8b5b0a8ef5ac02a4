import LinuxOS
import Logging
import NIOCore
import NIOPosix
import NetTypes
import Resources
import Synchronization

/// Accepts the connections that peers open, at the node's own addresses and nowhere else.
///
/// An address that is not there yet is tried again; a change of the configuration moves the sockets, and one that somebody
/// has destroyed (`ss -K`) is made again.
struct BGPListener: Sendable {
    /// Thousands of nodes may connect in the moment in which a reflector comes up.
    private static let backlog: Int32 = 4096
    private static let retryInterval: Duration = .seconds(1)

    let speaker: Speaker
    let eventLoop: any EventLoop
    let logger: Logger
    private let refusals = RefusalLog()

    /// Makes a listener for the speaker's peers.
    init(speaker: Speaker, eventLoop: any EventLoop, logger: Logger) {
        self.speaker = speaker
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// Listens until the task is cancelled.
    func run() async {
        var sockets: [SocketAddress: any Channel] = [:]
        var failures: [SocketAddress: String] = [:]
        await speaker.listenSignal.forEach {
            let wanted = await speaker.listenAddresses()
            let keys = await speaker.passwords()
            for (address, channel) in sockets where !wanted.contains(address) || !channel.isActive {
                channel.close(promise: nil)
                sockets[address] = nil
            }
            // What is listened on with the earlier keys has the new ones before a peer is accepted by them.
            await change(speaker.directory.installedKeys, to: keys, of: sockets)
            for address in wanted where sockets[address] == nil {
                do {
                    let channel = try await bind(address, keys: keys)
                    channel.closeFuture.whenComplete { _ in speaker.listenSignal.raise() }
                    sockets[address] = channel
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

    private func bind(_ address: SocketAddress, keys: [IPAddress: Secret]) async throws -> any Channel {
        let family: AddressFamily = address.protocol == .inet6 ? .ipv6 : .ipv4
        return try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.withSocket { socket throws(SystemError) in
                        // A peer with GTSM drops the answer to its SYN unless it comes with the largest TTL.
                        try TCPProtection.sendFarthest(family, on: socket)
                        for (peer, key) in keys where peer.family == family {
                            try TCPProtection.setMD5Key(key.bytes, for: peer, on: socket)
                        }
                    }
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(peers: speaker.directory, refusals: refusals, logger: logger))
                }
            }
            .bind(to: address).get()
    }
}

extension BGPListener {
    /// Sets the keys that differ on every socket, and notes what is set.
    private func change(
        _ installed: [IPAddress: Secret], to wanted: [IPAddress: Secret], of sockets: [SocketAddress: any Channel],
    ) async {
        let changed = Set(installed.keys).union(wanted.keys).filter { installed[$0] != wanted[$0] }
        guard !changed.isEmpty else { return }
        for (address, channel) in sockets {
            let family: AddressFamily = address.protocol == .inet6 ? .ipv6 : .ipv4
            do {
                try await channel.eventLoop.submit {
                    try channel.withSocket { socket throws(SystemError) in
                        for peer in changed where peer.family == family {
                            try TCPProtection.setMD5Key(wanted[peer]?.bytes ?? [], for: peer, on: socket)
                        }
                    }
                }.get()
            } catch {
                logger.error("keys of BGP peers cannot be set", metadata: ["reason": "\(error)"])
            }
        }
        speaker.directory.setInstalledKeys(wanted)
    }
}

/// Hands a connection to the peer it is from before the first byte is read; any other is closed.
private final class AdmissionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peers: PeerDirectory
    private let refusals: RefusalLog
    private let logger: Logger

    init(peers: PeerDirectory, refusals: RefusalLog, logger: Logger) {
        self.peers = peers
        self.refusals = refusals
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let remote = channel.remoteAddress?.address
        // Without its key the kernel would have let an unsigned connection pass.
        if let remote, let peer = peers.peer(at: remote), peers.installedKeys[remote] == peer.settings.password {
            peer.assumeIsolated { $0.accept(channel) }
            context.fireChannelActive()
        } else {
            if let leftOut = refusals.line(about: remote) {
                let address = channel.remoteAddress.map { "\($0)" } ?? "unknown"
                logger.notice(
                    "connection refused: no such peer", metadata: ["address": "\(address)"].with(leftOut: leftOut))
            }
            channel.close(promise: nil)
        }
    }
}

/// How much the log says of connections that are refused, by the address they come from.
private final class RefusalLog: Sendable {
    private let pace = Mutex(LogPace<IPAddress?>())

    /// Whether a line is to be written: nil if it is left out, else how many were since the last.
    func line(about remote: IPAddress?) -> Int? {
        let now = BootClock.now()
        return pace.withLock { $0.line(about: remote, at: now) }
    }
}
