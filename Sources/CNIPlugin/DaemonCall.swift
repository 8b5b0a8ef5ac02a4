import NetTypes
import NodeLink

/// A connection to the daemon on which hello is said before there is anything to ask, and asked before the answer is
/// needed: the daemon is at work while the kernel is. What goes wrong is kept for the one who wants the answer.
struct DaemonCall: ~Copyable {
    private var client: NodeLinkClient?
    private var failure: NodeLinkError?

    /// Connects.
    ///
    /// - Parameter helloTimeout: how long the daemon's hello may take.
    init(path: String, hello: Hello, helloTimeout: Duration = NodeLinkClient.answerTimeout) {
        do throws(NodeLinkError) {
            client = try NodeLinkClient(path: path, hello: hello, helloTimeout: helloTimeout, awaitsHello: false)
            failure = nil
        } catch {
            client = nil
            failure = error
        }
    }

    /// Asks, without waiting for the answer.
    mutating func ask(_ operation: Request.Operation, timeout: Duration? = nil) {
        guard failure == nil else { return }
        do throws(NodeLinkError) {
            try client?.ask(operation, timeout: timeout)
        } catch {
            failure = error
        }
    }

    /// The members of the answer to what was asked, or the daemon's refusal.
    ///
    /// - Throws: what has gone wrong since the connection was made.
    mutating func answer() throws(NodeLinkError) -> Result<JSONObject, RemoteError> {
        if let failure { throw failure }
        do throws(NodeLinkError) {
            guard let answer = try client?.answer() else { throw .closed("connection") }
            return answer
        } catch {
            failure = error
            throw error
        }
    }

    /// Waits for the daemon's consent to what was asked.
    ///
    /// - Returns: why the daemon took no notice, it being absent or silent; nil if it agreed.
    /// - Throws: its refusal, or what else went wrong.
    mutating func consent() throws -> NodeLinkError? {
        let answer: Result<JSONObject, RemoteError>
        do throws(NodeLinkError) {
            answer = try self.answer()
        } catch {
            guard error.isAbsence else { throw error }
            return error
        }
        _ = try answer.get()
        return nil
    }

    /// Tells the daemon something whose answer is of no interest, and does not wait for it.
    mutating func tell(_ operation: Request.Operation) throws(NodeLinkError) {
        if let failure { throw failure }
        try client?.tell(operation)
    }
}
