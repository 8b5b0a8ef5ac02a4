import ModePlugins
import NetTypes
import Resources
import TestKit
import Testing

@testable import NodeAgent

@Suite("The node's own address in each tunnel")
struct TunnelAddressesTests {
    private let blocks = [prefix("10.0.0.64/26"), prefix("10.1.0.64/26")]

    /// Two pools of one tunnel, each with one of the blocks.
    private func pools(kept: Set<String> = []) -> [IPPool] {
        ["a": "10.0.0.0/16", "b": "10.1.0.0/16"].map { name, cidr in
            IPPool(name: name, cidr: prefix(cidr), vxlanMode: .always, disableBGPExport: kept.contains(name))
        }
    }

    private func read(_ directory: borrowing TemporaryDirectory) -> TunnelAddresses {
        TunnelAddresses(stateDirectory: directory.path, node: "n")
    }

    @Test("it lies in a block that is announced, where there is one")
    func announced() throws {
        let directory = try TemporaryDirectory()
        var chosen = read(directory)
        try chosen.choose(blocks: blocks, pools: pools(kept: ["a"]))
        #expect(chosen.addresses == [.vxlan: address("10.1.0.64")])
        var alone = read(directory)
        try alone.choose(blocks: blocks, pools: pools(kept: ["a", "b"]))
        #expect(alone.addresses == [.vxlan: address("10.1.0.64")])
        try alone.choose(blocks: [blocks[0]], pools: pools(kept: ["a", "b"]))
        #expect(alone.addresses == [.vxlan: address("10.0.0.64")])
    }

    @Test("it leaves a block that is announced no more, and stays where it is when that one is announced again")
    func live() throws {
        let directory = try TemporaryDirectory()
        var chosen = read(directory)
        try chosen.choose(blocks: blocks, pools: pools())
        #expect(chosen.addresses == [.vxlan: address("10.0.0.64")])
        try chosen.choose(blocks: blocks, pools: pools(kept: ["a"]))
        #expect(chosen.addresses == [.vxlan: address("10.1.0.64")])
        try chosen.choose(blocks: blocks, pools: pools())
        #expect(chosen.addresses == [.vxlan: address("10.1.0.64")])
        #expect(read(directory).addresses == [.vxlan: address("10.1.0.64")])
    }

    @Test("what is remembered outlives a pool that cannot be read")
    func refused() throws {
        let directory = try TemporaryDirectory()
        var first = read(directory)
        try first.choose(blocks: blocks, pools: pools())
        var chosen = read(directory)
        try chosen.choose(blocks: blocks, pools: [], isWhole: false)
        #expect(chosen.addresses.isEmpty)
        let rest = pools().filter { $0.name == "b" }
        try chosen.choose(blocks: blocks, pools: rest, isWhole: false)
        #expect(chosen.addresses == [.vxlan: address("10.1.0.64")])
        #expect(read(directory).addresses == [.vxlan: address("10.0.0.64")])
        try chosen.choose(blocks: blocks, pools: pools())
        #expect(chosen.addresses == [.vxlan: address("10.0.0.64")])
        try chosen.choose(blocks: blocks, pools: [])
        #expect(read(directory).addresses.isEmpty)
    }
}
