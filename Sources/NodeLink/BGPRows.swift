package import NetTypes

/// A BGP session with its numbers.
package struct BGPPeerRow: BGPRow {
    /// The peer's address.
    package var address: String
    /// The peer's AS.
    package var asNumber: ASNumber
    /// The FSM's state.
    package var state: String
    /// When it was entered, in seconds since 1970; 0 before the first event.
    package var since: Int64
    /// Since when there is no session, in seconds since 1970; 0 while there is one.
    package var downSince: Int64
    /// The peer's identifier, families, Hold Time and the like, as agreed; empty without a session.
    package var agreed: String
    /// Routes received, of those refused, of those kept from a lost session, and prefixes advertised.
    package var received: Int64
    package var refused: Int64
    package var stale: Int64
    package var advertised: Int64
    /// Messages received and sent.
    package var messagesIn: Int64
    package var messagesOut: Int64
    /// How often the session came up, and went down.
    package var established: Int64
    package var lost: Int64
    /// BFD's state; empty where it does not watch.
    package var bfd: String
    /// The last error in words; empty for none.
    package var lastError: String

    /// A row of nothing yet.
    package init(address: String, asNumber: ASNumber, state: String) {
        self.address = address
        self.asNumber = asNumber
        self.state = state
        (since, downSince) = (0, 0)
        agreed = ""
        (received, refused, stale, advertised) = (0, 0, 0, 0)
        (messagesIn, messagesOut, established, lost) = (0, 0, 0, 0)
        bfd = ""
        lastError = ""
    }

    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "bgp peer")
        address = try reader.string("address")
        asNumber = ASNumber(try reader.integer("asNumber"))
        state = try reader.string("state")
        since = try reader.integer("since")
        // A daemon of an earlier version does not say.
        downSince = reader.has("downSince") ? try reader.integer("downSince") : 0
        agreed = try reader.string("agreed")
        received = try reader.integer("received")
        refused = try reader.integer("refused")
        stale = try reader.integer("stale")
        advertised = try reader.integer("advertised")
        messagesIn = try reader.integer("messagesIn")
        messagesOut = try reader.integer("messagesOut")
        established = try reader.integer("established")
        lost = try reader.integer("lost")
        bfd = try reader.string("bfd")
        lastError = try reader.string("lastError")
    }

    package var json: JSONValue {
        [
            "address": .string(address), "asNumber": .int(Int64(asNumber.rawValue)), "state": .string(state),
            "since": .int(since), "downSince": .int(downSince), "agreed": .string(agreed),
            "received": .int(received), "refused": .int(refused), "stale": .int(stale), "advertised": .int(advertised),
            "messagesIn": .int(messagesIn),
            "messagesOut": .int(messagesOut), "established": .int(established), "lost": .int(lost),
            "bfd": .string(bfd), "lastError": .string(lastError),
        ]
    }
}

/// A route of the table.
package struct BGPRouteRow: BGPRow {
    /// The destination.
    package var prefix: IPPrefix
    /// `>` chosen, `=` as good and used too, `s` kept from a lost session, `x` not eligible; empty for one that is beaten.
    package var flags: String
    /// The next hop; empty for an own block.
    package var nextHop: String
    /// The peer that sent it; empty for this node.
    package var peer: String
    /// The identifier of the path, among several of the peer (RFC 7911); nil for none.
    package var pathID: UInt32?
    /// LOCAL_PREF and MED; nil where absent.
    package var localPref: UInt32?
    package var med: UInt32?
    /// AS_PATH and ORIGIN as text.
    package var asPath: String
    /// The communities of all kinds, as text.
    package var communities: String
    /// Why it is not the one that is used; empty when it is.
    package var reason: String

    /// Makes a row without attributes.
    package init(prefix: IPPrefix, flags: String, nextHop: String, peer: String) {
        self.prefix = prefix
        self.flags = flags
        self.nextHop = nextHop
        self.peer = peer
        asPath = ""
        communities = ""
        reason = ""
    }

    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "bgp route")
        prefix = try reader.parsed("prefix", expected: "a prefix") { IPPrefix($0) }
        flags = try reader.string("flags")
        nextHop = try reader.string("nextHop")
        peer = try reader.string("peer")
        pathID = try reader.optionalInteger("pathID")
        localPref = try reader.optionalInteger("localPref")
        med = try reader.optionalInteger("med")
        asPath = try reader.string("asPath")
        communities = try reader.string("communities")
        reason = try reader.string("reason")
    }

    package var json: JSONValue {
        [
            "prefix": .string(prefix.description), "flags": .string(flags), "nextHop": .string(nextHop),
            "peer": .string(peer), "pathID": pathID.map { .int(Int64($0)) } ?? .null,
            "localPref": localPref.map { .int(Int64($0)) } ?? .null,
            "med": med.map { .int(Int64($0)) } ?? .null, "asPath": .string(asPath),
            "communities": .string(communities), "reason": .string(reason),
        ]
    }
}
