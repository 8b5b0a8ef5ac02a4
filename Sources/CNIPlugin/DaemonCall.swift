import NetTypes
import NodeLink

/// A connection to the daemon on which hello is said before there is anything to ask.
struct DaemonCall: ~Copyable {
    private var client: NodeLinkClient?
    private var failure: NodeLinkError?

    /// Connects; an error is kept for the one who asks.
    init(path: String, hello: Hello) {
        do throws(NodeLinkError) {
            client = try NodeLinkClient(path: path, hello: hello, awaitsHello: false)
            failure = nil
        } catch {
            client = nil
            failure = error
        }
    }

    /// Tells the daemon of a new endpoint.
    ///
    /// - Returns: why the daemon took no notice, it being absent or silent; nil if it agreed.
    /// - Throws: its refusal, or what else went wrong.
    mutating func announce(_ endpoint: Endpoint) throws -> NodeLinkError? {
        let answer: Result<JSONObject, RemoteError>?
        do throws(NodeLinkError) {
            if let failure { throw failure }
            answer = try client?.call(.endpointAdd(endpoint))
        } catch {
            guard error.isAbsence else { throw error }
            return error
        }
        _ = try answer?.get()
        return nil
    }
}
