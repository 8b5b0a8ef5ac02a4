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
struct CallServer: Sendable {
    private static let threadCount = 32
    /// How long a client may take to say what it wants, and to take the answer.
    private static let clientTime = Duration.seconds(1)
    /// How long between two attempts to bind the socket, and to accept when there is no room.
    private static let retryInterval = Duration.seconds(1)

    /// The socket's path.
    let path: String
    let service: CallService
    let logger: Logger

    private let current = CurrentListener()

    /// Serves until the task is cancelled. Without the socket every call is carried out by who was called.
    func run() async {
        let threads = NIOThreadPool(numberOfThreads: Self.threadCount)
        threads.start()
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                guard let listener = bind() else {
                    try? await Task.sleep(for: Self.retryInterval)
                    continue
                }
                logger.info("taking calls over", metadata: ["path": "\(path)"])
                await withDiscardingTaskGroup { group in
                    for _ in 0..<Self.threadCount {
                        group.addTask { try? await threads.runIfActive { serve(listener) } }
                    }
                }
            }
        } onCancel: {
            current.end()
        }
        // Calls that have begun are carried to their end.
        try? await threads.shutdownGracefully()
    }

    /// The socket's file is gone, so that nobody can connect any more: another is bound.
    func rebind() { current.stop() }

    private func bind() -> PacketListener? {
        do throws(SystemError) {
            let listener = try PacketListener(path)
            current.become(listener)
            return listener
        } catch {
            logger.error(
                "calls cannot be taken over; trying again", metadata: ["path": "\(path)", "reason": "\(error)"])
            return nil
        }
    }

    /// One thread's work, until the listener is stopped.
    private func serve(_ listener: PacketListener) {
        var memory = ConfigMemory()
        while true {
            do throws(SystemError) {
                guard let stream = try listener.accept() else { return }
                serve(stream, &memory)
            } catch {
                logger.error("no room for another call", metadata: ["reason": "\(error)"])
                _ = try? Poll.readable([], until: BootClock.now() + Self.retryInterval, name: "room for a call")
            }
        }
    }

    private func serve(_ stream: consuming PacketStream, _ memory: inout ConfigMemory) {
        do throws(SystemError) {
            try stream.setTimeout(Self.clientTime)
            guard try stream.peerCredentials().userID == 0 else { return }
            let packet = try stream.receive(limit: HandedCall.maximumLength)
            let bytes = packet.bytes
            let client = WaitingClient(stream)
            guard let call = service.take(bytes, sandbox: packet.takeDescriptor(), client: client, memory: &memory)
            else { return try client.answer(.declined) }
            // Who has gone meanwhile does it by itself.
            guard !client.hasGone else { return }
            let (status, output) = call.run()
            try client.answer(.done(status: status, output: output, log: client.heard))
        } catch {
            logger.debug("a call's client has gone", metadata: ["reason": "\(error)"])
        }
    }
}

/// Who has handed a call over, at the other end of a connection.
private final class WaitingClient: CallClient {
    private let stream: PacketStream
    private let lines = Mutex("")

    init(_ stream: consuming PacketStream) { self.stream = stream }

    /// What it is to write on its standard error.
    var heard: [UInt8] { lines.withLock { Array($0.utf8) } }

    var hasGone: Bool { stream.hasEnded() }

    func hear(_ line: String) { lines.withLock { $0 += line } }

    func answer(_ verdict: CallVerdict) throws(SystemError) { try stream.send(verdict.packet) }
}

/// The listener there is.
private final class CurrentListener: Sendable {
    private struct State: Sendable {
        var listener: PacketListener?
        var hasEnded = false
    }

    private let state = Mutex(State())

    func become(_ listener: PacketListener) {
        let hasEnded = state.withLock { state in
            state.listener = listener
            return state.hasEnded
        }
        if hasEnded { listener.stop() }
    }

    func stop() { state.withLock(\.listener)?.stop() }

    /// Stops it, and every one that comes.
    func end() {
        state.withLock { $0.hasEnded = true }
        stop()
    }
}
