import LinuxOS
import NetTypes
import TestKit
import Testing

@testable import Dataplane
@testable import Netlink

private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

@Suite("What a route by a tunnel needs")
struct TunnelNeedsTests {
    private static let mac = MACAddress(truncating: 0x6600_0000_0001)
    private let kernel = FakeKernelState()
    private static let block = route("10.244.1.0/26", via: "10.244.1.0", link: 7)
    private static let plain = route("10.244.1.0/26", via: "192.168.1.2")

    private func driver() -> RouteDriver<FakeKernel> {
        kernel.linksUp = [2: true, 7: true]
        return RouteDriver(kernel: FakeKernel(state: kernel))
    }

    private static func neighbour(_ mac: MACAddress = mac) throws -> Neighbour {
        Neighbour(linkIndex: 7, address: try address("10.244.1.0"), macAddress: mac, protocolNumber: 97)
    }

    private static func entry(_ host: String = "192.168.1.2") throws -> FDBEntry {
        FDBEntry(linkIndex: 7, macAddress: mac, destination: try address(host))
    }

    /// Adds what is needed as the agent does, refusing what is named, and carries the routes out.
    private func settle(
        _ tunnels: inout TunnelTable, _ driver: inout RouteDriver<FakeKernel>, refusing: [TunnelOperation] = [],
    ) throws -> RouteReport {
        for operation in tunnels.additions {
            if refusing.contains(operation) {
                tunnels.failed(operation, NetlinkError(.fdbSet, "entry", .EAFNOSUPPORT))
            } else {
                tunnels.applied(operation)
            }
        }
        driver.table.holdBack(tunnels.unmet)
        return try driver.apply()
    }

