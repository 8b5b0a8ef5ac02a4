import IPAMCore
import NetTypes
import Testing

@testable import apusctl

@Suite("Addresses and who has them, for people and for programs")
struct IPAMTextTests {
    private static let key = AttachmentKey(network: "net", containerID: "c1", ifName: "eth0")

    private static func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    private static func node() throws -> NodeState {
        NodeState(
            node: "node1", bootID: "boot", netnsInode: 1, mtuBytes: 1500, generation: 1,
            pools: [.init(name: "one", cidr: try prefix("10.0.0.0/24"), mode: "bgp", blockSize: 28)],
            blocks: [
                .init(cidr: try prefix("10.0.0.0/28"), pool: "one", isAnnounced: true),
                .init(cidr: try prefix("10.0.0.16/28"), pool: "one", isAnnounced: true, isClosed: true),
                .init(cidr: try prefix("10.0.0.32/28"), pool: "one", isAnnounced: false),
            ])
    }

    private static func record() throws -> IPAMCore.Attachment {
        var record = IPAMCore.Attachment(
            key: key, state: .complete, addresses: [try prefix("10.0.0.1/32")], hostLink: "calia", hostLinkIndex: 7,
            bootID: "boot", createdAt: MonotonicTime(nanoseconds: 0))
        record.podName = "default/web\u{1b}"
        return record
    }

    private static func account(_ standing: AddressStanding, owner: String? = nil) throws -> AddressAccount {
        AddressAccount(try #require(IPAddress("10.0.0.1")), standing, node: try node(), owner: owner)
    }

    @Test("A pool is one row, and each of its blocks")
    func usage() throws {
        var block = try Block(cidr: Self.prefix("10.0.0.0/28"), bootID: "boot")
        _ = try block.allocate(for: Self.key)
        let usage = AddressUsage(node: try Self.node(), blocks: [block], attachments: [])
        let text = UsageText(node: "node1", usage)
        #expect(
            text.pools == """
                POOL   CIDR          BLOCKS   SIZE   IN USE   FREE   CLOSED   RESERVED   USED
                one    10.0.0.0/24   3        48     1        29     15       3          2%

                """)
        #expect(
            text.blocks == """
                POOL   CIDR           NODE    SIZE   IN USE   FREE   CLOSED   RESERVED   USED   STATE
                one    10.0.0.0/28    node1   16     1        14     0        1          6%     open
                one    10.0.0.16/28   node1   16     0        0      15       1          0%     closed
                one    10.0.0.32/28   node1   16     0        15     0        1          0%     open, not announced

                """)
        var node = try Self.node()
        node.blocks[1].isDisputed = true
        let read = try NodeState(json: node.json)
        let disputed = UsageText(node: "node1", AddressUsage(node: read, blocks: [], attachments: []))
        #expect(disputed.blocks.contains(" closed, in conflict"))
        let pool = text.jsonWithBlocks["pools"]?.array?.first?.object
        #expect(pool?["blockList"]?.array?.count == 3)
        #expect(pool?["inUse"] == 1)
        #expect(text.json["pools"]?.array?.first?.object?["blockList"] == nil)
    }

    @Test("Who has an address is named with its pod, link and state, and nothing of it can steer a terminal")
    func held() throws {
        let account = try Self.account(
            .held(Self.key, try Self.record(), block: try Self.prefix("10.0.0.0/28")))
        let text = account.text(now: 0)
        for line in [
            "10.0.0.1 is in use.", "  Network: net", "  Container: c1", "  Pod: default/web\\u{1B}",
            "  Host link: calia, index 7", "  State: complete", "  Block: 10.0.0.0/28 of the pool one",
        ] {
            #expect(text.split(separator: "\n").contains(Substring(line)), "\(text)")
        }
        #expect(account.json["state"] == "allocated")
        #expect(account.json["hostLink"] == "calia")
    }

    @Test("An address without a record is said to be leaked, and another node's to be asked for there")
    func others() throws {
        let leaked = try Self.account(.held(Self.key, nil, block: nil))
        #expect(leaked.text(now: 0).contains("Record: none: it is leaked"))
        #expect(leaked.json["record"] == nil)
        let unreadable = AddressAccount(
            try #require(IPAddress("10.0.0.1")), .held(Self.key, nil, block: nil), node: try Self.node(), owner: nil,
            unreadable: [Self.key.fileName])
        #expect(unreadable.text(now: 0).contains("Record: it cannot be read (apusctl ipam check)"))
        let elsewhere = try Self.account(.elsewhere(pool: "one"), owner: "node2")
        #expect(elsewhere.text(now: 0) == "10.0.0.1 is in the pool one, in a block of node2: ask there.\n")
        #expect(elsewhere.json["owner"] == "node2")
        #expect(try Self.account(.outside).json["state"] == "outside")
    }
}
