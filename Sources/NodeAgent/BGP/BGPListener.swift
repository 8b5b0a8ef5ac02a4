import LinuxOS
import Logging
import NIOCore
import NIOPosix
import NetTypes
import NodeLink
import Resources
import Synchronization

/// Accepts the connections that peers open, at the node's own addresses and nowhere else, unless `bindMode` says so.
///
/// An address that is not there yet is tried again; a change of the configuration moves the sockets, and one that somebody
/// has destroyed (`ss -K`) is made again. A peer whose key cannot be set is refused, and nobody else.
struct BGPListener: Sendable {
    /// Thousands of nodes may connect in the moment in which a reflector comes up.
    private static let backlog: Int32 = 4096
    private static let retryInterval: Duration = .seconds(1)

    /// A socket that listens, and its keys.
    private struct Socket {
        let channel: any Channel
        let keys: ListeningKeys
    }

    let speaker: Speaker
    let eventLoop: any EventLoop
    let logger: Logger
    private let shortages: KeyShortages
    private let refusals = RefusalLog()

    /// Makes a listener for the speaker's peers, which tells `shortages` whose keys cannot be set.
    init(speaker: Speaker, shortages: KeyShortages, eventLoop: any EventLoop, logger: Logger) {
        self.speaker = speaker
        self.shortages = shortages
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// Listens until the task is cancelled.
    func run() async {
        var sockets: [SocketAddress: Socket] = [:]
        var failures: [SocketAddress: String] = [:]
        var unprotected: Set<IPAddress> = []
        var crowd = 0
        await speaker.listenSignal.forEach {
            let wanted = await speaker.listenAddresses()
            for (address, socket) in sockets where !wanted.contains(address) || !socket.channel.isActive {
                socket.channel.close(promise: nil)
                sockets[address] = nil
            }
            let passwords = await speaker.passwords()
            crowd = warnOfDescriptors(peers: await speaker.configuration?.peers.count ?? 0, former: crowd)
            for address in wanted where sockets[address] == nil {
                do {
                    let socket = try await bind(address, passwords)
                    socket.channel.closeFuture.whenComplete { _ in speaker.listenSignal.raise() }
                    sockets[address] = socket
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
            // Until its key is set, a peer is refused.
            let (failed, reason, needed) = await setKeys(passwords, of: sockets.values.map { $0 })
            report(failed, reason, needed, former: unprotected)
            unprotected = failed
            guard sockets.count < wanted.count || !failed.isEmpty else { return }
            try? await Task.sleep(for: Self.retryInterval)
            speaker.listenSignal.raise()
        }
        for socket in sockets.values { socket.channel.close(promise: nil) }
    }

    private func bind(_ address: SocketAddress, _ passwords: [IPAddress: Secret]) async throws -> Socket {
        let family: AddressFamily = address.protocol == .inet6 ? .ipv6 : .ipv4
        let keys = ListeningKeys(family: family)
        let channel = try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.withSocket { socket throws(SystemError) in
                        // The other family has a socket of its own.
                        if family == .ipv6 { try TCPProtection.acceptIPv6Alone(on: socket) }
                        // A peer with GTSM drops the answer to its SYN unless it comes with the largest TTL.
                        try TCPProtection.sendFarthest(family, on: socket)
                        // Before anybody can connect; what fails is reported by the next look.
                        _ = Self.set(passwords, in: keys, of: socket)
                    }
                    try channel.pipeline.syncOperations.addHandler(Self.patience(logger))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(peers: speaker.directory, keys: keys, refusals: refusals, logger: logger))
                }
            }
            .bind(to: address).get()
        return Socket(channel: channel, keys: keys)
    }
}

// What accepting takes.
extension BGPListener {
    /// Says once of a number of peers that the descriptors will not do. Returns the number that it was said of.
    private func warnOfDescriptors(peers: Int, former: Int) -> Int {
        guard let limit = try? DescriptorLimit.current().soft,
            !DescriptorBudget(limit: limit).suffices(forPeers: peers)
        else { return 0 }
        if peers > former {
            logger.warning(
                "the limit of open files may be too low for so many BGP peers",
                metadata: ["peers": "\(peers)", "limit": "\(limit)", "remedy": "a larger LimitNOFILE or ulimit -n"])
        }
        return max(peers, former)
    }

    /// Waits a second where accepting fails, which it will at once again, and says so once a minute.
    private static func patience(_ logger: Logger) -> AcceptBackoffHandler {
        var silence: MonotonicTime?
        return AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { error in
            let now = BootClock.now()
            if silence.map({ now >= $0 }) ?? true {
                silence = now + .seconds(60)
                logger.error(
                    "connections of BGP peers cannot be accepted", metadata: ["reason": "\(Dialer.reason(of: error))"])
            }
            return .seconds(1)
        }
    }
}

