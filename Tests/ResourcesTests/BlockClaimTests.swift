import NetTypes
import Resources
import Testing

private func pool(_ cidr: String, blockSize: UInt8? = nil) throws -> IPPool {
    IPPool(name: "p", cidr: try #require(IPPrefix(cidr)), blockSize: blockSize)
}

@Suite("Claiming a block")
struct BlockClaimTests {
    @Test("only a node that is alone and has no peer claims by itself")
    func isAllowed() throws {
        let peer = BGPPeer(
            name: "tor", scope: .global,
            remote: .address(.v4(IPv4Address(10, 0, 0, 1)), port: nil, asNumber: ASNumber(1)))
        let alone = [Node(name: "a")]
        #expect(BlockClaim.isAllowed(for: "a", in: ClusterConfiguration(nodes: alone)))
        #expect(!BlockClaim.isAllowed(for: "b", in: ClusterConfiguration(nodes: alone)))
        #expect(!BlockClaim.isAllowed(for: "a", in: ClusterConfiguration(nodes: alone + [Node(name: "b")])))
        #expect(!BlockClaim.isAllowed(for: "a", in: ClusterConfiguration(nodes: alone, peers: [peer])))
        #expect(!BlockClaim.isAllowed(for: "a", in: ClusterConfiguration()))
    }

    @Test("the place where a node begins depends on its name and on nothing else")
    func start() throws {
        // SHA-1("node1") begins f937c37e949d9efa, which leaves 762 when divided by the 1024 blocks of a /16.
        let pool = try pool("10.244.0.0/16")
        let candidate = try #require(BlockClaim.candidate(in: pool, for: "node1", taken: []))
        #expect(candidate.description == "10.244.190.128/26")
        #expect(BlockClaim.candidate(in: pool, for: "node2", taken: []) != candidate)
    }

    @Test("every block of a pool is claimed once, and then none is left")
    func exhaustion() throws {
        let pool = try pool("10.244.0.0/20")
        var taken: [IPPrefix] = []
        while let block = BlockClaim.candidate(in: pool, for: "node1", taken: taken), taken.count <= 64 {
            #expect(block.length == 26 && pool.cidr.contains(block) && !taken.contains(where: block.overlaps))
            taken.append(block)
        }
        #expect(taken.count == 64)
        #expect(Set(taken).count == 64)
    }

    @Test("what is taken in other sizes is passed over as a whole")
    func obstacles() throws {
        let pool = try pool("10.244.0.0/24")
        let half = try #require(IPPrefix("10.244.0.0/25"))
        let one = try #require(IPPrefix("10.244.0.131/32"))
        let left = try #require(IPPrefix("10.244.0.192/26"))
        for node in ["a", "b", "c", "d", "e"] {
            #expect(BlockClaim.candidate(in: pool, for: node, taken: [half, one]) == left)
            #expect(BlockClaim.candidate(in: pool, for: node, taken: [half, one, left]) == nil)
            #expect(BlockClaim.candidate(in: pool, for: node, taken: [pool.cidr]) == nil)
        }
    }

    @Test(
        "pools of the extreme sizes",
        arguments: [
            ("10.244.0.0/26", UInt8(26)), ("0.0.0.0/0", 32), ("fd00::/8", 122), ("::/0", 128), ("fd00::/122", 122),
            ("fd00::/122", 128), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff80/122", 128),
        ])
    func extremes(cidr: String, blockSize: UInt8) throws {
        let pool = try pool(cidr, blockSize: blockSize)
        let first = try #require(BlockClaim.candidate(in: pool, for: "node1", taken: []))
        #expect(pool.cidr.contains(first) && first.length == blockSize)
        let second = BlockClaim.candidate(in: pool, for: "node1", taken: [first])
        #expect(second == nil ? cidr.hasSuffix("/\(blockSize)") : second?.overlaps(first) == false)
    }

    @Test("a pool smaller than its blocks, which the decoder refuses, has none")
    func tooSmall() throws {
        #expect(BlockClaim.candidate(in: try pool("10.0.0.0/27"), for: "n", taken: []) == nil)
    }
}
