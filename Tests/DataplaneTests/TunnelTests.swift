import LinuxOS
import NetTypes
import TestKit
import Testing

@testable import Dataplane
@testable import Netlink

private let macs = (1...3).map { MACAddress(truncating: 0x6600_0000_0000 + UInt64($0)) }

private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

@Suite("The tables of tunnel devices")
struct TunnelTableTests {
    private func needs(_ gateway: String, _ mac: Int, _ host: String) throws -> ([Neighbour], [FDBEntry]) {
        (
            [Neighbour(linkIndex: 7, address: try address(gateway), macAddress: macs[mac], protocolNumber: 97)],
            [FDBEntry(linkIndex: 7, macAddress: macs[mac], destination: try address(host))]
        )
    }

    @Test("what two blocks share is added once, and removed with the second when no route uses it")
    func shared() throws {
        var table = TunnelTable()
        let (neighbours, fdb) = try needs("10.244.1.0", 0, "192.168.1.2")
        for block in ["10.244.1.0/26", "10.244.1.64/26"] {
            table.setDesired(neighbours: neighbours, fdb: fdb, for: try prefix(block))
        }
        #expect(table.additions == [.setNeighbour(neighbours[0]), .setFDB(fdb[0])])
        for operation in table.additions { table.applied(operation) }
        #expect(table.isSettled)
        table.setDesired(neighbours: [], fdb: [], for: try prefix("10.244.1.0/26"))
        #expect(table.isSettled)
        table.setDesired(neighbours: [], fdb: [], for: try prefix("10.244.1.64/26"))
        let gateway = TunnelTable.NeighbourKey(linkIndex: 7, address: try address("10.244.1.0"))
        #expect(table.removals(gateways: [gateway]).isEmpty)
        #expect(table.removals(gateways: []) == [.deleteNeighbour(neighbours[0]), .deleteFDB(fdb[0])])
        for operation in table.removals(gateways: []) { table.applied(operation) }
        #expect(table.isSettled && table.neighbours.actual.isEmpty && table.fdb.actual.isEmpty)
    }

    @Test("what an earlier run has left stays as long as a route of the kernel's needs it")
    func adopted() throws {
        var table = TunnelTable()
        let (old, oldFDB) = try needs("10.244.1.0", 0, "192.168.1.2")
        let (stale, staleFDB) = try needs("10.244.9.0", 1, "192.168.1.9")
        table.adopt(neighbours: old + stale, fdb: oldFDB + staleFDB)
        let gateway = TunnelTable.NeighbourKey(linkIndex: 7, address: try address("10.244.1.0"))
        #expect(table.removals(gateways: [gateway]) == [.deleteNeighbour(stale[0]), .deleteFDB(staleFDB[0])])
        #expect(table.additions.isEmpty)
    }

    @Test("an entry that others delete or alter is pending again; a refused one waits for a retry")
    func mended() throws {
        var table = TunnelTable()
        let (neighbours, fdb) = try needs("10.244.1.0", 0, "192.168.1.2")
        table.setDesired(neighbours: neighbours, fdb: fdb, for: try prefix("10.244.1.0/26"))
        for operation in table.additions { table.applied(operation) }
        table.observe(neighbours[0], deleted: true)
        #expect(table.additions == [.setNeighbour(neighbours[0])])
        table.failed(.setNeighbour(neighbours[0]), NetlinkError(.neighbourSet, "10.244.1.0", .ENOBUFS))
        #expect(table.additions.isEmpty)
        table.retry()
        table.applied(.setNeighbour(neighbours[0]))
        var altered = fdb[0]
        altered.destination = try address("192.168.1.66")
        table.observe(altered, deleted: false)
        #expect(table.additions == [.setFDB(fdb[0])])
        table.applied(.setFDB(fdb[0]))
        // A neighbour that is no longer permanent is as good as gone.
        table.observe(
            Neighbour(linkIndex: 7, address: neighbours[0].address, macAddress: macs[2], isPermanent: false),
            deleted: false)
        #expect(table.additions == [.setNeighbour(neighbours[0])])
    }
}