// The keys of the listening sockets.
extension BGPListener {
    /// Sets the keys that differ on every socket.
    ///
    /// - Returns: the peers whose key is not set everywhere, why not, and what net.core.optmem_max would have to be.
    private func setKeys(
        _ wanted: [IPAddress: Secret], of sockets: [Socket],
    ) async -> (peers: Set<IPAddress>, reason: SystemError?, neededBytes: Int?) {
        var failed: Set<IPAddress> = []
        var reason: SystemError?
        var neededBytes: Int?
        for socket in sockets {
            let outcome = try? await eventLoop.submit { () -> (peers: Set<IPAddress>, error: SystemError?) in
                var outcome: (peers: Set<IPAddress>, error: SystemError?) = ([], nil)
                try socket.channel.withSocket { number in
                    outcome = Self.set(wanted, in: socket.keys, of: number)
                }
                return outcome
            }.get()
            // A socket that is closed meanwhile admits nobody.
            failed.formUnion(outcome?.peers ?? [])
            reason = reason ?? outcome?.error
            guard outcome?.error?.code == .ENOMEM, let limit = Self.optionMemoryBytes else { continue }
            let needed = KeyShortage.neededBytes(
                limitBytes: limit, fitting: socket.keys.count, wanted: socket.keys.count + (outcome?.peers.count ?? 0))
            neededBytes = [neededBytes, needed].compactMap(\.self).max()
        }
        return (failed, reason, neededBytes)
    }

    /// net.core.optmem_max; nil where the network namespace does not show it, as before Linux 6.8.
    private static var optionMemoryBytes: Int? {
        (try? Sysctl.read(["net", "core", "optmem_max"])).flatMap { Int($0) }
    }

    private static func set(
        _ wanted: [IPAddress: Secret], in keys: ListeningKeys, of socket: Int32,
    ) -> (peers: Set<IPAddress>, error: SystemError?) {
        keys.change(to: wanted) { key, peer throws(SystemError) in
            try TCPProtection.setMD5Key(key, for: peer, on: socket)
        }
    }

    /// Says once which peers are refused for want of their key, and once that none is any more.
    private func report(
        _ failed: Set<IPAddress>, _ reason: SystemError?, _ neededBytes: Int?, former: Set<IPAddress>,
    ) {
        shortages.replace(by: shortage(of: failed, reason, neededBytes))
        guard failed != former else { return }
        guard let reason, let first = failed.min() else {
            return logger.notice("the keys of all BGP peers are set")
        }
        var metadata: Logger.Metadata = [
            "peers": "\(failed.count)", "first": "\(first)", "reason": "\(reason)",
        ]
        if reason.code == .ENOMEM {
            metadata["remedy"] = "net.core.optmem_max of \(neededBytes.map { "\($0)" } ?? "more")"
        }
        logger.error("connections of BGP peers are refused: their keys cannot be set", metadata: metadata)
    }

    private func shortage(
        of failed: Set<IPAddress>, _ reason: SystemError?, _ neededBytes: Int?,
    ) -> KeyShortage? {
        guard let reason, let first = failed.min() else { return nil }
        return KeyShortage(
            peers: failed.count, first: first.description, reason: "\(reason.code)",
            limitBytes: reason.code == .ENOMEM ? Self.optionMemoryBytes : nil, neededBytes: neededBytes)
    }
}

/// Hands a connection to the peer it is from before the first byte is read; any other is closed.
private final class AdmissionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peers: PeerDirectory
    private let keys: ListeningKeys
    private let refusals: RefusalLog
    private let logger: Logger

    init(peers: PeerDirectory, keys: ListeningKeys, refusals: RefusalLog, logger: Logger) {
        self.peers = peers
        self.keys = keys
        self.refusals = refusals
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let remote = channel.remoteAddress?.address
        let peer = remote.flatMap { peers.peer(at: $0) }
        // Without its key the kernel would have let an unsigned connection pass.
        if let remote, let peer, keys.key(for: remote) == peer.settings.password {
            peer.assumeIsolated { $0.accept(channel) }
            context.fireChannelActive()
        } else {
            if let leftOut = refusals.line(about: remote) {
                let address = channel.remoteAddress.map { "\($0)" } ?? "unknown"
                let reason = peer == nil ? "no such peer" : "the peer's key is not set"
                logger.notice(
                    "connection refused: \(reason)", metadata: ["address": "\(address)"].with(leftOut: leftOut))
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
