package import NetTypes

/// The answer to `blockRequest`: a block that is in node.json now.
package struct BlockAnswer: Sendable, Hashable {
    /// The block.
    package var block: IPPrefix

    /// Makes the answer.
    package init(block: IPPrefix) { self.block = block }

    /// Reads `{"block":"10.244.0.64/26"}`.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        block = try MessageReader(object, of: "blockRequest").parsed("block", expected: "a prefix") { IPPrefix($0) }
    }

    /// The members of `ok`.
    package var members: JSONObject { ["block": .string(block.description)] }
}

/// The answer to `linkDelete`.
package struct LinkDeleteAnswer: Sendable, Hashable {
    /// Whether there was such a link; false when it was gone already, or is somebody else's.
    package var isDeleted: Bool
    /// Whether the record, which its DEL had marked, is gone too, and its addresses are free: the DEL is done.
    package var isReleased: Bool

    /// Makes the answer.
    package init(isDeleted: Bool, isReleased: Bool = false) {
        self.isDeleted = isDeleted
        self.isReleased = isReleased
    }

    /// Reads `{"deleted":true,"released":true}`; a daemon of an earlier version does not say `released`, and does not do
    /// it.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        let reader = MessageReader(object, of: "linkDelete")
        isDeleted = try reader.bool("deleted")
        isReleased = object["released"] == nil ? false : try reader.bool("released")
    }

    /// The members of `ok`.
    package var members: JSONObject { ["deleted": .bool(isDeleted), "released": .bool(isReleased)] }
}

