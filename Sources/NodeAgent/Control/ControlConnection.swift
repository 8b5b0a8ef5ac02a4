import JSONKit
import LinuxOS
import Logging
import NetTypes
import NodeLink
import Synchronization

/// One client of the node socket.
///
/// The loop's thread alone reads; whoever has an answer writes it, from any thread, as far as the socket takes it. One
/// request is answered at a time: what comes after it waits in the decoder or in the socket.
final class ControlConnection: Sendable {
    /// What the loop has to wait for next.
    enum Next: Sendable {
        /// More from the client.
        case readable
        /// Room for the rest of an answer.
        case writable
        /// Whoever is at work on the answer.
        case answer
        /// Nothing: the connection is to be closed.
        case end
    }

    private struct State: ~Copyable, Sendable {
        var stream: UnixStream?
        var decoder = FrameDecoder()
        /// What the socket has not taken yet.
        var output: [UInt8] = []
        /// Whether this side's hello waits in `output` for what else there is to say.
        var holdsHello = true
        var isGreeted = false
        /// Whether a request is being answered.
        var isBusy = false
        /// Whether the loop's thread is at the connection: then it sees by itself what has changed.
        var isAttended = false
        /// Whether the loop has stopped waiting for the client's words until there is an answer.
        var isMuted = false
        /// Whether the client has said something since somebody last asked.
        var hasSpoken = false
    }

    /// How much is read at a time, in octets.
    private static let chunk = 16 << 10

    /// What the loop calls it.
    let token: UInt64
    private let state: Mutex<State>
    private let pages = Mutex(ListPages())
    private let inbox: ControlInbox
    private let logger: Logger

    /// Takes a client over. It is said hello to when it has said all for now, or together with the first answer, should
    /// that come at once: a client that is woken twice has waited longer.
    ///
    /// - Parameter inbox: where the loop is told that it has something to do here.
    init(
        _ stream: consuming UnixStream, token: UInt64, hello: Hello, inbox: ControlInbox, logger: Logger,
    ) throws {
        self.token = token
        self.inbox = inbox
        self.logger = logger
        self.state = Mutex(State(stream: stream, output: try FrameDecoder.encode(hello.json)))
    }

    /// The socket's descriptor, while the connection is open.
    var descriptor: Int32? { state.withLock { $0.stream?.descriptor.rawValue } }

    /// Whether hellos have been exchanged.
    var isGreeted: Bool { state.withLock { $0.isGreeted } }

    /// Whether the client has said something since this was last asked.
    func takeSpoken() -> Bool {
        state.withLock { state in
            defer { state.hasSpoken = false }
            return state.hasSpoken
        }
    }

    /// The loop does not listen to the client until there is an answer.
    ///
    /// - Returns: false when there is one already: then nothing is changed.
    func mute() -> Bool {
        state.withLock { state in
            state.isMuted = state.isBusy
            return state.isBusy
        }
    }

    /// Says hello now: the answer may take its time.
    func greet() {
        state.withLock { state in
            // A client that has gone is found out by the next look.
            try? Self.sendHello(&state)
        }
    }

    /// Closes the connection; an answer that comes later is nobody's.
    func close() { state.withLock { $0.stream = nil } }

    /// Goes on as far as it goes without waiting. For the loop's thread.
    ///
    /// - Parameters:
    ///   - hello: this side's, against which the client's is held.
    ///   - answer: has a request answered, now or later, by `reply`.
    func advance(_ hello: Hello, _ answer: (Request) -> Void) -> Next {
        do {
            while true {
                switch try step(hello) {
                case .next(let next): return next
                case .request(let request): answer(request)
                }
            }
        } catch NodeLinkError.refused(let reason) {
            // By which the client sees for itself what is wrong.
            greet()
            logger.warning("client refused", metadata: ["reason": "it \(reason)"])
            return .end
        } catch {
            logger.debug("client connection ended", metadata: ["reason": "\(error)"])
            return .end
        }
    }

    /// Answers the request that is being answered.
    func reply(to request: Request, _ result: Result<JSONObject, RemoteError>) {
        let frame: [UInt8]
        do {
            frame = try Self.frame(Response(id: request.id, result: result))
        } catch {
            logger.error("an answer cannot be written", metadata: ["reason": "\(error)"])
            return close()
        }
        let mustWake = state.withLock { state in
            state.isBusy = false
            do {
                try Self.send(frame, &state)
            } catch {
                // The client has gone; the loop finds that out too.
                state.stream = nil
            }
            let hasMore = state.isMuted || state.decoder.isInsideFrame || !state.output.isEmpty || state.stream == nil
            return hasMore && !state.isAttended
        }
        if mustWake { inbox.attend(token) }
    }

    /// A part of a table, which the connection keeps from the first part on.
    func page(
        _ table: PagedTable, from: Int, _ read: (PagedTable) async -> Result<TableRows, RemoteError>,
    ) async -> Result<JSONObject, RemoteError> {
        // One request at a time: nobody else is at the pages meanwhile.
        var current = pages.withLock { $0 }
        let result = await current.page(table, from: from, read)
        pages.withLock { $0 = current }
        return result
    }

    private enum Step {
        case next(Next)
        case request(Request)
    }

    /// Reads until there is a request, or until something must be waited for.
    private func step(_ hello: Hello) throws -> Step {
        try state.withLock { state in
            state.isAttended = true
            state.isMuted = false
            let step = try Self.step(hello, &state)
            if case .next = step { state.isAttended = false }
            return step
        }
    }

    private static func step(_ hello: Hello, _ state: inout State) throws -> Step {
        guard state.stream != nil else { return .next(.end) }
        if !state.holdsHello { try send([], &state) }
        guard state.output.isEmpty || state.holdsHello else { return .next(.writable) }
        guard !state.isBusy else { return .next(.answer) }
        while true {
            if let message = try state.decoder.nextMessage() {
                if state.isGreeted {
                    let request = try Request(json: message)
                    state.isBusy = true
                    return .request(request)
                }
                let objection = hello.objection(to: try Hello(json: message))
                if let objection { throw NodeLinkError.refused(objection) }
                state.isGreeted = true
                continue
            }
            guard let bytes = try state.stream?.receiveNow(limit: Self.chunk) else {
                try sendHello(&state)
                return .next(state.output.isEmpty ? .readable : .writable)
            }
            guard !bytes.isEmpty else { return .next(.end) }
            state.hasSpoken = true
            state.decoder.append(bytes)
        }
    }

    private static func sendHello(_ state: inout State) throws {
        if state.holdsHello { try send([], &state) }
    }

    /// Sends what waits and then this, and keeps what the socket does not take.
    private static func send(_ frame: [UInt8], _ state: inout State) throws {
        state.holdsHello = false
        state.output += frame
        guard !state.output.isEmpty, let sent = try state.stream?.sendNow(state.output) else { return }
        state.output.removeFirst(sent)
    }

    private static func frame(_ response: Response) throws(NodeLinkError) -> [UInt8] {
        do throws(NodeLinkError) {
            return try FrameDecoder.encode(response.json)
        } catch {
            guard case .malformed(let reason) = error else { throw error }
            let refusal = RemoteError(code: 5, message: "the answer does not fit: \(reason)")
            return try FrameDecoder.encode(Response(id: response.id, result: .failure(refusal)).json)
        }
    }
}
