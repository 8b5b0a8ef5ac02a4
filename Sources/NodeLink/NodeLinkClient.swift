import JSONKit
import LinuxOS
package import NetTypes

/// A connection to the daemon. One question at a time; every wait has a deadline.
///
/// After an error the connection is of no use: make another one.
package struct NodeLinkClient: ~Copyable {
    /// How long `connect` waits for the daemon to take the connection.
    package static let connectTimeout = Duration.milliseconds(100)
    /// How long an answer may take.
    package static let answerTimeout = Duration.seconds(2)
    /// How long the answer to `blockRequest` may take.
    package static let blockTimeout = Duration.seconds(10)

    /// What the daemon said of itself.
    package let daemon: Hello
    /// What it answered to the question that the connection was made with, if there was one.
    package private(set) var firstAnswer: Result<JSONObject, RemoteError>?
    private let stream: UnixStream
    private var decoder = FrameDecoder()
    private var lastID: Int64 = 0

    /// Connects to the daemon's socket and exchanges hellos.
    ///
    /// - Parameters:
    ///   - path: the socket: `apusd.sock` in the run directory.
    ///   - hello: what this side says of itself.
    ///   - peerUserID: the user the daemon must run as, by SO_PEERCRED.
    ///   - helloTimeout: how long the daemon's hello may take.
    /// - Throws: `absent` when nobody listens, `timeout`, `closed`, `refused` when the daemon is of another boot,
    ///   namespace, node or user, `malformed`, `system`.
    package init(
        path: String, hello: Hello, peerUserID: UInt32 = 0, helloTimeout: Duration = answerTimeout,
    ) throws(NodeLinkError) {
        let stream = try Self.connect(path, peerUserID: peerUserID)
        let deadline = BootClock.now() + helloTimeout
        var decoder = FrameDecoder()
        try Self.send(hello.json, over: stream, deadline: deadline)
        let other = try Hello(json: Self.receive(from: stream, &decoder, "hello", deadline: deadline))
        if let objection = hello.objection(to: other) { throw .refused(objection) }
        daemon = other
        self.stream = stream
        self.decoder = decoder
    }

    /// Connects, says hello and asks in one breath: the daemon looks at the question only if it has no objection to the
    /// hello, so nothing is gained by waiting for its own first.
    ///
    /// - Parameters:
    ///   - operation: the question; its answer is `firstAnswer`.
    ///   - timeout: how long hello and answer may take together.
    /// - Throws: as the other one does.
    package init(
        path: String, hello: Hello, asking operation: Request.Operation, timeout: Duration, peerUserID: UInt32 = 0,
    ) throws(NodeLinkError) {
        let stream = try Self.connect(path, peerUserID: peerUserID)
        let deadline = BootClock.now() + timeout
        var decoder = FrameDecoder()
        let question = try FrameDecoder.encode(Request(id: 1, operation: operation).json)
        try Self.send(FrameDecoder.encode(hello.json) + question, over: stream, deadline: deadline)
        let other = try Hello(json: Self.receive(from: stream, &decoder, "hello", deadline: deadline))
        if let objection = hello.objection(to: other) { throw .refused(objection) }
        let response = try Response(json: Self.receive(from: stream, &decoder, operation.name, deadline: deadline))
        guard response.id == 1 else { throw .malformed("answer \(response.id) to request 1") }
        daemon = other
        firstAnswer = response.result
        self.stream = stream
        self.decoder = decoder
        lastID = 1
    }

    /// Tells the daemon something whose answer is of no interest, and does not wait for it. The connection is of no use
    /// for questions after that.
    package mutating func tell(_ operation: Request.Operation) throws(NodeLinkError) {
        lastID += 1
        let deadline = BootClock.now() + Self.connectTimeout
        try Self.send(FrameDecoder.encode(Request(id: lastID, operation: operation).json), over: stream, deadline: deadline)
    }

    /// Asks, and waits for the answer.
    ///
    /// - Parameter timeout: `answerTimeout`, or `blockTimeout` for a block, unless given.
    /// - Returns: the members of `ok`, or the daemon's refusal.
    /// - Throws: what went wrong between the two programs.
    package mutating func call(
        _ operation: Request.Operation, timeout: Duration? = nil,
    ) throws(NodeLinkError) -> Result<JSONObject, RemoteError> {
        lastID += 1
        let deadline = BootClock.now() + (timeout ?? Self.timeout(for: operation))
        try Self.send(Request(id: lastID, operation: operation).json, over: stream, deadline: deadline)
        let json = try Self.receive(from: stream, &decoder, operation.name, deadline: deadline)
        let response = try Response(json: json)
        guard response.id == lastID else {
            throw .malformed("answer \(response.id) to request \(lastID)")
        }
        return response.result
    }

    private static func timeout(for operation: Request.Operation) -> Duration {
        if case .blockRequest = operation { blockTimeout } else { answerTimeout }
    }

    private static func connect(_ path: String, peerUserID: UInt32) throws(NodeLinkError) -> UnixStream {
        let stream: UnixStream
        do throws(SystemError) {
            stream = try UnixStream.connect(path, timeout: Self.connectTimeout)
        } catch {
            switch error.code {
            case .ENOENT, .ECONNREFUSED: throw .absent(path: path, error)
            case .ETIMEDOUT: throw .timeout("connect \(path)")
            default: throw .system(error)
            }
        }
        try check(stream, peerUserID: peerUserID)
        return stream
    }

    private static func check(_ stream: borrowing UnixStream, peerUserID: UInt32) throws(NodeLinkError) {
        let user: UInt32
        do throws(SystemError) {
            user = try stream.peerCredentials().userID
        } catch {
            throw .system(error)
        }
        guard user == peerUserID else { throw .refused("runs as user \(user), not \(peerUserID)") }
    }

    private static func send(
        _ json: JSONValue, over stream: borrowing UnixStream, deadline: MonotonicTime,
    ) throws(NodeLinkError) {
        try send(FrameDecoder.encode(json), over: stream, deadline: deadline)
    }

    private static func send(
        _ frame: [UInt8], over stream: borrowing UnixStream, deadline: MonotonicTime,
    ) throws(NodeLinkError) {
        do throws(SystemError) {
            try stream.send(frame, deadline: deadline)
        } catch {
            throw translate(error, "send")
        }
    }

    private static func receive(
        from stream: borrowing UnixStream, _ decoder: inout FrameDecoder, _ what: String, deadline: MonotonicTime,
    ) throws(NodeLinkError) -> JSONValue {
        while true {
            if let json = try decoder.nextMessage() { return json }
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try stream.receive(limit: 65536, deadline: deadline)
            } catch {
                throw translate(error, what)
            }
            guard !bytes.isEmpty else { throw .closed(what) }
            decoder.append(bytes)
        }
    }

    private static func translate(_ error: SystemError, _ what: String) -> NodeLinkError {
        switch error.code {
        case .ETIMEDOUT: .timeout(what)
        case .EPIPE, .ECONNRESET: .closed(what)
        default: .system(error)
        }
    }
}
