import IPAMCore
import NetTypes

/// How a node's addresses are used, for people and for programs.
struct UsageText {
    /// The node's name.
    let node: String
    private let usage: AddressUsage

    init(node: String, _ usage: AddressUsage) {
        self.node = node
        self.usage = usage
    }

    /// One row for each pool.
    var pools: String {
        TextTable(
            header: ["POOL", "CIDR", "BLOCKS", "SIZE", "IN USE", "FREE", "CLOSED", "RESERVED", "USED"],
            rows: usage.pools.map { pool in
                [
                    Self.name(pool), pool.cidr?.description ?? "-", String(pool.blocks.count), String(pool.size),
                    String(pool.inUse), String(pool.free), String(pool.closed), String(pool.reserved),
                    Self.share(pool.inUse, pool.size),
                ]
            }
        ).plain
    }

    /// One row for each block, and for each address that a pod has of another IPAM plugin.
    var blocks: String {
        var rows: [[String]] = []
        for pool in usage.pools {
            rows += pool.blocks.map { block in
                [
                    Self.name(pool), block.cidr.description, node, String(block.size), String(block.inUse),
                    String(block.free), String(block.closed), String(block.reserved),
                    Self.share(block.inUse, block.size), Self.state(block),
                ]
            }
            rows += pool.borrowed.map { borrowed in
                let prefix = borrowed.address.hostPrefix.description
                return [Self.name(pool), prefix, node, "1", "1", "0", "0", "0", "100%", "borrowed by \(borrowed.key)"]
            }
        }
        return TextTable(
            header: ["POOL", "CIDR", "NODE", "SIZE", "IN USE", "FREE", "CLOSED", "RESERVED", "USED", "STATE"],
            rows: rows
        ).plain
    }

    /// The pools as JSON.
    var json: JSONObject {
        ["node": .string(node), "pools": .array(usage.pools.map { .object(Self.members($0)) })]
    }

    /// The pools as JSON, with their blocks.
    var jsonWithBlocks: JSONObject {
        let pools = usage.pools.map { pool in
            var object = Self.members(pool)
            object["blockList"] = .array(pool.blocks.map(Self.json))
            object["borrowedList"] = .array(
                pool.borrowed.map { borrowed in
                    [
                        "address": .string(borrowed.address.description), "network": .string(borrowed.key.network),
                        "containerID": .string(borrowed.key.containerID), "ifName": .string(borrowed.key.ifName),
                    ]
                })
            return JSONValue.object(object)
        }
        return ["node": .string(node), "pools": .array(pools)]
    }

    private static func name(_ pool: PoolUsage) -> String { pool.name.isEmpty ? "(no pool)" : pool.name }

    private static func state(_ block: BlockUsage) -> String {
        if !block.isOwned { return "withdrawn" }
        if block.isDisputed { return "closed, in conflict" }
        if block.isClosed { return "closed" }
        return block.isAnnounced ? "open" : "open, not announced"
    }

    private static func share(_ part: Int, _ whole: Int) -> String {
        whole == 0 ? "-" : "\(percent(part, whole))%"
    }

    private static func percent(_ part: Int, _ whole: Int) -> Int {
        whole == 0 ? 0 : (part * 100 + whole / 2) / whole
    }

    private static func members(_ pool: PoolUsage) -> JSONObject {
        [
            "name": .string(pool.name), "cidr": pool.cidr.map { .string($0.description) } ?? .null,
            "blocks": .int(Int64(pool.blocks.count)), "size": .int(Int64(pool.size)),
            "inUse": .int(Int64(pool.inUse)), "free": .int(Int64(pool.free)),
            "unavailable": .int(Int64(pool.closed)), "reserved": .int(Int64(pool.reserved)),
            "percent": .int(Int64(percent(pool.inUse, pool.size))), "borrowed": .int(Int64(pool.borrowed.count)),
        ]
    }

    private static func json(_ block: BlockUsage) -> JSONValue {
        [
            "cidr": .string(block.cidr.description), "size": .int(Int64(block.size)),
            "inUse": .int(Int64(block.inUse)), "free": .int(Int64(block.free)),
            "unavailable": .int(Int64(block.closed)), "reserved": .int(Int64(block.reserved)),
            "percent": .int(Int64(percent(block.inUse, block.size))),
            "announced": .bool(block.isAnnounced), "closed": .bool(block.isClosed),
            "disputed": .bool(block.isDisputed), "withdrawn": .bool(!block.isOwned),
        ]
    }
}
