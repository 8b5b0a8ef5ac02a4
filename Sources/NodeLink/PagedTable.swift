package import NetTypes

/// A table that a client reads in pages, whatever its size: all of one moment, the moment of the first page.
package enum PagedTable: Sendable, Hashable {
    /// What `get` answers with: `{"op":"page","kind":"routes","from":0}`.
    case list(ListKind)
    /// What `bgp` answers with: `{"op":"bgpPage","view":"routes","from":0}`.
    case bgp(BGPView)

    /// The value of `op`. They are two: a daemon that knows no `bgpPage` says so.
    var operation: String {
        switch self {
        case .list: "page"
        case .bgp: "bgpPage"
        }
    }

    var members: [(String, JSONValue)] {
        switch self {
        case .list(let kind): [("kind", .string(kind.rawValue))]
        case .bgp(let view): view.members
        }
    }
}

/// A table of the speaker, of which nothing is left out:
/// `"view":"received","peer":"192.168.1.2","within":"10.244.0.0/16"`.
package enum BGPView: Sendable, Hashable {
    /// The sessions: rows are `BGPPeerRow`.
    case peers
    /// How each peer is; rows are `PeerStatus`. An answer to `status` has the first of them.
    case states
    /// The routes of the table, all or those within a prefix; rows are `BGPRouteRow`, here and below.
    case routes(within: IPPrefix?)
    /// What a peer has sent.
    case received(IPAddress, within: IPPrefix?)
    /// What a peer has been told.
    case advertised(IPAddress, within: IPPrefix?)

    init(_ reader: MessageReader) throws(NodeLinkError) {
        let view = try reader.string("view")
        let within =
            reader.object["within"] == nil
            ? nil : try reader.parsed("within", expected: "a prefix") { IPPrefix($0) }
        func peer() throws(NodeLinkError) -> IPAddress {
            try reader.parsed("peer", expected: "an address") { IPAddress($0) }
        }
        switch view {
        case "peers": self = .peers
        case "states": self = .states
        case "routes": self = .routes(within: within)
        case "received": self = .received(try peer(), within: within)
        case "advertised": self = .advertised(try peer(), within: within)
        default: throw .malformed("bgp.view: \(view) is none of peers, states, routes, received, advertised, why")
        }
    }

    var members: [(String, JSONValue)] {
        let (view, peer, within): (String, IPAddress?, IPPrefix?) =
            switch self {
            case .peers: ("peers", nil, nil)
            case .states: ("states", nil, nil)
            case .routes(let within): ("routes", nil, within)
            case .received(let peer, let within): ("received", peer, within)
            case .advertised(let peer, let within): ("advertised", peer, within)
            }
        var members: [(String, JSONValue)] = [("view", .string(view))]
        if let peer { members.append(("peer", .string(peer.description))) }
        if let within { members.append(("within", .string(within.description))) }
        return members
    }
}
