import NetTypes
import NodeLink
import Testing

@testable import apusctl

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
        #expect(block.cells == ["10.244.0.0/26", "b", "p", "-", "60", "true", "false"])
        #expect(block.cells.count == BlockRow.header.count)
        let route = RouteRow(
            prefix: prefix, nextHop: "192.168.1.2", peer: "", asPath: "", mode: "bgp", state: "programmed",
            link: "eth0")
        #expect(route.cells.count == RouteRow.header.count)
        let node = NodeRow(name: "a", asNumber: ASNumber(1), ipv4: nil, ipv6: "fd00::1/64")
        #expect(node.cells == ["a", "1", "", "fd00::1/64"])
    }
}
