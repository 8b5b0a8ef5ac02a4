package import NetTypes

/// One question to the daemon: `{"id":1,"op":"…",…}`.
package struct Request: Sendable, Hashable {
    /// Chosen by the client; the answer carries it back.
    package var id: Int64
    /// What is asked.
    package var operation: Operation

    /// Makes a request.
    package init(id: Int64, operation: Operation) {
        self.id = id
        self.operation = operation
    }

    /// What is asked for. Operations are added, never changed.
    package enum Operation: Sendable, Hashable {
        /// A pod interface has come. The store is the truth; this is a hint.
        case endpointAdd(Endpoint)
        /// A pod interface has gone.
        case endpointDelete(Endpoint)
        /// A pod's link is to be deleted, addresses and all; answered by `LinkDeleteAnswer` when neither of its two ends is
        /// to be seen any more. A record that its DEL has marked by then is released, too.
        case linkDelete(Endpoint)
        /// The node needs another block; answered by `BlockAnswer` after node.json has been rewritten.
        case blockRequest(BlockRequest)
        /// How the node and its peers are; answered by `StatusAnswer`.
        case status
        /// A table; answered by `ListAnswer`.
        case get(ListKind)
        /// A part of a table that may be larger than one message: its rows from this one on, counted from 0, as the table
        /// was when this connection asked from 0; answered by `PageAnswer`.
        case page(PagedTable, from: Int)
        /// What the BGP speaker knows; answered by `BGPAnswer` or `ExplanationAnswer`.
        case bgp(BGPQuestion)
        /// The node is about to go, or is not after all: what it announces becomes the last choice of its peers
        /// (RFC 8326), or is as usual again. Answered by nothing.
        case drain(Bool)
        /// A peer's routes, or this node's, are to be sent again on a session that is up. Answered by nothing.
        case refresh(PeerRefresh)
        /// An operation of a later version: its name. Answer it with `RemoteError.unknownOperation`.
        case unknown(String)
    }

    /// Reads a request.
    /// - Throws: `malformed`; close the connection, since the id may be unknown.
    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "request")
        id = try reader.integer("id")
        let name = try reader.string("op")
        switch name {
        case "endpointAdd": operation = .endpointAdd(try Endpoint(reader))
        case "endpointDelete": operation = .endpointDelete(try Endpoint(reader))
        case "linkDelete": operation = .linkDelete(try Endpoint(reader))
        case "blockRequest": operation = .blockRequest(try BlockRequest(reader))
        case "status": operation = .status
        case "get": operation = .get(try ListKind(reader))
        case "page": operation = .page(.list(try ListKind(reader)), from: try reader.integer("from"))
        case "bgpPage": operation = .page(.bgp(try BGPView(reader)), from: try reader.integer("from"))
        case "bgp": operation = .bgp(try BGPQuestion(reader))
        case "drain": operation = .drain(true)
        case "undrain": operation = .drain(false)
        case "refresh": operation = .refresh(try PeerRefresh(reader))
        default: operation = .unknown(name)
        }
    }

    /// The request as it goes over the socket.
    package var json: JSONValue {
        let members: [(String, JSONValue)] =
            switch operation {
            case .endpointAdd(let endpoint), .endpointDelete(let endpoint), .linkDelete(let endpoint): endpoint.members
            case .blockRequest(let request): request.members
            case .status, .drain, .unknown: []
            case .get(let kind): [("kind", .string(kind.rawValue))]
            case .page(let table, let from): table.members + [("from", .int(Int64(from)))]
            case .bgp(let question): question.members
            case .refresh(let refresh): refresh.members
            }
        return .object(JSONObject([("id", .int(id)), ("op", .string(operation.name))] + members))
    }
}

extension Request.Operation {
    /// The value of `op`.
    package var name: String {
        switch self {
        case .endpointAdd: "endpointAdd"
        case .endpointDelete: "endpointDelete"
        case .linkDelete: "linkDelete"
        case .blockRequest: "blockRequest"
        case .status: "status"
        case .get: "get"
        case .page(let table, _): table.operation
        case .bgp: "bgp"
        case .drain(let isWanted): isWanted ? "drain" : "undrain"
        case .refresh: "refresh"
        case .unknown(let name): name
        }
    }
}

/// The tables that `get` answers with.
package enum ListKind: String, Sendable, Hashable, CaseIterable {
    case nodes
    case ippools
    case blocks
    case routes
    case resources

    init(_ reader: MessageReader) throws(NodeLinkError) {
        let kinds = Self.allCases.map(\.rawValue).joined(separator: ", ")
        self = try reader.parsed("kind", expected: "one of \(kinds)") { Self(rawValue: $0) }
    }
}

/// What an ADD asks for when its node has no free address.
package struct BlockRequest: Sendable, Hashable {
    /// The family of the addresses.
    package var family: AddressFamily
    /// The mode the pool must have.
    package var mode: String
    /// The blocks the client has found full: one of them is no answer.
    package var full: [IPPrefix]
    /// The names of the pools it may be of; empty for all.
    package var pools: [String]
    /// The inner mode of `crosssubnet`, `ipip` or `vxlan`, for a default pool; nil leaves it to the daemon.
    package var encapsulation: String?

    /// Makes the question.
    package init(
        family: AddressFamily, mode: String, full: [IPPrefix], pools: [String] = [], encapsulation: String? = nil,
    ) {
        self.encapsulation = encapsulation
        self.family = family
        self.mode = mode
        self.full = full
        self.pools = pools
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        family = try reader.parsed("family", expected: "ipv4 or ipv6") { AddressFamily(rawValue: $0) }
        mode = try reader.string("mode")
        full = try reader.list("full", expected: "prefixes") { IPPrefix($0) }
        // A client of the first version does not say.
        pools = reader.object["pools"] == nil ? [] : try reader.list("pools", expected: "names of pools") { $0 }
        encapsulation = try reader.optionalString("encapsulation")
    }

    var members: [(String, JSONValue)] {
        let base: [(String, JSONValue)] = [
            ("family", .string(family.rawValue)), ("mode", .string(mode)),
            ("full", .array(full.map { .string($0.description) })),
        ]
        let named = pools.isEmpty ? base : base + [("pools", .array(pools.map { .string($0) }))]
        return encapsulation.map { named + [("encapsulation", .string($0))] } ?? named
    }
}
