package import NetTypes

/// What the daemon tells the CNI executable about this node: the file `node.json`.
///
/// The daemon alone writes it. `generation` grows with every rewrite.
package struct NodeState: Sendable, Hashable {
    /// A pool of addresses, as far as an ADD needs to know it.
    package struct Pool: Sendable, Hashable {
        /// The IPPool's name.
        package var name: String
        /// The pool's network.
        package var cidr: IPPrefix
        /// The effective mode: "bgp", "ipip", "vxlan" or "crosssubnet".
        package var mode: String
        /// The prefix length of the pool's blocks.
        package var blockSize: UInt8
        /// Whether new allocations are forbidden.
        package var isDisabled: Bool
        /// Whether only who asks for the pool, or for an address of it, gets one. A file of an earlier version has none.
        package var isManual: Bool

        /// Makes a pool.
        package init(
            name: String, cidr: IPPrefix, mode: String, blockSize: UInt8, isDisabled: Bool = false,
            isManual: Bool = false,
        ) {
            self.name = name
            self.cidr = cidr
            self.mode = mode
            self.blockSize = blockSize
            self.isDisabled = isDisabled
            self.isManual = isManual
        }
    }

    /// A block this node owns.
    package struct OwnedBlock: Sendable, Hashable {
        /// The block's network.
        package var cidr: IPPrefix
        /// The name of the pool it is a part of.
        package var pool: String
        /// Whether the other nodes are being told about it.
        package var isAnnounced: Bool
        /// Whether it gives no new addresses: its affinity is withdrawn, or it is in conflict.
        package var isClosed: Bool
        /// Whether it is closed because somebody else claims it, too. A file of an earlier version has none.
        package var isDisputed = false

        /// Makes a block.
        package init(cidr: IPPrefix, pool: String, isAnnounced: Bool, isClosed: Bool = false) {
            self.cidr = cidr
            self.pool = pool
            self.isAnnounced = isAnnounced
            self.isClosed = isClosed
        }
    }

    /// The node's name.
    package var node: String
    /// The boot in which the file was written: one of another boot counts as absent.
    package var bootID: String
    /// The inode of the network namespace the daemon runs in.
    package var netnsInode: UInt64
    /// The MTU of the node's uplink.
    package var mtuBytes: UInt32
    /// The MTU of pods' links: what the modes of the pools leave of the uplink's. A file of an earlier version has none.
    package var podMTUBytes: UInt32?
    /// Counts the rewrites.
    package var generation: UInt64
    /// The pools that select this node.
    package var pools: [Pool]
    /// The node's blocks, the oldest first: that is the order in which they are filled.
    package var blocks: [OwnedBlock]
    /// What is kept from pods. A file of an earlier version has none.
    package var withheld = WithheldAddresses()
    /// The node's own addresses. A file of an earlier version has none.
    package var ownAddresses: [IPAddress] = []

    /// Makes a state.
    package init(
        node: String, bootID: String, netnsInode: UInt64, mtuBytes: UInt32, podMTUBytes: UInt32? = nil,
        generation: UInt64, pools: [Pool], blocks: [OwnedBlock],
    ) {
        self.node = node
        self.bootID = bootID
        self.netnsInode = netnsInode
        self.mtuBytes = mtuBytes
        self.podMTUBytes = podMTUBytes
        self.generation = generation
        self.pools = pools
        self.blocks = blocks
    }

    /// The enabled pools of this family and mode.
    package func pools(family: AddressFamily, mode: String) -> [Pool] {
        pools.filter { $0.cidr.family == family && $0.mode == mode && !$0.isDisabled }
    }

    /// Whether an enabled pool of this family and mode gives addresses without being asked for.
    package func hasPool(_ family: AddressFamily, mode: String) -> Bool {
        pools.contains { $0.cidr.family == family && $0.mode == mode && !$0.isDisabled && !$0.isManual }
    }

    /// The modes of the enabled pools of this family, each once, in the order of the pools; those that must be asked for
    /// come last.
    package func modes(family: AddressFamily) -> [String] {
        var modes: [String] = []
        for isManual in [false, true] {
            for pool in pools
            where pool.cidr.family == family && !pool.isDisabled && pool.isManual == isManual
                && !modes.contains(pool.mode)
            {
                modes.append(pool.mode)
            }
        }
        return modes
    }

    /// The owned block `address` lies in.
    package func block(containing address: IPAddress) -> OwnedBlock? {
        blocks.first { $0.cidr.contains(address) }
    }
}

