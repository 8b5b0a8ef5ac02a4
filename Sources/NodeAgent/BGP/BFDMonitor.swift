import BFD
import BGPSession
import LinuxOS
import Logging
import NIOCore
import NIOPosix
import NetTypes
import Resources

/// Watches peers by BFD and tells their sessions when one is not reached any more.
///
/// It lives on an event loop of its own: what a burst of routes costs must not look like a dead peer. Packets come in at
/// the well-known ports of the own addresses and go out from a port of each session's own (RFC 5881 §4).
actor BFDMonitor {
    /// A peer to watch.
    struct Target: Sendable, Hashable {
        /// The own address towards it.
        var local: IPAddress
        /// How it is watched.
        var options: BFDOptions

        /// Where packets come in.
        var port: UInt16 { options.isMultihop ? 4784 : 3784 }

        /// Whether only intervals differ, of which the peer is told while the session stays.
        func hasSameSession(as other: Target) -> Bool { local == other.local && port == other.port }
    }

    /// A session for display.
    struct Report: Sendable, Equatable {
        var state: BFDState
        var diagnostic: BFDDiagnostic
        var detectionTime: Duration?
    }

    private struct Watch {
        var target: Target
        var session: BFDSession
        var socket: (any Channel)?
        /// Why the kernel has not taken the last packet; nil when it has.
        var refusal: String?
        var timer: Scheduled<Void>?
    }

    /// The own end of incoming packets.
    struct Inlet: Hashable {
        let address: IPAddress
        let port: UInt16
    }

    private static let sourcePorts: ClosedRange<UInt16> = 49152...65535
    private static let retryInterval: Duration = .seconds(1)
    /// How often a peer is told of the end of a session: one packet may be lost, and nobody waits to send more.
    private static let farewells = 3

    private nonisolated let eventLoop: any EventLoop
    private let peers: PeerDirectory
    private let logger: Logger
    private var watches: [IPAddress: Watch] = [:]
    private var inlets: [Inlet: any Channel] = [:]
    private var failures: [Inlet: String] = [:]
    /// Has sockets opened that are missing.
    private var signal: Signal?
    private var lastDiscriminator = UInt32.random(in: 1...0x00FF_FFFF)

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the event loop's group is shut down after the monitor has ended.
        unsafe eventLoop.executor.asUnownedSerialExecutor()
    }

    init(peers: PeerDirectory, eventLoop: any EventLoop, logger: Logger) {
        self.peers = peers
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// Watches whom the speaker names until the task is cancelled.
    func run(for speaker: Speaker) async {
        signal = speaker.bfdSignal
        await speaker.bfdSignal.forEach {
            guard await !configure(await speaker.bfdTargets()) else { return }
            // An own address that is not there yet comes later.
            try? await Task.sleep(for: Self.retryInterval)
            speaker.bfdSignal.raise()
        }
        _ = await configure([:])
    }

    /// The sessions by the peer's address, for display.
    func reports() -> [IPAddress: Report] {
        watches.mapValues {
            Report(
                state: $0.session.state, diagnostic: $0.session.diagnostic, detectionTime: $0.session.detectionTime)
        }
    }

    /// Makes the sessions be as wanted; whether all of them have their sockets.
    private func configure(_ targets: [IPAddress: Target]) async -> Bool {
        for (peer, watch) in watches {
            guard let target = targets[peer], target.hasSameSession(as: watch.target) else {
                end(peer)
                continue
            }
            if target != watch.target { change(peer, to: target) }
        }
        let wanted = Set(targets.values.map { Inlet(address: $0.local, port: $0.port) })
        for (inlet, channel) in inlets where !wanted.contains(inlet) {
            inlets[inlet] = nil
            channel.close(promise: nil)
        }
        for inlet in wanted where inlets[inlet] == nil { await open(inlet) }
        for (peer, target) in targets {
            if watches[peer] == nil { begin(peer, target) }
            guard watches[peer]?.socket == nil else { continue }
            await openSocket(to: peer, target)
            // Only now: without the socket the first packet would be lost, and the next come a second later.
            schedule(peer)
        }
        return inlets.count == wanted.count && !watches.values.contains { $0.socket == nil }
    }

    private func open(_ inlet: Inlet) async {
        do {
            let channel = try await bind(inlet.address, inlet.port, acceptsAny: inlet.port == 4784)
            inlets[inlet] = channel
            failures[inlet] = nil
            channel.closeFuture.whenComplete { _ in self.assumeIsolated { $0.closed(inlet, channel) } }
        } catch {
            let reason = Dialer.reason(of: error)
            guard failures.updateValue(reason, forKey: inlet) != reason else { return }
            logger.warning(
                "cannot listen for BFD; trying again",
                metadata: ["address": "\(inlet.address) port \(inlet.port)", "reason": "\(reason)"])
        }
    }

    private func closed(_ inlet: Inlet, _ channel: any Channel) {
        guard inlets[inlet] === channel else { return }
        inlets[inlet] = nil
        signal?.raise()
    }

    private func bind(_ address: IPAddress, _ port: UInt16, acceptsAny: Bool) async throws -> any Channel {
        try await DatagramBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.withSocket { socket throws(SystemError) in
                        try HopLimitFilter.install(address.family, acceptsAny: acceptsAny, on: socket)
                    }
                    try channel.pipeline.syncOperations.addHandler(BFDPacketHandler(monitor: self, port: port))
                }
            }
            .bind(to: SocketAddress(ipAddress: address, port: port)).get()
    }
}

