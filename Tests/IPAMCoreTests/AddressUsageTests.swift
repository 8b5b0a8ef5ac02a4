import IPAMCore
import NetTypes
import Testing

@Suite("How a node's addresses are used")
struct AddressUsageTests {
    private static func key(_ id: String) -> AttachmentKey {
        AttachmentKey(network: "net", containerID: id, ifName: "eth0")
    }
    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    private static func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    private static func attachment(_ id: String, _ addresses: [String]) throws -> IPAMCore.Attachment {
        IPAMCore.Attachment(
            key: key(id), state: .complete, addresses: try addresses.map { try address($0).hostPrefix },
            hostLink: "calia", hostLinkIndex: 7, bootID: "boot", createdAt: MonotonicTime(nanoseconds: 1))
    }

    private static func node() throws -> NodeState {
        var node = NodeState(
            node: "node1", bootID: "boot", netnsInode: 1, mtuBytes: 1500, generation: 1,
            pools: [
                .init(name: "one", cidr: try Self.prefix("10.0.0.0/24"), mode: "bgp", blockSize: 28),
                .init(name: "two", cidr: try Self.prefix("10.1.0.0/24"), mode: "bgp", blockSize: 28),
            ],
            blocks: [
                .init(cidr: try Self.prefix("10.0.0.0/28"), pool: "one", isAnnounced: true),
                .init(cidr: try Self.prefix("10.0.0.16/28"), pool: "one", isAnnounced: true, isClosed: true),
            ])
        node.withheld = WithheldAddresses(
            nodes: [try Self.address("10.0.0.9")], reservations: [try Self.prefix("10.0.0.12/30")])
        return node
    }

    private static func block(_ cidr: String, _ keys: [String]) throws -> Block {
        var block = try Block(cidr: Self.prefix(cidr), bootID: "boot")
        for key in keys { _ = try block.allocate(for: Self.key(key)) }
        return block
    }

    @Test("Every address of a block counts once: in use, free or reserved")
    func counts() throws {
        let usage = AddressUsage(
            node: try Self.node(), blocks: [try Self.block("10.0.0.0/28", ["a", "b", "c"])], attachments: [])
        let pool = try #require(usage.pools.first)
        // The tunnel's, the node's and four that are held back.
        #expect(
            pool.blocks.map { [$0.size, $0.inUse, $0.free, $0.closed, $0.reserved] }
                == [[16, 3, 7, 0, 6], [16, 0, 0, 15, 1]])
        #expect([pool.size, pool.inUse, pool.free, pool.closed, pool.reserved] == [32, 3, 7, 15, 7])
        #expect(pool.blocks.map(\.isClosed) == [false, true])
        #expect(usage.pools.map(\.blocks.count) == [2, 0])
    }

    @Test("What is free is what an ADD may be given: nothing of a pool that is disabled, or not the node's")
    func disabled() throws {
        var node = try Self.node()
        node.pools[0].isDisabled = true
        var usage = AddressUsage(node: node, blocks: [], attachments: [])
        #expect(usage.pools[0].blocks.map(\.free) == [0, 0])
        #expect(usage.pools[0].blocks.map(\.closed) == [10, 15])
        #expect(usage.pools[0].blocks.map(\.isClosed) == [true, true])
        node.pools.removeFirst()
        usage = AddressUsage(node: node, blocks: [], attachments: [])
        #expect(usage.pools.map(\.free) == [0, 0])
    }

    @Test("A block without a record has what attachments name of it")
    func unrecorded() throws {
        let usage = AddressUsage(
            node: try Self.node(), blocks: [], attachments: [try Self.attachment("a", ["10.0.0.17"])])
        #expect(usage.pools[0].blocks.map(\.inUse) == [0, 1])
    }

    @Test("A block that is not the node's any more shows while a pod lives in it, under its pool or under none")
    func withdrawn() throws {
        let blocks = [
            try Self.block("10.1.0.0/28", ["a"]), try Self.block("10.9.0.0/28", ["b"]),
            try Self.block("10.1.0.16/28", []),
        ]
        let usage = AddressUsage(node: try Self.node(), blocks: blocks, attachments: [])
        #expect(usage.pools.map(\.name) == ["one", "two", ""])
        #expect(usage.pools[1].blocks.map(\.cidr.description) == ["10.1.0.0/28"])
        #expect(usage.pools[2].blocks.map(\.isOwned) == [false])
        #expect(usage.pools[2].cidr == nil)
        #expect(usage.pools.map(\.free) == [usage.pools[0].free, 0, 0])
        #expect(usage.pools[1].closed == 14)
    }

    @Test("An address of a pool outside of the node's blocks is borrowed")
    func borrowed() throws {
        let attachments = [try Self.attachment("a", ["10.1.0.77", "192.0.2.1"])]
        let usage = AddressUsage(node: try Self.node(), blocks: [], attachments: attachments)
        #expect(usage.pools.map { $0.borrowed.map(\.address.description) } == [[], ["10.1.0.77"]])
    }

    @Test(
        "An address is held, free, reserved, elsewhere or outside",
        arguments: [
            ("10.0.0.1", "held a"), ("10.0.0.2", "free"), ("10.0.0.18", "free, closed"),
            ("10.0.0.0", "reserved: the address of the node's tunnel device"),
            ("10.0.0.9", "reserved: the address of a node"),
            ("10.0.0.13", "reserved: held back by an IPReservation"),
            ("10.0.0.14", "reserved: the gateway that apus-ipam gives"),
            ("10.1.0.5", "elsewhere two"), ("10.1.0.77", "held b"), ("192.0.2.9", "outside"), ("fd00::1", "outside"),
        ])
    func standing(address: String, expected: String) throws {
        var block = try Self.block("10.0.0.0/28", ["a"])
        _ = try block.reserveGateway()
        let standing = AddressStanding(
            try Self.address(address), node: try Self.node(), blocks: [block],
            attachments: [try Self.attachment("b", ["10.1.0.77"])])
        let found =
            switch standing {
            case .held(let key, _, _): "held \(key.containerID)"
            case .free(_, let isClosed): isClosed ? "free, closed" : "free"
            case .reserved(_, let reason): "reserved: \(reason)"
            case .elsewhere(let pool): "elsewhere \(pool)"
            case .outside: "outside"
            }
        #expect(found == expected)
    }
}
