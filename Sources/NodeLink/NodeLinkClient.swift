import JSONKit
import LinuxOS
package import NetTypes

/// A connection to the daemon. One question at a time; every wait has a deadline, which begins with the question.
///
/// After an error the connection is of no use: make another one.
package struct NodeLinkClient: ~Copyable {
    /// How long `connect` waits for the daemon to take the connection.
    package static let connectTimeout = Duration.milliseconds(100)
    /// How long an answer may take.
    package static let answerTimeout = Duration.seconds(2)
    /// How long the answer to `blockRequest` may take.
    package static let blockTimeout = Duration.seconds(10)

    /// How much is received at a time, in octets: an answer to the CNI executable is much less.
    private static let chunk = 16 << 10

    private let hello: Hello
    private let helloTimeout: Duration
    private var isGreeted: Bool
    private let stream: UnixStream
    private var decoder: FrameDecoder
    private var lastID: Int64 = 0
    /// The question that has no answer yet.
    private var pending: (name: String, deadline: MonotonicTime)?

    /// Connects to the daemon's socket and exchanges hellos.
    ///
    /// - Parameters:
    ///   - path: the socket: `apusd.sock` in the run directory.
    ///   - hello: what this side says of itself.
    ///   - peerUserID: the user the daemon must run as, by SO_PEERCRED.
    ///   - helloTimeout: how long the daemon's hello may take.
    ///   - awaitsHello: whether to wait for it now, or with the first `call`.
    /// - Throws: `absent` when nobody listens, `timeout`, `closed`, `refused` when the daemon is of another boot,
    ///   namespace, node or user, `malformed`, `system`.
    package init(
        path: String, hello: Hello, peerUserID: UInt32 = 0, helloTimeout: Duration = answerTimeout,
        awaitsHello: Bool = true,
    ) throws(NodeLinkError) {
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
        try Self.check(stream, peerUserID: peerUserID)
        try Self.send(hello.json, over: stream, deadline: BootClock.now() + helloTimeout)
        var decoder = FrameDecoder()
        if awaitsHello { try Self.awaitHello(from: stream, &decoder, hello, helloTimeout) }
        isGreeted = awaitsHello
        self.decoder = decoder
        self.hello = hello
        self.helloTimeout = helloTimeout
        self.stream = stream
    }

    private static func awaitHello(
        from stream: borrowing UnixStream, _ decoder: inout FrameDecoder, _ hello: Hello, _ timeout: Duration,
    ) throws(NodeLinkError) {
        let deadline = BootClock.now() + timeout
        let other = try Hello(json: receive(from: stream, &decoder, "hello", deadline: deadline))
        if let objection = hello.objection(to: other) { throw .refused(objection) }
    }

    /// Asks, and waits for the answer.
    ///
    /// - Parameter timeout: `answerTimeout`, or `blockTimeout` for a block, unless given.
    /// - Returns: the members of `ok`, or the daemon's refusal.
    /// - Throws: what went wrong between the two programs.
    package mutating func call(
        _ operation: Request.Operation, timeout: Duration? = nil,
    ) throws(NodeLinkError) -> Result<JSONObject, RemoteError> {
        try ask(operation, timeout: timeout)
        return try answer()
    }

    /// Asks; the daemon is at work on it while the caller does something else, until it calls `answer`.
    package mutating func ask(_ operation: Request.Operation, timeout: Duration? = nil) throws(NodeLinkError) {
        lastID += 1
        let deadline = BootClock.now() + (timeout ?? Self.timeout(for: operation))
        // The daemon looks at a question only if it has no objection to the hello before it: to wait for its own hello
        // first would gain nothing.
        try Self.send(Request(id: lastID, operation: operation).json, over: stream, deadline: deadline)
        pending = (operation.name, deadline)
    }

    /// Waits for the answer to what was asked.
    ///
    /// - Throws: what went wrong between the two programs; `closed` if nothing was asked.
    package mutating func answer() throws(NodeLinkError) -> Result<JSONObject, RemoteError> {
        guard let (name, deadline) = pending else { throw .closed("answer to no question") }
        pending = nil
        if !isGreeted {
            try Self.awaitHello(from: stream, &decoder, hello, helloTimeout)
            isGreeted = true
        }
        let json = try Self.receive(from: stream, &decoder, name, deadline: deadline)
        let response = try Response(json: json)
        guard response.id == lastID else {
            throw .malformed("answer \(response.id) to request \(lastID)")
        }
        return response.result
    }

    /// Tells the daemon something whose answer is of no interest, and does not wait for it. The connection is of no use
    /// for questions after that.
    package mutating func tell(_ operation: Request.Operation) throws(NodeLinkError) {
        lastID += 1
        let deadline = BootClock.now() + Self.connectTimeout
        try Self.send(Request(id: lastID, operation: operation).json, over: stream, deadline: deadline)
    }

    /// How long the answer to this may take.
    package static func timeout(for operation: Request.Operation) -> Duration {
        if case .blockRequest = operation { blockTimeout } else { answerTimeout }
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
        let frame = try FrameDecoder.encode(json)
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
                bytes = try stream.receive(limit: chunk, deadline: deadline)
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
