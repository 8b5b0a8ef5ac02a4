import Dataplane
import NetTypes
import Testing

@Suite("Which node a tunnel's gateway stands for")
struct TunnelEndpointTests {
    @Test("the kernel's neighbour and forwarding entry lead to it, on their own link alone")
    func endpoint() throws {
        let gateway = try #require(IPAddress("10.244.1.0"))
        let node = try #require(IPAddress("192.168.1.2"))
        let mac = try #require(MACAddress("66:f9:37:c3:7e:94"))
        var table = TunnelTable()
        #expect(table.endpoint(of: gateway, by: 7) == nil)
        let neighbour = Neighbour(linkIndex: 7, address: gateway, macAddress: mac, protocolNumber: 97)
        table.adopt(neighbours: [neighbour], fdb: [])
        #expect(table.endpoint(of: gateway, by: 7) == nil)
        let entry = FDBEntry(linkIndex: 7, macAddress: mac, destination: node)
        table.adopt(neighbours: [neighbour], fdb: [entry])
        #expect(table.endpoint(of: gateway, by: 7) == node)
        #expect(table.endpoint(of: gateway, by: 8) == nil)
        #expect(table.endpoint(of: node, by: 7) == nil)
    }
}