extension NodeState {
    /// Reads node.json.
    ///
    /// `{"v":1,"node":…,"bootID":…,"netns":N,"mtu":1500,"podMTU":1450,"generation":7,"pools":[{"name":…,"cidr":…,
    /// "mode":"bgp","blockSize":26,"disabled":false,"manual":false}],"blocks":[{"cidr":…,"pool":…,"announced":true,
    /// "closed":false,"disputed":true}],"nodeAddresses":["10.244.0.9"],"reservations":["10.244.0.16/30"],
    /// "ownAddresses":["192.168.1.1"]}`; `disputed` and the last three may be missing.
    /// - Throws: `RecordError`.
    package init(json: JSONValue) throws(RecordError) {
        let reader = try RecordReader(record: json)
        var pools: [Pool] = []
        for pool in try reader.objects("pools") {
            pools.append(
                Pool(
                    name: try pool.string("name"), cidr: try pool.parsed("cidr", expected: "a prefix") { IPPrefix($0) },
                    mode: try pool.string("mode"), blockSize: try pool.integer("blockSize"),
                    isDisabled: try pool.bool("disabled"),
                    isManual: pool.has("manual") ? try pool.bool("manual") : false))
        }
        var blocks: [OwnedBlock] = []
        for block in try reader.objects("blocks") {
            var owned = OwnedBlock(
                cidr: try block.parsed("cidr", expected: "a prefix") { IPPrefix($0) },
                pool: try block.string("pool"), isAnnounced: try block.bool("announced"),
                isClosed: try block.bool("closed"))
            if block.has("disputed") { owned.isDisputed = try block.bool("disputed") }
            blocks.append(owned)
        }
        self.init(
            node: try reader.string("node"), bootID: try reader.string("bootID"),
            netnsInode: try reader.integer("netns"), mtuBytes: try reader.integer("mtu"),
            podMTUBytes: reader.has("podMTU") ? try reader.integer("podMTU") : nil,
            generation: try reader.integer("generation"), pools: pools, blocks: blocks)
        withheld.nodes = Set(try reader.list("nodeAddresses", expected: "an address") { IPAddress($0) })
        withheld.reservations = try reader.list("reservations", expected: "a prefix") { IPPrefix($0) }
        ownAddresses = try reader.list("ownAddresses", expected: "an address") { IPAddress($0) }
    }

    /// The state as node.json holds it.
    package var json: JSONValue {
        let podMTU = podMTUBytes.map { [("podMTU", JSONValue.int(Int64($0)))] } ?? []
        let members: JSONObject = [
            "v": 1,
            "node": .string(node),
            "bootID": .string(bootID),
            "netns": .int(Int64(clamping: netnsInode)),
            "mtu": .int(Int64(mtuBytes)),
            "generation": .int(Int64(clamping: generation)),
            "pools": .array(
                pools.map { pool in
                    .object([
                        "name": .string(pool.name), "cidr": .string(pool.cidr.description), "mode": .string(pool.mode),
                        "blockSize": .int(Int64(pool.blockSize)), "disabled": .bool(pool.isDisabled),
                        "manual": .bool(pool.isManual),
                    ])
                }),
            "blocks": .array(
                blocks.map { block in
                    var members: JSONObject = [
                        "cidr": .string(block.cidr.description), "pool": .string(block.pool),
                        "announced": .bool(block.isAnnounced), "closed": .bool(block.isClosed),
                    ]
                    if block.isDisputed { members["disputed"] = true }
                    return .object(members)
                }),
        ]
        return .object(JSONObject(members.members.map { ($0.name, $0.value) } + podMTU + addressMembers))
    }

    /// What is not there costs an ADD nothing.
    private var addressMembers: [(String, JSONValue)] {
        let lists = [
            ("nodeAddresses", withheld.nodes.sorted().map(\.description)),
            ("reservations", withheld.reservations.map(\.description)),
            ("ownAddresses", ownAddresses.map(\.description)),
        ]
        return lists.filter { !$0.1.isEmpty }.map { ($0.0, .array($0.1.map { .string($0) })) }
    }
}
