import LinuxOS
import NetTypes
import NodeLink
import TestKit

/// The daemon's side of the socket: it agrees to every hello and answers as it is told.
enum FakeDaemon {
    /// Serves so many connections, on a thread of its own, and returns the operations it was asked for.
    ///
    /// - Parameters:
    ///   - started: finished once the thread runs.
    ///   - answer: nil to say nothing.
    static func serve(
        _ server: Server, connections: Int, started: AsyncStream<Void>.Continuation,
        answer: @escaping @Sendable (Request.Operation) throws -> Result<JSONObject, RemoteError>?,
    ) async throws -> [String] {
        try await NetNSFixture.run { _ in
            started.finish()
            var asked: [String] = []
            for _ in 0..<connections {
                let stream = try server.listener.accept(deadline: BootClock.now() + .seconds(10))
                asked += try serve(stream, answer)
            }
            return asked
        }
    }

    private static func serve(
        _ stream: borrowing UnixStream,
        _ answer: (Request.Operation) throws -> Result<JSONObject, RemoteError>?,
    ) throws -> [String] {
        var decoder = FrameDecoder()
        var asked: [String] = []
        var isGreeted = false
        while true {
            let bytes = try stream.receive(limit: 4096, deadline: BootClock.now() + .seconds(10))
            if bytes.isEmpty { return asked }
            decoder.append(bytes)
            while let message = try decoder.nextMessage() {
                guard isGreeted else {
                    // The client's own hello: the same boot and the same namespace.
                    try stream.send(FrameDecoder.encode(message), deadline: BootClock.now() + .seconds(10))
                    isGreeted = true
                    continue
                }
                let request = try Request(json: message)
                asked.append(request.operation.name)
                guard let result = try answer(request.operation) else { continue }
                let response = Response(id: request.id, result: result).json
                try stream.send(FrameDecoder.encode(response), deadline: BootClock.now() + .seconds(10))
            }
        }
    }

    /// Carries the listener to the thread.
    final class Server: Sendable {
        let listener: UnixListener

        init(_ listener: consuming UnixListener) {
            self.listener = listener
        }
    }
}