@Suite("Tunnel devices", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct TunnelDeviceTests {
    private static func spec(parent: UInt32, mtu: UInt32 = 1450, address: String? = "10.244.0.0/32") -> TunnelDeviceSpec
    {
        let settings = VXLANSettings(vni: 4096, port: 4789, local: IPAddress("192.168.1.1"), parentIndex: parent)
        return TunnelDeviceSpec(
            link: TunnelLink(name: "vxlan.calico", kind: .vxlan(settings), mtuBytes: mtu, macAddress: macs[0]),
            address: address.flatMap { CIDRAddress($0) })
    }

    /// eth0, number 20, with 192.168.1.1/24.
    private static func prepare(_ fixture: borrowing NetNSFixture) throws {
        try fixture.ip("link add eth0 index 20 type veth peer name eth1")
        try fixture.ip("address add 192.168.1.1/24 dev eth0")
        try fixture.ip("link set eth0 up")
        try fixture.ip("link set eth1 up")
    }

    @Test("a device is made as described, is left alone when it is right, and goes when it is Apus' own")
    func lifeCycle() async throws {
        try await NetNSFixture.run { fixture in
            try Self.prepare(fixture)
            var driver = TunnelDriver(socket: try NetlinkSocket())
            let (link, steps) = try driver.shape(Self.spec(parent: 20))
            #expect(!steps.isEmpty)
            #expect(link.isUp && link.mtuBytes == 1450 && link.macAddress == macs[0] && link.alias == "apus")
            let shown = try fixture.ip("-d link show vxlan.calico")
            #expect(
                shown.contains("vxlan id 4096 local 192.168.1.1 dev eth0") && shown.contains("dstport 4789 nolearning"))
            #expect(try fixture.ip("-4 -o address show vxlan.calico").contains("inet 10.244.0.0/32"))
            #expect(try driver.shape(Self.spec(parent: 20)).steps.isEmpty)
            #expect(try driver.remove("vxlan.calico"))
            #expect(try !driver.remove("vxlan.calico"))
        }
    }

    @Test(
        "whatever somebody alters is set right again",
        arguments: [
            "link set vxlan.calico down", "link set vxlan.calico mtu 1400",
            "link set vxlan.calico address 66:00:00:00:00:09", "link set vxlan.calico alias x",
            "address flush dev vxlan.calico", "address add 10.9.9.9/32 dev vxlan.calico",
            "link del vxlan.calico", "link set vxlan.calico type vxlan id 4096 learning",
            "link set vxlan.calico type vxlan id 4096 local 127.0.0.1",
        ])
    func mended(change: String) async throws {
        try await NetNSFixture.run { fixture in
            try Self.prepare(fixture)
            var driver = TunnelDriver(socket: try NetlinkSocket())
            _ = try driver.shape(Self.spec(parent: 20))
            try fixture.ip(change)
            #expect(try !driver.shape(Self.spec(parent: 20)).steps.isEmpty)
            let (link, steps) = try driver.shape(Self.spec(parent: 20))
            #expect(steps.isEmpty && link.isUp && link.mtuBytes == 1450 && link.macAddress == macs[0])
            let addresses = try fixture.ip("-4 -o address show vxlan.calico").split(separator: "\n")
            #expect(addresses.count == 1 && addresses.allSatisfy { $0.contains("10.244.0.0/32") })
        }
    }

    @Test("a link of another kind that has the name is left alone, and the reason says what it is")
    func foreign() async throws {
        try await NetNSFixture.run { fixture in
            try Self.prepare(fixture)
            try fixture.ip("link add vxlan.calico type bridge")
            var driver = TunnelDriver(socket: try NetlinkSocket())
            var problem: TunnelDeviceProblem?
            do throws(TunnelDeviceProblem) {
                _ = try driver.shape(Self.spec(parent: 20))
            } catch {
                problem = error
            }
            #expect(problem == .foreign(name: "vxlan.calico", kind: "bridge"))
            #expect(try !driver.remove("vxlan.calico"))
            #expect(try fixture.ip("link show vxlan.calico").contains("vxlan.calico"))
        }
    }

    @Test("neighbours and forwarding entries go to the kernel and are read back")
    func tables() async throws {
        try await NetNSFixture.run { fixture in
            try Self.prepare(fixture)
            var driver = TunnelDriver(socket: try NetlinkSocket())
            let (link, _) = try driver.shape(Self.spec(parent: 20))
            let neighbour = Neighbour(
                linkIndex: link.index, address: try address("10.244.1.0"), macAddress: macs[1], protocolNumber: 97)
            let entry = FDBEntry(
                linkIndex: link.index, macAddress: macs[1], destination: try address("192.168.1.2"))
            driver.table.setDesired(neighbours: [neighbour], fdb: [entry], for: try prefix("10.244.1.0/26"))
            #expect(try driver.add().isEmpty)
            var socket = try NetlinkSocket()
            #expect(try socket.neighbours(linkIndex: link.index) == [neighbour])
            #expect(try socket.fdb(linkIndex: link.index) == [entry])
            try socket.execute(.deleteFDB(entry))
            try driver.resync(links: [link.index])
            #expect(try driver.add().isEmpty)
            #expect(try socket.fdb(linkIndex: link.index) == [entry])
            driver.table.setDesired(neighbours: [], fdb: [], for: try prefix("10.244.1.0/26"))
            #expect(try driver.removeLeftovers(gateways: []).isEmpty)
            #expect(try socket.neighbours(linkIndex: link.index).isEmpty)
            #expect(try socket.fdb(linkIndex: link.index).isEmpty)
        }
    }
}

@Suite("Events of tunnel devices", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
struct TunnelEventTests {
    @Test("a neighbour and a forwarding entry that somebody deletes are told of, the neighbour without what it was")
    func deletions() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add eth0 index 20 type veth peer name eth1")
            try fixture.ip("link set eth0 up")
            try fixture.ip("neighbour add 10.244.1.0 lladdr 66:00:00:00:00:01 dev eth0 nud permanent")
            try fixture.ip("link add vxlan.calico index 21 type vxlan id 4096 dstport 4789 local 127.0.0.1 nolearning")
            _ = try Command.run(words("bridge fdb add 66:00:00:00:00:01 dev vxlan.calico dst 192.168.1.2"))
            var monitor = try NetlinkMonitor()
            try fixture.ip("neighbour del 10.244.1.0 dev eth0")
            _ = try Command.run(words("bridge fdb del 66:00:00:00:00:01 dev vxlan.calico dst 192.168.1.2"))
            try fixture.ip("link set eth0 mtu 1400")
            var events: [KernelEvent] = []
            while !events.contains(where: { if case .link(let link, _) = $0 { link.mtuBytes == 1400 } else { false } })
            {
                guard try monitor.wait(until: BootClock.now() + .seconds(5)) else { break }
                events += try monitor.drain()
            }
            #expect(events.contains(.neighbourLost(linkIndex: 20, address: try address("10.244.1.0"))))
            let entry = FDBEntry(linkIndex: 21, macAddress: macs[0], destination: try address("192.168.1.2"))
            #expect(events.contains(.fdb(entry, deleted: true)))
        }
    }

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}
