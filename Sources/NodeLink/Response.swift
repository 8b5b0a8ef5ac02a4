package import NetTypes

/// The daemon's answer: `{"id":1,"ok":{…}}` or `{"id":1,"error":{"code":11,"msg":"…"}}`.
package struct Response: Sendable, Equatable {
    /// The request's id.
    package var id: Int64
    /// The answer's members, or the refusal.
    package var result: Result<JSONObject, RemoteError>

    /// Makes an answer.
    package init(id: Int64, result: Result<JSONObject, RemoteError>) {
        self.id = id
        self.result = result
    }

    /// Reads an answer.
    /// - Throws: `malformed`.
    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "answer")
        id = try reader.integer("id")
        if let members = reader.object["ok"]?.object {
            result = .success(members)
        } else {
            let error = try reader.inner("error")
            result = .failure(RemoteError(code: try error.integer("code"), message: try error.string("msg")))
        }
    }

    /// The answer as it goes over the socket.
    package var json: JSONValue {
        switch result {
        case .success(let members): ["id": .int(id), "ok": .object(members)]
        case .failure(let error):
            ["id": .int(id), "error": ["code": .int(error.code), "msg": .string(error.message)]]
        }
    }
}

/// The daemon's refusal. The code is the CNI error code that the executable passes on.
package struct RemoteError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A CNI error code.
    package var code: Int64
    /// What went wrong and what to do.
    package var message: String

    /// Makes a refusal.
    package init(code: Int64, message: String) {
        self.code = code
        self.message = message
    }

    /// The answer to an operation of a later version (CNI code 2, an unsupported field).
    package static func unknownOperation(_ name: String) -> RemoteError {
        RemoteError(code: 2, message: "apusd does not know the operation \"\(name)\"; it is older than its client")
    }

    /// `MESSAGE (code N)`.
    package var description: String { "\(message) (code \(code))" }
}