/// The answer to `status`.
package struct StatusAnswer: Sendable, Hashable {
    /// The node itself.
    package var node: NodeStatus
    /// Its BGP peers; on the way over the socket at most `maximumPeers` of them: a message has a limit. All of them are
    /// the table `BGPView.states`.
    package var peers: [PeerStatus]
    /// How many peers there are.
    package var peerCounts: PeerCounts
    /// What kinds of block the node may take by itself when those it has are full.
    package var claimable: [Claimable]
    /// What the daemon has refused of the configuration as it is now, and why; nothing when all of it is in force.
    package var refusals: [String] = []
    /// Its tunnel devices.
    package var tunnels: [TunnelStatus] = []
    /// Where pools and networks of nodes share addresses, each in a sentence.
    package var overlaps: [String] = []
    /// What is doubtful in the configuration, which is in force all the same.
    package var warnings: [String] = []
    /// What of it changes nothing here, though it would in Calico.
    package var notes: [String] = []
    /// The BGP peers that are refused for want of their key; nil for none.
    package var keyShortage: KeyShortage?
    /// Where BGP listens; nil without a speaker, and from a daemon that does not say.
    package var listening: BGPListening?
    /// Why the node takes no block though it may; nil when it can.
    package var claimFault: String?
    /// What else the daemon knows to be wrong.
    package var faults: [DaemonFault] = []

    /// How many peers an answer tells of.
    package static let maximumPeers = 400

    /// How many peers there are, told of or not.
    package struct PeerCounts: Sendable, Hashable {
        /// Those that the node is to have a session with.
        package var configured: Int
        /// Those whose session is established.
        package var up: Int

        fileprivate init(of peers: [PeerStatus]) {
            configured = peers.count
            up = peers.count { $0.isUp }
        }

        fileprivate init(_ reader: MessageReader) throws(NodeLinkError) {
            configured = try reader.integer("configured")
            up = try reader.integer("up")
        }

        fileprivate var json: JSONValue { ["configured": .int(Int64(configured)), "up": .int(Int64(up))] }
    }

    /// Blocks of one kind.
    package struct Claimable: Sendable, Hashable {
        /// The family of their addresses.
        package var family: AddressFamily
        /// The mode of their pools.
        package var mode: String

        /// Joins the two.
        package init(family: AddressFamily, mode: String) {
            self.family = family
            self.mode = mode
        }
    }

    /// Makes the answer.
    package init(node: NodeStatus, peers: [PeerStatus], claimable: [Claimable] = []) {
        self.node = node
        self.peers = peers
        peerCounts = PeerCounts(of: peers)
        self.claimable = claimable
    }

    /// Reads `{"node":{…},"peers":[…],"peerCounts":{"configured":2,"up":1},"claimable":[{"family":"ipv4","mode":"bgp"}],
    /// "tunnels":[…],"refusals":[…],"overlaps":[…],"warnings":[…],"notes":[…],"keyShortage":{…},"listening":{…},
    /// "claimFault":"…","faults":[…]}`; all but the first two may be missing.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        let reader = MessageReader(object, of: "status")
        node = try NodeStatus(reader.inner("node"))
        var peers: [PeerStatus] = []
        for (index, peer) in try reader.array("peers").enumerated() {
            peers.append(try PeerStatus(MessageReader(peer, of: "status.peers[\(index)]")))
        }
        self.peers = peers
        // A daemon of an earlier version leaves none out.
        peerCounts = reader.has("peerCounts") ? try PeerCounts(reader.inner("peerCounts")) : PeerCounts(of: peers)
        var claimable: [Claimable] = []
        for (index, kind) in try (reader.has("claimable") ? reader.array("claimable") : []).enumerated() {
            let kind = try MessageReader(kind, of: "status.claimable[\(index)]")
            let family = try kind.parsed("family", expected: "ipv4 or ipv6") { AddressFamily(rawValue: $0) }
            claimable.append(Claimable(family: family, mode: try kind.string("mode")))
        }
        self.claimable = claimable
        refusals = reader.has("refusals") ? try reader.array("refusals").compactMap(\.string) : []
        overlaps = reader.has("overlaps") ? try reader.array("overlaps").compactMap(\.string) : []
        for (index, tunnel) in try (reader.has("tunnels") ? reader.array("tunnels") : []).enumerated() {
            tunnels.append(try TunnelStatus(MessageReader(tunnel, of: "status.tunnels[\(index)]")))
        }
        warnings = reader.has("warnings") ? try reader.array("warnings").compactMap(\.string) : []
        notes = reader.has("notes") ? try reader.array("notes").compactMap(\.string) : []
        keyShortage = reader.has("keyShortage") ? try KeyShortage(reader.inner("keyShortage")) : nil
        listening = reader.has("listening") ? try BGPListening(reader.inner("listening")) : nil
        claimFault = try reader.optionalString("claimFault")
        for (index, fault) in try (reader.has("faults") ? reader.array("faults") : []).enumerated() {
            faults.append(try DaemonFault(MessageReader(fault, of: "status.faults[\(index)]")))
        }
    }

    /// The members of `ok`.
    package var members: JSONObject {
        [
            "node": node.json, "peers": .array(toldPeers.map(\.json)), "peerCounts": peerCounts.json,
            "claimable": .array(
                claimable.map { ["family": .string($0.family.rawValue), "mode": .string($0.mode)] }),
            "refusals": .array(refusals.map { .string($0) }),
            "tunnels": .array(tunnels.map(\.json)),
            "overlaps": .array(overlaps.map { .string($0) }), "warnings": .array(warnings.map { .string($0) }),
            "notes": .array(notes.map { .string($0) }),
            "keyShortage": keyShortage?.json ?? .null, "listening": listening?.json ?? .null,
            "claimFault": claimFault.map { .string($0) } ?? .null, "faults": .array(faults.map(\.json)),
        ]
    }

    /// The first peers. Who does not look at the numbers takes a node that tells of no session for one that has none: one
    /// that is up is among them if there is any.
    private var toldPeers: [PeerStatus] {
        let first = Array(peers.prefix(Self.maximumPeers))
        guard first.count < peers.count, !first.contains(where: \.isUp), let up = peers.first(where: \.isUp)
        else { return first }
        return first.dropLast() + [up]
    }
}

