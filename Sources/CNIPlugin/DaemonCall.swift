package import IPAMCore
import LinuxOS
package import NetTypes
package import NodeLink
package import NodeStore

/// A connection to the daemon on which hello is said before there is anything to ask, and asked before the answer is
/// needed: the daemon is at work while the kernel is. What goes wrong is kept for the one who wants the answer.
struct DaemonCall: ~Copyable {
    private var client: NodeLinkClient?
    private var failure: NodeLinkError?
    /// How long to wait at the desk before looking whether the call is still wanted.
    private static let slice = Duration.milliseconds(20)

    private let desk: (any OwnDaemon)?
    private let caller: (any CallClient)?
    /// What the desk has been asked and nobody has waited for.
    private var pending: (answer: any DaemonAnswer, name: String, deadline: MonotonicTime)?

    /// Needs no connection.
    init(_ desk: any OwnDaemon, for caller: any CallClient) {
        self.desk = desk
        self.caller = caller
    }

    /// Connects.
    ///
    /// - Parameter helloTimeout: how long the daemon's hello may take.
    init(path: String, hello: Hello, helloTimeout: Duration = NodeLinkClient.answerTimeout) {
        (desk, caller) = (nil, nil)
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
        if let desk {
            let deadline = BootClock.now() + (timeout ?? NodeLinkClient.timeout(for: operation))
            pending = (desk.ask(operation), operation.name, deadline)
            return
        }
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
        if let (answer, name, deadline) = pending {
            pending = nil
            while true {
                let now = BootClock.now()
                if let result = answer.wait(until: min(deadline, now + Self.slice)) { return result }
                if now >= deadline { throw .timeout(name) }
                if caller?.hasGone ?? false { throw .closed("call") }
            }
        }
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
        if let desk { _ = desk.ask(operation) }
        try client?.tell(operation)
    }
}

/// The daemon, as its own threads see it that carry out calls.
package protocol OwnDaemon: Sendable {
    /// node.json, as it is now; nil if there is none.
    func nodeState() throws(StoreError) -> NodeState?
    /// Has something answered, now or later, without waiting.
    func ask(_ operation: Request.Operation) -> any DaemonAnswer
}

/// What the daemon has been asked.
package protocol DaemonAnswer: Sendable {
    /// Waits for the answer; nil at the deadline, on `BootClock`.
    func wait(until deadline: MonotonicTime) -> Result<JSONObject, RemoteError>?
}
