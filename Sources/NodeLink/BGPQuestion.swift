package import NetTypes

/// What `bgp` asks about the speaker: `{"op":"bgp","view":"received","peer":"192.168.1.2"}`.
package enum BGPQuestion: Sendable, Hashable {
    /// The sessions; answered by `BGPAnswer<BGPPeerRow>`.
    case peers
    /// Every route of the table; answered by `BGPAnswer<BGPRouteRow>`.
    case routes
    /// What a peer has sent; answered by `BGPAnswer<BGPRouteRow>`.
    case received(IPAddress)
    /// What a peer has been told; answered by `BGPAnswer<BGPRouteRow>`.
    case advertised(IPAddress)
    /// Why a prefix is, or is not, where it should be; answered by `ExplanationAnswer`.
    case why(IPPrefix)

    init(_ reader: MessageReader) throws(NodeLinkError) {
        let view = try reader.string("view")
        switch view {
        case "peers": self = .peers
        case "routes": self = .routes
        case "received": self = .received(try reader.parsed("peer", expected: "an address") { IPAddress($0) })
        case "advertised": self = .advertised(try reader.parsed("peer", expected: "an address") { IPAddress($0) })
        case "why": self = .why(try reader.parsed("prefix", expected: "a prefix") { IPPrefix($0) })
        default: throw .malformed("bgp.view: \(view) is none of peers, routes, received, advertised, why")
        }
    }

    var members: [(String, JSONValue)] {
        switch self {
        case .peers: [("view", "peers")]
        case .routes: [("view", "routes")]
        case .received(let peer): [("view", "received"), ("peer", .string(peer.description))]
        case .advertised(let peer): [("view", "advertised"), ("peer", .string(peer.description))]
        case .why(let prefix): [("view", "why"), ("prefix", .string(prefix.description))]
        }
    }
}

/// A row of an answer to `bgp`.
package protocol BGPRow: Sendable, Hashable {
    /// Reads one element of `items`.
    init(json: JSONValue) throws(NodeLinkError)
    /// The row as an element of `items`.
    var json: JSONValue { get }
}

/// The answer to `bgp`: `{"items":[…],"more":0}`.
package struct BGPAnswer<Row: BGPRow>: Sendable, Hashable {
    /// The rows an answer has at most: a message has a limit.
    package static var maximumRows: Int { 2000 }

    /// The rows.
    package var items: [Row]
    /// How many more there are.
    package var more: Int64

    /// Makes the answer of the first rows.
    package init(_ items: [Row]) {
        self.items = Array(items.prefix(Self.maximumRows))
        more = Int64(items.count - self.items.count)
    }

    /// Reads the members of `ok`.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        let reader = MessageReader(object, of: "bgp")
        items = []
        for item in try reader.array("items") { items.append(try Row(json: item)) }
        more = try reader.integer("more")
    }

    /// The members of `ok`.
    package var members: JSONObject { ["items": .array(items.map(\.json)), "more": .int(more)] }
}

/// The answer to `bgp` with the view `why`: sentences, from the wire to the kernel.
package struct ExplanationAnswer: Sendable, Hashable {
    /// The sentences, in order.
    package var lines: [String]

    /// Makes the answer.
    package init(lines: [String]) { self.lines = lines }

    /// Reads `{"lines":[…]}`.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        lines = try MessageReader(object, of: "why").list("lines", expected: "texts") { $0 }
    }

    /// The members of `ok`.
    package var members: JSONObject { ["lines": .array(lines.map { .string($0) })] }
}
