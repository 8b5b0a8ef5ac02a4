package import NetTypes

/// Routes that are to go over a session once more: `{"op":"refresh","peer":"192.168.1.2","direction":"in"}`.
package struct PeerRefresh: Sendable, Hashable {
    /// The peer's address.
    package var peer: IPAddress
    /// Who sends.
    package var direction: Direction

    /// Who sends.
    package enum Direction: String, Sendable, Hashable, CaseIterable {
        /// The peer, which is asked by ROUTE-REFRESH (RFC 2918).
        case incoming = "in"
        /// This node.
        case outgoing = "out"
    }

    /// Makes the request.
    package init(peer: IPAddress, direction: Direction) {
        self.peer = peer
        self.direction = direction
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        peer = try reader.parsed("peer", expected: "an address") { IPAddress($0) }
        direction = try reader.parsed("direction", expected: "in or out") { Direction(rawValue: $0) }
    }

    var members: [(String, JSONValue)] {
        [("peer", .string(peer.description)), ("direction", .string(direction.rawValue))]
    }
}
