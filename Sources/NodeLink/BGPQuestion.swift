package import NetTypes

/// What `bgp` asks about the speaker: `{"op":"bgp","view":"received","peer":"192.168.1.2"}`.
package enum BGPQuestion: Sendable, Hashable {
    /// The first rows of a table; answered by `BGPAnswer`.
    case table(BGPView)
    /// Why a prefix is, or is not, where it should be; answered by `ExplanationAnswer`.
    case why(IPPrefix)

    init(_ reader: MessageReader) throws(NodeLinkError) {
        if try reader.string("view") == "why" {
            self = .why(try reader.parsed("prefix", expected: "a prefix") { IPPrefix($0) })
        } else {
            self = .table(try BGPView(reader))
        }
    }

    var members: [(String, JSONValue)] {
        switch self {
        case .table(let view): view.members
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

    /// Reads the members of `ok`.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        let reader = MessageReader(object, of: "bgp")
        items = []
        for item in try reader.array("items") { items.append(try Row(json: item)) }
        more = try reader.integer("more")
    }

    /// The members of `ok` for a table of so many rows, of which it has the first.
    package static func members(count: Int, _ row: (Int) -> JSONValue) -> JSONObject {
        let told = min(count, maximumRows)
        return ["items": .array((0..<told).map(row)), "more": .int(Int64(count - told))]
    }
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