// One session.
extension BFDMonitor {
    private func begin(_ peer: IPAddress, _ target: Target) {
        lastDiscriminator = lastDiscriminator == .max ? 1 : lastDiscriminator + 1
        let configuration = BFDConfiguration(
            minimumTransmitInterval: target.options.minimumTransmitInterval,
            minimumReceiveInterval: target.options.minimumReceiveInterval, multiplier: target.options.multiplier,
            discriminator: lastDiscriminator, jitterSeed: UInt64.random(in: .min ... .max))
        watches[peer] = Watch(target: target, session: BFDSession(configuration: configuration, at: BootClock.now()))
    }

    private func change(_ peer: IPAddress, to target: Target) {
        watches[peer]?.target = target
        watches[peer]?.session.change(
            transmit: target.options.minimumTransmitInterval, receive: target.options.minimumReceiveInterval,
            multiplier: target.options.multiplier, at: BootClock.now())
        schedule(peer)
    }

    /// A source port of the session's own; another where one is taken.
    private func openSocket(to peer: IPAddress, _ target: Target) async {
        for _ in 0..<8 {
            let port = UInt16.random(in: Self.sourcePorts)
            guard let channel = try? await bind(target.local, port, acceptsAny: true) else { continue }
            guard watches[peer]?.target == target, watches[peer]?.socket == nil else {
                return channel.close(promise: nil)
            }
            watches[peer]?.socket = channel
            channel.closeFuture.whenComplete { _ in self.assumeIsolated { $0.closed(channel, to: peer) } }
            return
        }
    }

    /// NIO closes a socket from which the kernel does not take a packet, as when there is no route for a moment. Another
    /// takes its place at once: the pace is that of the packets.
    private func closed(_ socket: any Channel, to peer: IPAddress) {
        guard watches[peer]?.socket === socket else { return }
        watches[peer]?.socket = nil
        signal?.raise()
    }

    /// Ends a session, of which the peer is told: else it would take this side for dead, and a BGP session that has
    /// just come up again with it.
    private func end(_ peer: IPAddress) {
        if let packet = watches[peer]?.session.stop() {
            for _ in 0..<Self.farewells { send(packet, to: peer) }
        }
        guard let watch = watches.removeValue(forKey: peer) else { return }
        watch.timer?.cancel()
        watch.socket?.close(promise: nil)
    }

    private func schedule(_ peer: IPAddress) {
        guard let watch = watches[peer] else { return }
        watch.timer?.cancel()
        let delay = TimeAmount(watch.session.nextDeadline - BootClock.now())
        watches[peer]?.timer = eventLoop.scheduleTask(in: delay) {
            self.assumeIsolated { $0.timerFired(for: peer) }
        }
    }

    private func timerFired(for peer: IPAddress) {
        guard let effects = watches[peer]?.session.handleTimer(at: BootClock.now()) else { return }
        perform(effects, on: peer)
    }

    /// A packet has come; one from nobody who is watched, or at the other port, is dropped.
    func received(_ bytes: ByteBufferView, from sender: IPAddress, at port: UInt16) {
        guard let watch = watches[sender], watch.target.port == port, let packet = BFDPacket(bytes),
            let effects = watches[sender]?.session.handle(packet, at: BootClock.now())
        else { return }
        perform(effects, on: sender)
    }

    private func perform(_ effects: [BFDEffect], on peer: IPAddress) {
        for effect in effects {
            switch effect {
            case .send(let packet): send(packet, to: peer)
            case .cameUp:
                logger.notice("BFD session up", metadata: ["peer": "\(peer)"])
            case .wentDown(let diagnostic, let meaning):
                logger.warning("BFD session down", metadata: ["peer": "\(peer)", "reason": "\(diagnostic)"])
                guard meaning != .administrative else { continue }
                guard let lastHeard = watches[peer]?.session.lastHeard else { continue }
                tell(
                    peer,
                    .failureDetected(
                        "BFD: \(diagnostic)", isForwardingLost: meaning == .forwardingLost, lastHeard: lastHeard))
            }
        }
        schedule(peer)
    }

    private func send(_ packet: BFDPacket, to peer: IPAddress) {
        guard let watch = watches[peer], let socket = watch.socket,
            let remote = try? SocketAddress(ipAddress: peer, port: watch.target.port)
        else { return }
        let envelope = AddressedEnvelope(remoteAddress: remote, data: socket.allocator.buffer(bytes: packet.bytes))
        socket.writeAndFlush(envelope).whenComplete { result in self.assumeIsolated { $0.sent(to: peer, result) } }
    }

    private func sent(to peer: IPAddress, _ result: Result<Void, any Error>) {
        guard let watch = watches[peer] else { return }
        switch result {
        case .success:
            if watch.refusal != nil { watches[peer]?.refusal = nil }
        case .failure(let error):
            let reason = Dialer.reason(of: error)
            guard watch.refusal != reason else { return }
            watches[peer]?.refusal = reason
            logger.warning("BFD packets cannot be sent", metadata: ["peer": "\(peer)", "reason": "\(reason)"])
        }
    }

    private nonisolated func tell(_ address: IPAddress, _ event: SessionEvent) {
        guard let peer = peers.peer(at: address) else { return }
        peer.eventLoop.execute { peer.assumeIsolated { $0.failureDetected(event) } }
    }
}

/// Hands what comes at one port to the monitor, on whose event loop it lives.
private final class BFDPacketHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let monitor: BFDMonitor
    private let port: UInt16

    init(monitor: BFDMonitor, port: UInt16) {
        self.monitor = monitor
        self.port = port
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let sender = envelope.remoteAddress.address else { return }
        let (bytes, port) = (envelope.data.readableBytesView, port)
        monitor.assumeIsolated { $0.received(bytes, from: sender, at: port) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An ICMP error of an earlier packet (the peer is not listening): nothing to do but to go on.
    }
}
