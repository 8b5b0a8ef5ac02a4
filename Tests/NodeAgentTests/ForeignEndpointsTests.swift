import IPAMCore
import NetTypes
import Resources
import Testing

@testable import NodeAgent

@Suite("Endpoints with another plugin's addresses")
struct ForeignEndpointsTests {
    static func key(_ id: String) -> AttachmentKey { AttachmentKey(network: "net", containerID: id, ifName: "eth0") }

    static func attachment(
        _ id: String, _ address: String, _ state: IPAMCore.Attachment.State = .complete,
    ) throws -> IPAMCore.Attachment {
        IPAMCore.Attachment(
            key: key(id), state: state, addresses: [try #require(IPPrefix(address))], bootID: "boot",
            createdAt: MonotonicTime(nanoseconds: 1))
    }

    static func prefixes(_ texts: String...) -> [IPPrefix] { texts.compactMap { IPPrefix($0) } }

    let pools = [
        IPPool(name: "a", cidr: prefixes("10.1.0.0/16")[0]),
        IPPool(name: "off", cidr: prefixes("10.2.0.0/16")[0], isDisabled: true),
        IPPool(name: "kept", cidr: prefixes("10.3.0.0/16")[0], disableBGPExport: true),
    ]
    let blocks = prefixes("10.1.0.0/26")

    @Test("Announced is what lies in an enabled pool that leaves the node, and in no own block")
    func announced() throws {
        let addresses = ["10.1.9.9/32", "10.1.0.5/32", "10.2.0.1/32", "10.3.0.1/32", "10.4.0.1/32", "10.1.9.8/32"]
        let attachments = try addresses.enumerated().map { try Self.attachment("c\($0)", $1) }
        let endpoints = ForeignEndpoints(attachments, blocks: [])
        #expect(endpoints.announced(pools: pools, blocks: blocks) == Self.prefixes("10.1.9.8/32", "10.1.9.9/32"))
    }

    @Test("Withheld is what lies in disabled pools alone, and is told once for a pool and a number")
    func withheld() throws {
        var endpoints = ForeignEndpoints(
            try ["10.1.9.9/32", "10.2.0.1/32", "10.2.0.2/32", "10.3.0.1/32", "10.4.0.1/32"].enumerated()
                .map { try Self.attachment("c\($0)", $1) }, blocks: [])
        let withheld = endpoints.withheld(pools: pools, blocks: blocks)
        #expect(withheld.mapValues { $0.sorted() } == ["off": Self.prefixes("10.2.0.1/32", "10.2.0.2/32")])
        #expect(endpoints.withheld(pools: pools, blocks: Self.prefixes("10.2.0.0/26")).isEmpty)
        let wider = IPPool(name: "wider", cidr: Self.prefixes("10.0.0.0/8")[0])
        #expect(endpoints.withheld(pools: pools + [wider], blocks: blocks).isEmpty)
        var remarks = WithheldRemarks()
        #expect(remarks.takeNews(withheld).map(\.count) == [2])
        #expect(remarks.takeNews(withheld).isEmpty)
        endpoints.forget(Self.key("c1"))
        let fewer = endpoints.withheld(pools: pools, blocks: blocks)
        #expect(remarks.takeNews(fewer).map(\.count) == [1])
        #expect(remarks.takeNews([:]).isEmpty)
        #expect(remarks.takeNews(fewer).map(\.pool) == ["off"])
    }

    @Test("What the store says at the start counts, but for a pod that is being deleted")
    func start() throws {
        let endpoints = ForeignEndpoints(
            [try Self.attachment("a", "10.1.9.1/32", .pending), try Self.attachment("b", "10.1.9.2/32", .deleting)],
            blocks: blocks)
        #expect(endpoints.announced(pools: pools, blocks: blocks) == Self.prefixes("10.1.9.1/32"))
    }

    @Test("A pod in an own block is none of these; one outside is until it is forgotten or has no record any more")
    func life() throws {
        var endpoints = ForeignEndpoints([], blocks: blocks)
        let noted = [("a", "10.1.0.1/32"), ("b", "10.1.9.1/32"), ("c", "10.1.9.2/32")].map { id, address in
            endpoints.note(Self.key(id), Self.prefixes(address), blocks: blocks)
        }
        #expect(noted.map(\.came) == [[], Self.prefixes("10.1.9.1/32"), Self.prefixes("10.1.9.2/32")])
        let forgotten = ["a", "b", "b"].map { endpoints.forget(Self.key($0)) }
        #expect(forgotten.map(\.went) == [[], Self.prefixes("10.1.9.1/32"), []])
        #expect(endpoints.announced(pools: pools, blocks: blocks) == Self.prefixes("10.1.9.2/32"))
        endpoints.prune { $0 != Self.key("c") }
        #expect(endpoints.isEmpty)
    }

    @Test("An address that two pods hold for a moment is announced once, and withdrawn with the second")
    func shared() {
        var endpoints = ForeignEndpoints([], blocks: blocks)
        let (first, second) = (Self.prefixes("10.1.9.1/32"), Self.prefixes("10.1.9.2/32"))
        #expect(endpoints.note(Self.key("a"), first, blocks: blocks).came == first)
        #expect(endpoints.note(Self.key("a"), first, blocks: blocks).isEmpty)
        #expect(endpoints.note(Self.key("b"), first, blocks: blocks).isEmpty)
        #expect(endpoints.forget(Self.key("a")).isEmpty)
        #expect(endpoints.note(Self.key("b"), second, blocks: blocks) == .init(came: second, went: first))
        #expect(endpoints.announced(pools: pools, blocks: blocks) == second)
    }

    @Test("An address in another node's block is objected to, with both names")
    func objection() throws {
        let affinities = [
            BlockAffinity(name: "x", cidr: Self.prefixes("10.1.1.0/26")[0], node: "node2", state: .confirmed)
        ]
        let address = Self.prefixes("10.1.1.7/32")
        let text = try #require(ForeignEndpoints.objection(to: address, node: "node1", affinities: affinities))
        #expect(text.contains("10.1.1.0/26") && text.contains("node2"))
        #expect(ForeignEndpoints.objection(to: address, node: "node2", affinities: affinities) == nil)
    }
}