/// The state of the node's own daemon.
package struct NodeStatus: Sendable, Hashable {
    /// The node's name.
    package var name: String
    /// Its AS number.
    package var asNumber: ASNumber
    /// Its BGP identifier as dotted-quad text; empty while no speaker runs.
    package var routerID: String
    /// When the daemon started, in seconds since 1970.
    package var startedAt: Int64
    /// Whether what it announces is to be the last choice of its peers.
    package var isDrained = false
    /// Whether learned routes go into its kernel.
    package var programsRoutes = true
    /// The daemon's `ProgramVersion`; empty from one that does not say.
    package var version = ""

    /// Makes the state.
    package init(name: String, asNumber: ASNumber, routerID: String, startedAt: Int64) {
        self.name = name
        self.asNumber = asNumber
        self.routerID = routerID
        self.startedAt = startedAt
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        name = try reader.string("name")
        asNumber = ASNumber(try reader.integer("asNumber"))
        routerID = try reader.string("routerID")
        startedAt = try reader.integer("startedAt")
        // A daemon of an earlier version does not say.
        isDrained = reader.has("drained") ? try reader.bool("drained") : false
        programsRoutes = reader.has("programsRoutes") ? try reader.bool("programsRoutes") : true
        version = try reader.optionalString("version") ?? ""
    }

    /// The state as JSON.
    package var json: JSONValue {
        [
            "name": .string(name), "asNumber": .int(Int64(asNumber.rawValue)), "routerID": .string(routerID),
            "startedAt": .int(startedAt), "drained": .bool(isDrained),
            "programsRoutes": .bool(programsRoutes), "version": .string(version),
        ]
    }
}

/// The state of one BGP peer, in the words of `calicoctl node status`.
package struct PeerStatus: BGPRow {
    /// The peer's address, with its port when that is not 179.
    package var address: String
    /// The family of the address.
    package var family: AddressFamily
    /// "node-to-node mesh", "node specific" or "global".
    package var type: String
    /// "up" when the session is established, else "start".
    package var state: String
    /// When the session came up, or was lost or first wanted, in seconds since 1970.
    package var since: Int64
    /// The FSM's state ("Established", "Active", …) and, after a failure, its reason.
    package var info: String
    /// The peer's AS number.
    package var asNumber: ASNumber
    /// The name of the Node behind the address; empty for a router.
    package var node: String
    /// Whether its session is to be signed with a password (RFC 2385).
    package var hasPassword = false

    /// Makes the state.
    package init(
        address: String, family: AddressFamily, type: String, state: String, since: Int64, info: String,
        asNumber: ASNumber, node: String,
    ) {
        self.address = address
        self.family = family
        self.type = type
        self.state = state
        self.since = since
        self.info = info
        self.asNumber = asNumber
        self.node = node
    }

    /// Whether the session is established.
    package var isUp: Bool { state == "up" }

    package init(json: JSONValue) throws(NodeLinkError) { try self.init(MessageReader(json, of: "peer")) }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        address = try reader.string("address")
        family = try reader.parsed("family", expected: "ipv4 or ipv6") { AddressFamily(rawValue: $0) }
        type = try reader.string("type")
        state = try reader.string("state")
        since = try reader.integer("since")
        info = try reader.string("info")
        asNumber = ASNumber(try reader.integer("asNumber"))
        node = try reader.string("node")
        // A daemon of an earlier version does not say.
        hasPassword = reader.has("password") ? try reader.bool("password") : false
    }

    /// The state as JSON.
    package var json: JSONValue {
        [
            "address": .string(address), "family": .string(family.rawValue), "type": .string(type),
            "state": .string(state), "since": .int(since), "info": .string(info),
            "asNumber": .int(Int64(asNumber.rawValue)), "node": .string(node), "password": .bool(hasPassword),
        ]
    }
}
