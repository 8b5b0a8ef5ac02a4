import NetTypes
import Testing

@Suite("Prefixes")
struct IPPrefixTests {
    @Test(
        "a prefix reads and prints its text",
        arguments: ["0.0.0.0/0", "10.244.0.0/26", "10.0.0.1/32", "::/0", "fd00::/122"])
    func text(text: String) throws {
        #expect(try #require(IPPrefix(text)).description == text)
    }

    @Test(
        "host bits, bad lengths and missing parts are refused",
        arguments: [
            "10.0.0.1/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "/8", "::1/64",
            "::/129",
        ])
    func refused(text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test("an interface's address keeps its host bits and knows its network")
    func cidrAddress() throws {
        let address = try #require(CIDRAddress("192.168.1.1/24"))
        #expect(address.description == "192.168.1.1/24")
        #expect(address.network == IPPrefix("192.168.1.0/24"))
    }

    @Test("masking clears the host bits at every length of both families")
    func masking() throws {
        for text in ["255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
            let address = try #require(IPAddress(text))
            for length in 0...address.family.bitWidth {
                let prefix = IPPrefix(masking: address, length: length)
                let ones = prefix.address.bytes.reduce(0) { $0 + $1.nonzeroBitCount }
                #expect(ones == Int(length))
                #expect(prefix.contains(address))
            }
            #expect(IPPrefix(masking: address, length: 255).isHost)
        }
    }

    @Test("containment and overlap follow the bits, and never cross the families")
    func containment() throws {
        let pool = try #require(IPPrefix("10.244.0.0/16"))
        let block = try #require(IPPrefix("10.244.1.64/26"))
        let other = try #require(IPPrefix("10.245.0.0/26"))
        let everythingV6 = try #require(IPPrefix("::/0"))
        #expect(pool.contains(block) && !block.contains(pool) && block.overlaps(pool) && pool.overlaps(block))
        #expect(!pool.contains(other) && !pool.overlaps(other))
        #expect(!everythingV6.contains(block) && !everythingV6.overlaps(block))
    }

    @Test("ordinals and addresses are each other's inverse, and end with the block")
    func ordinals() throws {
        for text in ["10.244.1.64/26", "fd00:0:0:1::40/122", "10.0.0.1/32"] {
            let block = try #require(IPPrefix(text))
            for ordinal in 0..<block.addressCount {
                let address = try #require(block.address(at: ordinal))
                #expect(block.ordinal(of: address) == ordinal)
            }
            #expect(block.address(at: block.addressCount) == nil)
        }
        let block = try #require(IPPrefix("10.244.1.64/26"))
        #expect(block.ordinal(of: try #require(IPAddress("10.244.1.63"))) == nil)
        #expect(block.ordinal(of: try #require(IPAddress("::1"))) == nil)
        #expect(try #require(IPPrefix("::/0")).addressCount == .max)
    }
}
