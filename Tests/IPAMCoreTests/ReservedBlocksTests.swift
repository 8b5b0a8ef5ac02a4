import IPAMCore
import NetTypes
import Testing

@Suite("Reserved blocks")
struct ReservedBlocksTests {
    @Test(
        "A block is reserved by one reservation around it, or by several that together leave no address",
        arguments: [
            (["10.0.0.0/24"], ["10.0.0.0/24"]),
            (["10.0.0.64/26"], ["10.0.0.64/26"]),
            (["10.0.0.64/27"], []),
            (["10.0.0.96/27", "10.0.0.64/27"], ["10.0.0.64/26"]),
            (["10.0.0.64/28", "10.0.0.80/28", "10.0.0.96/27"], ["10.0.0.64/26"]),
            // The first address is the tunnel's, whoever reserves it.
            (
                ["10.0.0.65/32", "10.0.0.66/31", "10.0.0.68/30", "10.0.0.72/29", "10.0.0.80/28", "10.0.0.96/27"],
                ["10.0.0.64/26"],
            ),
            (["10.0.0.66/31", "10.0.0.68/30", "10.0.0.72/29", "10.0.0.80/28", "10.0.0.96/27"], []),
            // Halves of two blocks are none whole; what lies elsewhere is of no concern.
            (["10.0.0.32/27", "10.0.0.64/27"], []),
            (["10.9.0.0/27", "10.9.0.32/27", "10.9.1.0/24", "fd00::/64"], []),
        ] as [([String], [String])])
    func together(reserved: [String], found: [String]) throws {
        let withheld = WithheldAddresses(reservations: try reserved.map { try #require(IPPrefix($0)) })
        let pool = try #require(IPPrefix("10.0.0.0/22"))
        #expect(withheld.reservedBlocks(of: 26, in: pool).map(\.description) == found)
    }

    @Test("So it is with IPv6, and with blocks of one address and of two")
    func sizes() throws {
        func found(_ pool: String, _ blockSize: UInt8, _ reserved: String...) throws -> [String] {
            let withheld = WithheldAddresses(reservations: try reserved.map { try #require(IPPrefix($0)) })
            return withheld.reservedBlocks(of: blockSize, in: try #require(IPPrefix(pool))).map(\.description)
        }
        #expect(try found("fd00::/64", 122, "fd00::40/123", "fd00::60/123") == ["fd00::40/122"])
        #expect(try found("fd00::/64", 122, "fd00::40/123") == [])
        #expect(try found("10.0.0.0/24", 32, "10.0.0.7/32") == ["10.0.0.7/32"])
        #expect(try found("10.0.0.0/24", 31, "10.0.0.7/32") == ["10.0.0.6/31"])
        #expect(try found("10.0.0.0/24", 31, "10.0.0.6/32") == [])
    }
}
