import NetTypes
import NodeLink
import Testing

@testable import apusctl

struct TextTableTests {
    @Test("columns are as wide as their widest cell, and no line ends in a blank")
    func plain() {
        let table = TextTable(header: ["NAME", "CIDR"], rows: [["default-pool", "10.0.0.0/8"], ["b", ""]])
        #expect(table.plain == "NAME           CIDR\ndefault-pool   10.0.0.0/8\nb\n")
    }

    @Test("a frame is as calicoctl draws it")
    func framed() {
        let table = TextTable(header: ["STATE"], rows: [["up"], ["start up"]])
        #expect(
            table.framed == """
                +----------+
                |  STATE   |
                +----------+
                | up       |
                | start up |
                +----------+

                """)
    }

    @Test("what a peer wrote cannot move the cursor, and a short row has empty cells")
    func escapes() {
        let table = TextTable(header: ["INFO", "X"], rows: [["a\u{1b}[2Jb\n"]])
        #expect(!table.plain.contains("\u{1b}"))
        #expect(table.plain.split(separator: "\n").count == 2)
        #expect(TextTable(header: [], rows: []).plain == "\n")
    }
}

struct NodeStatusTextTests {
    @Test("peers stand under their family; a family without peers is said to have none")
    func status() {
        let peer = PeerStatus(
            address: "192.168.1.2", family: .ipv4, type: "node-to-node mesh", state: "up", since: 0,
            info: "Established", asNumber: ASNumber(64512), node: "node2")
        let node = NodeStatus(name: "node1", asNumber: ASNumber(64512), routerID: "", startedAt: 0)
        let text = NodeStatusText(StatusAnswer(node: node, peers: [peer]), now: 0).text
        #expect(text.hasPrefix("Apus process is running.\n\nIPv4 BGP status\n+--"))
        #expect(text.contains("| 192.168.1.2  | node-to-node mesh | up    |"))
        #expect(text.hasSuffix("\nIPv6 BGP status\nNo IPv6 peers found.\n"))
    }

    @Test(
        "the moment is a time of day for twenty hours, and then a date",
        arguments: [(0, 8), (19 * 3600, 8), (20 * 3600, 10), (Int64.max, 10), (-1, 8)] as [(Int64, Int)])
    func since(age: Int64, length: Int) {
        #expect(SinceTime.text(0, now: age).count == length)
    }
}

struct RowTests {
    @Test("every kind of row has a cell for every column")
    func cells() throws {
        let prefix = try #require(IPPrefix("10.244.0.0/26"))
        let pool = PoolRow(
            name: "p", cidr: prefix, mode: "vxlan", blockSize: 26, natOutgoing: true, isDisabled: false,
            nodeSelector: "")
        #expect(pool.cells == ["p", "10.244.0.0/26", "vxlan", "26", "true", "false", "all()"])
        #expect(pool.cells.count == PoolRow.header.count)
        let block = BlockRow(
            cidr: prefix, node: "b", pool: "p", isAnnounced: true, isClosed: false, allocated: nil, free: 60)
        #expect(block.cells == ["10.244.0.0/26", "b", "p", "", "60", "true", "false"])
        #expect(block.cells.count == BlockRow.header.count)
        let route = RouteRow(
            prefix: prefix, nextHop: "192.168.1.2", peer: "", asPath: "", mode: "bgp", state: "programmed",
            link: "eth0")
        #expect(route.cells.count == RouteRow.header.count)
        let node = NodeRow(name: "a", asNumber: ASNumber(1), ipv4: nil, ipv6: "fd00::1/64")
        #expect(node.cells == ["a", "1", "", "fd00::1/64"])
    }
}
