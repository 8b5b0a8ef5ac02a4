import IPAMCore
import JSONKit
import NetTypes
import Testing

@Suite struct BlockTextTests {
    private static func text(_ block: Block) -> [UInt8] { Array((JSONText.serialize(block.json) + "\n").utf8) }
    private static func key(_ id: String, ifName: String = "eth0") -> AttachmentKey {
        AttachmentKey(network: "net", containerID: id, ifName: ifName)
    }
    private static func block(_ cidr: String) throws -> Block {
        try Block(cidr: #require(IPPrefix(cidr)), bootID: "boot")
    }
    private static func read(_ block: Block) throws -> BlockText {
        try #require(BlockText(text(block), cidr: block.cidr, bootID: block.bootID))
    }

    @Test(
        "Whatever is allocated and released, the text is the one that the block would be written as",
        arguments: ["10.0.0.0/28", "10.0.0.0/26", "10.0.0.0/32", "fd00::/122", "10.0.0.0/20"], [false, true])
    func sameAsBlock(cidr: String, hasGateway: Bool) throws {
        var block = try Self.block(cidr)
        if hasGateway, !block.cidr.isHost { _ = try block.reserveGateway() }
        var text = try Self.read(block)
        var held: [(AttachmentKey, IPAddress)] = []
        var random = UInt64(cidr.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        for step in 0..<400 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Names that look like the text around them, in lengths that differ.
            let names = ["eth0", "},", "{\"5\":{", "}},", "a b"]
            if (random >> 33) % 5 < 3 || held.isEmpty {
                let key = Self.key("c\(step)", ifName: names[Int(random >> 40) % (step % 2 == 0 ? 1 : 2)])
                let address = text.allocate(for: key)
                let expected = try? block.allocate(for: key)
                #expect(expected == address)
                if let address {
                    held.append((key, address))
                    #expect(text.isAllocated(address, to: key))
                    #expect(!text.isAllocated(address, to: Self.key("other")))
                }
            } else {
                let (key, address) = held.remove(at: Int(random >> 35) % held.count)
                let (byOther, byOwner) = (text.release(address, of: Self.key("other")), text.release(address, of: key))
                #expect(!text.isAllocated(address, to: key))
                let (again, expected) = (text.release(address, of: key), block.release(key))
                #expect([byOther, byOwner, again] == [false, true, false])
                #expect(expected == [address])
            }
            if block.cidr.addressCount < 100 || step % 40 == 0 { #expect(text.octets == Self.text(block)) }
            #expect(BlockText(text.octets, cidr: block.cidr, bootID: block.bootID) != nil)
        }
        #expect(text.octets == Self.text(block))
    }

    @Test("What is kept from pods is passed over alike in the text, and stays free, wherever it is in the queue")
    func sparing() throws {
        var block = try Self.block("10.0.0.0/29")
        var text = try Self.read(block)
        let withheld = WithheldAddresses(
            nodes: [try #require(IPAddress("10.0.0.1"))],
            reservations: [try #require(IPPrefix("10.0.0.4/31")), try #require(IPPrefix("10.0.0.7/32"))])
        #expect(block.freeCount(sparing: withheld) == 3)
        for expected in ["10.0.0.2", "10.0.0.3", "10.0.0.6", nil] {
            let key = Self.key("c\(expected ?? "")")
            let address = text.allocate(for: key, sparing: withheld)
            #expect(address?.description == expected)
            let ofBlock = try? block.allocate(for: key, sparing: withheld)
            #expect(ofBlock == address)
            #expect(text.octets == Self.text(block))
        }
        #expect(block.free == [1, 4, 5, 7])
        #expect(block.freeCount(sparing: withheld) == 0)
        let last = text.allocate(for: Self.key("d"))
        #expect(last?.description == "10.0.0.1")
    }

    @Test("A full block, a key that must be escaped and an address of another block change nothing")
    func refused() throws {
        var block = try Self.block("10.0.0.0/30")
        for id in ["a", "b", "c"] { _ = try block.allocate(for: Self.key(id)) }
        var text = try Self.read(block)
        let whenFull = text.allocate(for: Self.key("d"))
        let elsewhere = text.release(try #require(IPAddress("10.0.1.1")), of: Self.key("a"))
        let own = text.release(try #require(IPAddress("10.0.0.1")), of: Self.key("a"))
        #expect(whenFull == nil)
        #expect([elsewhere, own] == [false, true])
        let before = text.octets
        let escaped = ["e\"0", "e\\"].map { text.allocate(for: Self.key("d", ifName: $0)) }
        #expect(escaped == [nil, nil])
        #expect(text.octets == before)
    }

    @Test(
        "Text in another form is left to who reads it whole",
        arguments: [
            "", "\n", "{}\n", "}\n", "]}\n", "{\"v\":2}\n",
            "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"boot\",\"free\":[1,2,3],\"allocated\":{}}",
            "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"boot\",\"free\":[1, 2],\"allocated\":{}}\n",
            "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"old\",\"free\":[1,2,3],\"allocated\":{}}\n",
            "{\"v\":1,\"cidr\":\"10.0.0.0/31\",\"bootID\":\"boot\",\"free\":[1],\"allocated\":{}}\n",
            "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"boot\",\"free\":[1,2,3],\"allocated\":{ }}\n",
            "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"boot\",\"free\":[1,2,3]}\n",
            "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"boot\",\"free\":[}}\n",
            "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"boot\",\"free\":[1],\"allocated\":{},\"reserved\":[3],\"x\":1}\n",
        ])
    func otherForm(text: String) throws {
        #expect(BlockText(Array(text.utf8), cidr: try #require(IPPrefix("10.0.0.0/30")), bootID: "boot") == nil)
    }

    @Test("A first free ordinal that is the tunnel's, beyond the end or allocated already is not given out")
    func wrongOrdinal() throws {
        let cidr = try #require(IPPrefix("10.0.0.0/30"))
        let entry = "{\"network\":\"net\",\"containerID\":\"a\",\"ifName\":\"eth0\"}"
        for free in ["0,1", "4", "99999", "999999", "2", ",1"] {
            let text =
                "{\"v\":1,\"cidr\":\"10.0.0.0/30\",\"bootID\":\"boot\",\"free\":[\(free)],\"allocated\":{\"2\":\(entry)}}\n"
            var block = try #require(BlockText(Array(text.utf8), cidr: cidr, bootID: "boot"))
            let address = block.allocate(for: Self.key("b"))
            #expect(address == nil, "\(free)")
            #expect(block.octets == Array(text.utf8))
        }
    }

    @Test("Cut anywhere, the text is refused or harmless")
    func truncated() throws {
        var block = try Self.block("10.0.0.0/28")
        for id in ["a", "b", "c"] { _ = try block.allocate(for: Self.key(id)) }
        let whole = Self.text(block)
        for length in whole.indices {
            guard var text = BlockText(Array(whole[..<length]), cidr: block.cidr, bootID: "boot") else { continue }
            _ = text.allocate(for: Self.key("d"))
            _ = text.release(try #require(IPAddress("10.0.0.1")), of: Self.key("a"))
            Issue.record("\(length) octets of \(whole.count) were taken for the whole")
        }
    }
}
