package import NetTypes

/// One row of a table that `get` answers with.
package protocol TableRow: Sendable, Hashable {
    /// The table.
    static var kind: ListKind { get }
    /// Reads one element of `items`.
    init(json: JSONValue) throws(NodeLinkError)
    /// The row as an element of `items`.
    var json: JSONValue { get }
}

/// The answer to `get`: `{"items":[…]}`.
package struct ListAnswer<Row: TableRow>: Sendable, Hashable {
    /// The rows.
    package var items: [Row]

    /// Makes the answer.
    package init(_ items: [Row]) { self.items = items }

    /// Reads `{"items":[…]}`.
    package init(_ object: JSONObject) throws(NodeLinkError) {
        items = []
        for item in try MessageReader(object, of: Row.kind.rawValue).array("items") {
            items.append(try Row(json: item))
        }
    }

    /// The members of `ok`.
    package var members: JSONObject { ["items": .array(items.map(\.json))] }
}

/// A Node resource.
package struct NodeRow: TableRow {
    package static var kind: ListKind { .nodes }

    /// The node's name.
    package var name: String
    /// Its AS number.
    package var asNumber: ASNumber
    /// Its IPv4 address with the network's length; nil without one.
    package var ipv4: String?
    /// Its IPv6 address with the network's length; nil without one.
    package var ipv6: String?

    /// Makes a row.
    package init(name: String, asNumber: ASNumber, ipv4: String?, ipv6: String?) {
        self.name = name
        self.asNumber = asNumber
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "node")
        name = try reader.string("name")
        asNumber = ASNumber(try reader.integer("asNumber"))
        ipv4 = try reader.optionalString("ipv4")
        ipv6 = try reader.optionalString("ipv6")
    }

    package var json: JSONValue {
        [
            "name": .string(name), "asNumber": .int(Int64(asNumber.rawValue)),
            "ipv4": ipv4.map { .string($0) } ?? .null, "ipv6": ipv6.map { .string($0) } ?? .null,
        ]
    }
}

/// An IPPool resource.
package struct PoolRow: TableRow {
    package static var kind: ListKind { .ippools }

    /// The pool's name.
    package var name: String
    /// Its network.
    package var cidr: IPPrefix
    /// The effective mode.
    package var mode: String
    /// The prefix length of its blocks.
    package var blockSize: UInt8
    /// The tunnel device that its mode needs; empty for none, nil from a daemon that does not say.
    package var device: String?
    /// Whether traffic that leaves the pools is masqueraded.
    package var natOutgoing: Bool
    /// Whether new allocations are forbidden.
    package var isDisabled: Bool
    /// The node selector's text; empty is every node.
    package var nodeSelector: String

    /// Makes a row.
    package init(
        name: String, cidr: IPPrefix, mode: String, blockSize: UInt8, natOutgoing: Bool, isDisabled: Bool,
        nodeSelector: String,
    ) {
        self.name = name
        self.cidr = cidr
        self.mode = mode
        self.blockSize = blockSize
        self.natOutgoing = natOutgoing
        self.isDisabled = isDisabled
        self.nodeSelector = nodeSelector
    }

    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "ippool")
        name = try reader.string("name")
        cidr = try reader.parsed("cidr", expected: "a prefix") { IPPrefix($0) }
        mode = try reader.string("mode")
        blockSize = try reader.integer("blockSize")
        natOutgoing = try reader.bool("natOutgoing")
        isDisabled = try reader.bool("disabled")
        nodeSelector = try reader.string("nodeSelector")
        device = try reader.optionalString("device")
    }

    package var json: JSONValue {
        [
            "name": .string(name), "cidr": .string(cidr.description), "mode": .string(mode),
            "blockSize": .int(Int64(blockSize)), "natOutgoing": .bool(natOutgoing), "disabled": .bool(isDisabled),
            "nodeSelector": .string(nodeSelector), "device": device.map { .string($0) } ?? .null,
        ]
    }
}

