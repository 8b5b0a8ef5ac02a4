import CNIPlugin
import LinuxOS
import Logging
import NIOPosix
import NetTypes
import Synchronization

/// Carries out the ADDs and DELs that the CNI executable hands over: accept, look, do, answer, on one of many threads that
/// do nothing else.
///
/// A thread waits with its call, for locks, for the kernel, for a batch of deletions: there are as many as a batch is
/// large. Each waits for clients by itself, so that none is passed from one thread to another.
final class CallServer: Sendable {
    private struct State: Sendable {
        var listener: PacketListener?
        /// How many calls are being carried out.
        var active = 0
        /// Whether there are threads to take calls.
        var isServing = false
        /// Whether no more are taken.
        var isStopping = false
        /// What the last attempt to bind came to.
        var failure: String?
        /// That there is no room for calls.
        var shortage = Outage()
    }

    private static let threadCount = 32
    /// How long a client may take to say what it wants, and to take the answer.
    private static let clientTime = Duration.seconds(1)
    /// How long between two attempts to bind the socket, and to accept when there is no room.
    private static let retryInterval = Duration.seconds(1)
    /// How long the calls under way may take when the daemon ends, until they are given up.
    private static let endingTime = Duration.seconds(2)

    private let path: String
    private let service: CallService
    private let logger: Logger
    private let state = Mutex(State())
    private let isGivenUp = Flag()

    /// - Parameter path: the socket's.
    init(path: String, service: CallService, logger: Logger) {
        self.path = path
        self.service = service
        self.logger = logger
    }

    /// Serves until the task is cancelled. Without the socket every call is carried out by who was called.
    ///
    /// - Parameter hasTried: is told that the socket is there, or that it is not to be had for now.
    func run(_ hasTried: @Sendable () -> Void = {}) async {
        if let obstacle = service.obstacle() {
            logger.warning("calls are left to those who were called", metadata: ["reason": "\(obstacle)"])
            hasTried()
            return
        }
        let threads = NIOThreadPool(numberOfThreads: Self.threadCount)
        threads.start()
        state.withLock { $0.isServing = true }
        rebind()
        hasTried()
        for _ in 0..<Self.threadCount { threads.submit { _ in self.serve() } }
        while !Task.isCancelled {
            if state.withLock({ $0.listener == nil }) { rebind() }
            try? await Task.sleep(for: Self.retryInterval)
        }
        giveUp()
        try? await threads.shutdownGracefully()
    }

    /// Whether the socket was bound, and nothing has been amiss with it since.
    var isBound: Bool { state.withLock { $0.listener != nil } }

    /// Binds the socket anew: its file is gone, so that nobody can connect any more.
    func rebind() {
        guard state.withLock({ $0.isServing }) else { return }
        do throws(SystemError) {
            let listener = try PacketListener(path)
            let (former, isStopping) = state.withLock { state in
                defer {
                    state.listener = listener
                    state.failure = nil
                }
                return (state.listener, state.isStopping)
            }
            former?.stop()
            if isStopping { listener.stop() }
            logger.info("taking calls over", metadata: ["path": "\(path)"])
        } catch {
            let reason = "\(error)"
            let isNews = state.withLock { state in
                state.listener?.stop()
                state.listener = nil
                defer { state.failure = reason }
                return state.failure != reason
            }
            // It is tried every second, and said once.
            if isNews { logger.error("calls cannot be taken over; trying again", metadata: ["reason": "\(reason)"]) }
        }
    }

    /// Takes no more calls and waits for those under way. They need the rest of the daemon; those that take too long are
    /// given up.
    func stop() async {
        takeNoMore()
        let deadline = BootClock.now() + Self.endingTime
        while !Task.isCancelled, state.withLock({ $0.active > 0 }), BootClock.now() < deadline {
            try? await Task.sleep(for: .milliseconds(5))
        }
        giveUp()
    }

    private func takeNoMore() {
        let listener = state.withLock { state in
            state.isStopping = true
            return state.listener
        }
        listener?.stop()
    }

    private func giveUp() {
        takeNoMore()
        isGivenUp.raise()
    }

    /// One thread's work.
    private func serve() {
        var memory = CallMemory()
        while true {
            let (listener, isStopping) = state.withLock { ($0.listener, $0.isStopping) }
            if isStopping { return }
            do throws(SystemError) {
                if let listener {
                    guard let stream = try listener.accept() else { continue }
                    state.withLock { $0.active += 1 }
                    serve(stream, &memory)
                    state.withLock { $0.active -= 1 }
                    continue
                }
            } catch {
                // Every thread comes here once a second.
                if state.withLock({ $0.shortage.begins(at: BootClock.now()) }) {
                    logger.error("no room for another call; trying again", metadata: ["reason": "\(error)"])
                }
            }
            _ = try? Poll.readable([], until: BootClock.now() + Self.retryInterval, name: "a call")
        }
    }

    private func serve(_ stream: consuming PacketStream, _ memory: inout CallMemory) {
        var client: WaitingClient?
        do throws(SystemError) {
            try stream.setTimeout(Self.clientTime)
            guard try stream.peerCredentials().userID == 0 else { return }
            let packet = try stream.receive(limit: HandedCall.maximumLength)
            let bytes = packet.bytes
            let waiting = WaitingClient(stream, isGivenUp: isGivenUp)
            // Who has withdrawn the call meanwhile does it by itself.
            guard !waiting.hasWithdrawn,
                let call = service.take(bytes, sandbox: packet.takeDescriptor(), client: waiting, memory: &memory)
            else { return try waiting.answer(.declined) }
            client = waiting
            let (status, output) = call.run(&memory)
            // Given up because the daemon ends: who waits goes on alone, as after a daemon that was killed.
            if status != 0, isGivenUp.isRaised { return try waiting.answer(.declined) }
            try waiting.answer(.done(status: status, output: output, log: waiting.heard))
        } catch {
            // Nobody else tells what became of it.
            let lines = client.map { String(decoding: $0.heard, as: UTF8.self) } ?? ""
            let level: Logger.Level = lines.isEmpty ? .debug : .warning
            logger.log(
                level: level, "a call has no client any more", metadata: ["reason": "\(error)", "log": "\(lines)"])
        }
    }
}

/// Who has handed a call over, at the other end of a connection.
private final class WaitingClient: CallClient {
    private let stream: PacketStream
    private let isGivenUp: Flag
    private let lines = Mutex("")

    init(_ stream: consuming PacketStream, isGivenUp: Flag) {
        self.stream = stream
        self.isGivenUp = isGivenUp
    }

    /// What it is to write on its standard error.
    var heard: [UInt8] { lines.withLock { Array($0.utf8) } }

    /// Whether it has said that it does not wait.
    var hasWithdrawn: Bool { stream.hasFinished() }

    var hasGone: Bool { stream.hasEnded() || isGivenUp.isRaised }

    func hear(_ line: String) { lines.withLock { $0 += line } }

    func answer(_ verdict: CallVerdict) throws(SystemError) { try stream.send(verdict.packet) }
}
