import CNISpec
import IPAMCore
import LinuxOS
import NetTypes
import NodeLink
import NodeStore

/// What the plugin says to the daemon, one connection for each sentence, or without any from a thread of the daemon's.
struct DaemonLine: Sendable {
    /// How long a DEL waits for the daemon, which can do nothing about it but note it.
    static let withdrawalTimeout = Duration.milliseconds(200)
    /// How long a STATUS waits for each of the daemon's two answers.
    static let statusTimeout = Duration.milliseconds(500)

    /// The daemon's socket.
    let path: String
    /// What the plugin says of itself.
    let hello: Hello
    /// The daemon itself, where this is one of its threads.
    private let server: CallServing?

    /// A line from the namespace with this inode number.
    init(_ store: RunDirectory, namespace: UInt64, server: CallServing? = nil) {
        path = store.socketPath
        hello = Hello(node: "", bootID: store.bootID, netnsInode: namespace)
        self.server = server
    }

    /// Connects and says hello, and waits for no answer: that comes while the caller does something else.
    ///
    /// - Parameter helloTimeout: how long the daemon's hello may take, once somebody waits for an answer.
    func greeted(helloTimeout: Duration = NodeLinkClient.answerTimeout) -> DaemonCall {
        if let server { return DaemonCall(server.desk, for: server.client) }
        return DaemonCall(path: path, hello: hello, helloTimeout: helloTimeout)
    }

    /// Tells the daemon that an endpoint is gone. It looks at the store itself when it comes back, so that nothing
    /// depends on the message.
    /// - Throws: `NodeLinkError`, for the log.
    func withdraw(_ endpoint: Endpoint) throws(NodeLinkError) {
        _ = try call(
            .endpointDelete(endpoint), timeout: Self.withdrawalTimeout, helloTimeout: Self.withdrawalTimeout)
    }

    /// Asks the daemon how it is.
    func status() throws(NodeLinkError) -> StatusAnswer {
        switch try call(.status, timeout: Self.statusTimeout, helloTimeout: Self.statusTimeout) {
        case .success(let members): return try StatusAnswer(members)
        case .failure(let refusal): throw .refused(refusal.message)
        }
    }

    /// Asks for a block with free addresses; it is in node.json then.
    /// - Throws: the daemon's refusal, or error 11.
    func requestBlock(_ request: BlockRequest) throws {
        let answer: Result<JSONObject, RemoteError>
        do throws(NodeLinkError) {
            answer = try call(.blockRequest(request))
        } catch {
            let full = request.full.map(\.description).joined(separator: ", ")
            let need =
                full.isEmpty
                ? "this node has no block of \(request.family.rawValue) addresses"
                : "every block of this node is full (\(full))"
            throw CNIError(
                .tryAgainLater, "\(need), and there is none from apusd: start apusd, or see why it does not answer",
                details: error.description)
        }
        _ = try answer.get()
    }

    private func call(
        _ operation: Request.Operation, timeout: Duration? = nil,
        helloTimeout: Duration = NodeLinkClient.answerTimeout,
    ) throws(NodeLinkError) -> Result<JSONObject, RemoteError> {
        if let server {
            var call = DaemonCall(server.desk, for: server.client)
            call.ask(operation, timeout: timeout)
            return try call.answer()
        }
        var client = try NodeLinkClient(path: path, hello: hello, helloTimeout: helloTimeout)
        return try client.call(operation, timeout: timeout)
    }
}

extension PluginCall {
    /// The line to the daemon, from the namespace this thread is in.
    func daemonLine() throws(SystemError) -> DaemonLine {
        if let server = input.server {
            return DaemonLine(store, namespace: server.netnsInode, server: server)
        }
        return DaemonLine(store, namespace: try NetNS.current().inode)
    }
}
