import IPAMCore
import NetTypes
import Testing

@Suite struct BlockTests {
    private func key(_ id: String) -> AttachmentKey { AttachmentKey(network: "net", containerID: id, ifName: "eth0") }

    private func block(_ cidr: String) throws -> Block {
        try Block(cidr: #require(IPPrefix(cidr)), bootID: "boot")
    }

    @Test(
        "A fresh block keeps ordinal 0 for the tunnel, unless it holds one address only",
        arguments: [
            ("10.244.0.0/26", 1, 63), ("10.244.0.4/31", 1, 1), ("10.244.0.7/32", 0, 1), ("10.0.0.0/20", 1, 4095),
            ("fd00::/122", 1, 63), ("fd00::5/128", 0, 1), ("fd00::/116", 1, 4095),
        ] as [(String, UInt32, Int)])
    func fresh(cidr: String, first: UInt32, count: Int) throws {
        let block = try block(cidr)
        #expect(block.free.first == first)
        #expect(block.free.count == count)
        #expect(block.isUnused)
    }

    @Test("A block of more than 4096 addresses is refused", arguments: ["10.0.0.0/19", "fd00::/64", "::/0"])
    func tooLarge(cidr: String) throws {
        let prefix = try #require(IPPrefix(cidr))
        #expect(throws: BlockError.tooLarge(prefix)) { try Block(cidr: prefix, bootID: "boot") }
    }

    @Test("A released address is given out again last")
    func fifo() throws {
        var block = try block("10.0.0.0/29")
        let a = try block.allocate(for: key("a"))
        #expect(a.description == "10.0.0.1")
        #expect(try block.allocate(for: key("b")).description == "10.0.0.2")
        #expect(block.release(key("a")) == [a])
        let rest = try (3...7).map { try block.allocate(for: key("c\($0)")).description }
        #expect(rest == ["10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"])
        #expect(try block.allocate(for: key("d")) == a)
        #expect(throws: BlockError.exhausted(block.cidr)) { try block.allocate(for: key("e")) }
    }

    @Test("A release takes back what the key holds and nothing else")
    func releaseByKey() throws {
        var block = try block("10.0.0.0/29")
        let a = try block.allocate(for: key("a"))
        #expect(block.release(key("b")).isEmpty)
        #expect(block.owner(of: a) == key("a"))
        #expect(block.addresses(of: key("a")) == [a])
    }

    @Test("An address asked for is given, refused with its owner, or refused as reserved")
    func specific() throws {
        var block = try block("10.0.0.0/29")
        let five = try #require(IPAddress("10.0.0.5"))
        try block.allocate(five, for: key("a"))
        try block.allocate(five, for: key("a"))
        #expect(block.free == [1, 2, 3, 4, 6, 7])
        #expect(throws: BlockError.taken(five, by: key("a"))) { try block.allocate(five, for: key("b")) }
        let tunnel = try #require(IPAddress("10.0.0.0"))
        #expect(throws: BlockError.reserved(tunnel)) { try block.allocate(tunnel, for: key("b")) }
        let outside = try #require(IPAddress("10.0.0.8"))
        #expect(throws: BlockError.outside(outside, block.cidr)) { try block.allocate(outside, for: key("b")) }
        let sixth = try #require(IPAddress("fd00::1"))
        #expect(throws: BlockError.outside(sixth, block.cidr)) { try block.allocate(sixth, for: key("b")) }
    }

    @Test(
        "The gateway is the last address that is not for broadcasts; no pod gets either",
        arguments: [
            ("10.0.0.0/29", "10.0.0.6", ["10.0.0.6", "10.0.0.7"]), ("10.0.0.0/31", "10.0.0.1", ["10.0.0.1"]),
            ("fd00::/125", "fd00::7", ["fd00::7"]),
        ])
    func gateway(cidr: String, gateway: String, reserved: [String]) throws {
        var block = try block(cidr)
        #expect(try block.reserveGateway() == IPAddress(gateway))
        #expect(try block.reserveGateway() == IPAddress(gateway))
        for text in reserved {
            let address = try #require(IPAddress(text))
            #expect(throws: BlockError.reserved(address)) { try block.allocate(address, for: key("a")) }
        }
        #expect(block.free.count == Int(block.cidr.addressCount) - 1 - reserved.count)
    }

    @Test("A gateway that a pod has is refused; a pod's broadcast address is not taken from it")
    func lateGateway() throws {
        var block = try block("10.0.0.0/30")
        try block.allocate(try #require(IPAddress("10.0.0.3")), for: key("a"))
        #expect(try block.reserveGateway() == IPAddress("10.0.0.2"))
        #expect(block.owner(of: try #require(IPAddress("10.0.0.3"))) == key("a"))
        _ = try block.allocate(for: key("b"))
        #expect(throws: BlockError.exhausted(block.cidr)) { try block.allocate(for: key("c")) }
        var taken = try self.block("10.0.0.0/31")
        let one = try taken.allocate(for: key("a"))
        #expect(throws: BlockError.taken(one, by: key("a"))) { try taken.reserveGateway() }
        var single = try self.block("10.0.0.9/32")
        #expect(throws: BlockError.reserved(single.cidr.address)) { try single.reserveGateway() }
    }

    @Test("A block survives its JSON, and so do random histories of it")
    func roundTrip() throws {
        var state = UInt64(42)
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for cidr in ["10.0.0.0/28", "fd00::/125", "10.0.0.1/32"] {
            var block = try block(cidr)
            for _ in 0..<300 {
                switch next(4) {
                case 0: block.release(key("\(next(12))"))
                case 1: _ = try? block.reserveGateway()
                default: _ = try? block.allocate(for: key("\(next(12))"))
                }
                #expect(try Block(json: block.json) == block)
            }
        }
    }
}