/// A block, this node's own or another's.
package struct BlockRow: TableRow {
    package static var kind: ListKind { .blocks }

    /// The block's network.
    package var cidr: IPPrefix
    /// The node it belongs to; empty when only its originator's address is known.
    package var node: String
    /// The pool it is a part of.
    package var pool: String
    /// Whether the other nodes are being told about it.
    package var isAnnounced: Bool
    /// Whether it gives no new addresses.
    package var isClosed: Bool
    /// The addresses that pods have; nil for another node's block.
    package var allocated: UInt32?
    /// The addresses that are free; nil for another node's block.
    package var free: UInt32?
    /// Whether its pool keeps it to the node (`disableBGPExport`): then nobody is to be told.
    package var isKept = false
    /// Why it gives no new addresses; nil for one that does, and from a daemon that does not say.
    package var closedBecause: BlockClosure?
    /// Who is in conflict about it, in words; nil when nobody is.
    package var conflict: String?

    /// Makes a row.
    package init(
        cidr: IPPrefix, node: String, pool: String, isAnnounced: Bool, isClosed: Bool, allocated: UInt32?,
        free: UInt32?,
    ) {
        self.cidr = cidr
        self.node = node
        self.pool = pool
        self.isAnnounced = isAnnounced
        self.isClosed = isClosed
        self.allocated = allocated
        self.free = free
    }

    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "block")
        cidr = try reader.parsed("cidr", expected: "a prefix") { IPPrefix($0) }
        node = try reader.string("node")
        pool = try reader.string("pool")
        isAnnounced = try reader.bool("announced")
        isClosed = try reader.bool("closed")
        allocated = try reader.optionalInteger("allocated")
        free = try reader.optionalInteger("free")
        isKept = reader.has("kept") ? try reader.bool("kept") : false
        closedBecause = try reader.optionalString("closedBecause").map { BlockClosure(rawValue: $0) ?? .other }
        conflict = try reader.optionalString("conflict")
    }

    package var json: JSONValue {
        [
            "cidr": .string(cidr.description), "node": .string(node), "pool": .string(pool),
            "announced": .bool(isAnnounced), "closed": .bool(isClosed),
            "allocated": allocated.map { .int(Int64($0)) } ?? .null, "free": free.map { .int(Int64($0)) } ?? .null,
            "kept": .bool(isKept), "closedBecause": closedBecause.map { .string($0.rawValue) } ?? .null,
            "conflict": conflict.map { .string($0) } ?? .null,
        ]
    }
}

/// A destination in Loc-RIB and what became of it in the kernel.
package struct RouteRow: TableRow {
    package static var kind: ListKind { .routes }

    /// The destination.
    package var prefix: IPPrefix
    /// The BGP next hop; empty for an own block.
    package var nextHop: String
    /// The peer it was learned from; empty for an own block.
    package var peer: String
    /// The AS_PATH as text.
    package var asPath: String
    /// The mode plugin that forwards to it; empty when none does.
    package var mode: String
    /// "programmed", "not yet: REASON", "conflict: REASON", "not programmed: REASON".
    package var state: String
    /// The link the route leaves by; empty without one.
    package var link: String
    /// The tunnel that the announcement asks for, `vxlan` or `ipip`; empty for none.
    package var announced: String
    /// What stands against its being in the kernel, as `state` has it in words; nil when it is there.
    package var obstacle: RouteObstacle?

    /// Makes a row.
    package init(
        prefix: IPPrefix, nextHop: String, peer: String, asPath: String, mode: String, state: String, link: String,
        announced: String = "",
    ) {
        self.announced = announced
        self.prefix = prefix
        self.nextHop = nextHop
        self.peer = peer
        self.asPath = asPath
        self.mode = mode
        self.state = state
        self.link = link
    }

    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "route")
        prefix = try reader.parsed("prefix", expected: "a prefix") { IPPrefix($0) }
        nextHop = try reader.string("nextHop")
        peer = try reader.string("peer")
        asPath = try reader.string("asPath")
        mode = try reader.string("mode")
        state = try reader.string("state")
        link = try reader.string("link")
        // A daemon of the first version does not say.
        announced = try reader.optionalString("announced") ?? ""
        obstacle = try reader.optionalString("obstacle").map { RouteObstacle(rawValue: $0) ?? .other }
    }

    package var json: JSONValue {
        [
            "prefix": .string(prefix.description), "nextHop": .string(nextHop), "peer": .string(peer),
            "asPath": .string(asPath), "mode": .string(mode), "state": .string(state), "link": .string(link),
            "announced": .string(announced), "obstacle": obstacle.map { .string($0.rawValue) } ?? .null,
        ]
    }
}