    @Test(
        "a refused entry holds its route back, whatever else is tried again; the route follows the entry",
        arguments: [true, false])
    func heldBack(isNeighbour: Bool) throws {
        var tunnels = TunnelTable()
        var driver = driver()
        let refused: TunnelOperation = isNeighbour ? .setNeighbour(try Self.neighbour()) : .setFDB(try Self.entry())
        driver.table.setDesired(Self.block)
        tunnels.setDesired(neighbours: [try Self.neighbour()], fdb: [try Self.entry()], for: Self.block.destination)
        let report = try settle(&tunnels, &driver, refusing: [refused])
        let problem = RouteProblem.unmet(refused, .EAFNOSUPPORT, kernelMessage: nil)
        #expect(report.applied.isEmpty && Array(report.news.values) == [problem])
        #expect(driver.table.condition(of: Self.block.destination) == .problem(problem))
        #expect(kernel.routes.isEmpty)
        let entry = isNeighbour ? "neighbour 10.244.1.0" : "forwarding entry 66:00:00:00:00:01 to 192.168.1.2"
        #expect(
            problem.text { _ in "vxlan.calico" }
                == "its \(entry) on vxlan.calico was refused by the kernel: \(SystemErrorCode.EAFNOSUPPORT)")
        // Neither the timer nor a link lets it go without its entry, and the reason is told once.
        driver.table.retry()
        driver.handle([.link(kernel.link(7), deleted: false)])
        driver.requestResync()
        #expect(try settle(&tunnels, &driver) == RouteReport())
        tunnels.retry()
        #expect(try settle(&tunnels, &driver, refusing: [refused]) == RouteReport())
        tunnels.retry()
        #expect(try settle(&tunnels, &driver).applied == [.add(Self.block)])
        #expect(driver.table.condition(of: Self.block.destination) == .programmed && tunnels.unmet.isEmpty)
    }

    @Test("the former way stays as long as the new one's entries are refused, and may be wanted again")
    func formerWay() throws {
        var tunnels = TunnelTable()
        var driver = driver()
        driver.table.setDesired(Self.plain)
        #expect(try settle(&tunnels, &driver).applied == [.add(Self.plain)])
        driver.table.setDesired(Self.block)
        tunnels.setDesired(neighbours: [try Self.neighbour()], fdb: [try Self.entry()], for: Self.block.destination)
        #expect(try settle(&tunnels, &driver, refusing: [.setFDB(try Self.entry())]).applied.isEmpty)
        #expect(kernel.routes.values.map { $0 } == [Self.plain.canonical])
        driver.table.setDesired(Self.plain)
        tunnels.setDesired(neighbours: [], fdb: [], for: Self.plain.destination)
        #expect(try settle(&tunnels, &driver) == RouteReport())
        #expect(driver.table.condition(of: Self.plain.destination) == .programmed && tunnels.unmet.isEmpty)
    }

    @Test("a route whose entries are refused goes when nobody wants it")
    func withdrawn() throws {
        var tunnels = TunnelTable()
        var driver = driver()
        driver.table.setDesired(Self.block)
        tunnels.setDesired(neighbours: [try Self.neighbour()], fdb: [try Self.entry()], for: Self.block.destination)
        _ = try settle(&tunnels, &driver)
        tunnels.observe(try Self.entry(), deleted: true)
        _ = try settle(&tunnels, &driver, refusing: [.setFDB(try Self.entry())])
        // It is there and stays; what is amiss is known all the same.
        #expect(driver.table.condition(of: Self.block.destination) == .programmed)
        #expect(tunnels.problem(of: Self.block.destination) != nil)
        driver.table.removeDesired(Self.block.destination)
        tunnels.setDesired(neighbours: [], fdb: [], for: Self.block.destination)
        #expect(try settle(&tunnels, &driver).applied == [.delete(Self.block)])
        #expect(tunnels.unmet.isEmpty && kernel.routes.isEmpty)
    }

    @Test("another wish for what was refused is tried at once; what nobody wishes for any more can be deleted")
    func newWish() throws {
        var tunnels = TunnelTable()
        let other = MACAddress(truncating: 0x6600_0000_0002)
        let refusal = NetlinkError(.neighbourSet, "10.244.1.0", .ENOBUFS)
        tunnels.setDesired(neighbours: [try Self.neighbour()], fdb: [], for: Self.block.destination)
        tunnels.failed(.setNeighbour(try Self.neighbour()), refusal)
        #expect(tunnels.additions.isEmpty)
        tunnels.setDesired(neighbours: [try Self.neighbour(other)], fdb: [], for: Self.block.destination)
        #expect(tunnels.additions == [.setNeighbour(try Self.neighbour(other))] && tunnels.unmet.isEmpty)
        tunnels.failed(.setNeighbour(try Self.neighbour(other)), refusal)
        let second = try #require(IPPrefix("10.244.1.64/26"))
        tunnels.setDesired(neighbours: [try Self.neighbour(other)], fdb: [], for: second)
        #expect(tunnels.additions == [.setNeighbour(try Self.neighbour(other))])
        tunnels.applied(.setNeighbour(try Self.neighbour(other)))
        tunnels.setDesired(neighbours: [try Self.neighbour()], fdb: [], for: second)
        tunnels.failed(.setNeighbour(try Self.neighbour()), refusal)
        for prefix in [Self.block.destination, second] { tunnels.setDesired(neighbours: [], fdb: [], for: prefix) }
        #expect(tunnels.removals(gateways: []) == [.deleteNeighbour(try Self.neighbour(other))])
    }

    @Test(
        "the kernel's refusal of an entry names its route", .enabled(if: NetNSFixture.isAvailable, NetNSFixture.reason))
    func refusedByKernel() async throws {
        try await NetNSFixture.run { fixture in
            try fixture.ip("link add vxlan.calico index 7 type vxlan id 4096 dstport 4789 local 127.0.0.1 nolearning")
            var driver = TunnelDriver(socket: try NetlinkSocket())
            // A device that wraps in IPv4 takes no IPv6 address.
            driver.table.setDesired(
                neighbours: [try Self.neighbour()], fdb: [try Self.entry("fd00::2")], for: Self.block.destination)
            #expect(try driver.add().map(\.operation) == [.fdbSet])
            #expect(Array(driver.table.unmet.keys) == [Self.block.destination])
            driver.table.setDesired(
                neighbours: [try Self.neighbour()], fdb: [try Self.entry()], for: Self.block.destination)
            #expect(try driver.add().isEmpty)
            #expect(driver.table.unmet.isEmpty)
        }
    }
}
