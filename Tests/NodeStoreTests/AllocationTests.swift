import Foundation
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import Testing

@Suite struct AllocationTests {
    @Test("Addresses come from the oldest open block; a freed one comes last; full and absent are two things")
    func order() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.1.0/30", "10.0.0.0/30"])
        #expect(try ["a", "b", "c"].map { try fixture.add($0, node).address } == ["10.0.1.1", "10.0.1.2", "10.0.1.3"])
        #expect(try fixture.add("d", node).address == "10.0.0.1")
        #expect(try fixture.delete("a").map(\.description) == ["10.0.1.1"])
        #expect(try fixture.add("e", node).address == "10.0.1.1")
        #expect(try [fixture.add("f", node).address, fixture.add("g", node).address] == ["10.0.0.2", "10.0.0.3"])
        let full = try [StoreFixture.prefix("10.0.1.0/30"), StoreFixture.prefix("10.0.0.0/30")]
        #expect(try fixture.add("h", node) == .exhausted(full: full))
        #expect(try fixture.store.attachment(StoreFixture.key("h")) == nil)
    }

    @Test("A closed block gives nothing, and no open block is not the same as a full one")
    func closed() throws {
        let fixture = try StoreFixture()
        let block = "10.0.0.0/30"
        #expect(try fixture.add("a", StoreFixture.node([block], closed: [block])) == .noBlock)
        #expect(try fixture.add("a", StoreFixture.node([])) == .noBlock)
    }

    @Test("A pool of another mode is not used, and the modes there are get named")
    func mode() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/30"], mode: "vxlan")
        #expect(try fixture.add("a", node) == .noPool(modes: ["vxlan"]))
        let unknown = AllocationRequest(family: .ipv4, mode: "vxlan", pools: ["other"])
        #expect(try fixture.add("a", node, unknown) == .noPool(modes: ["vxlan"]))
        #expect(try fixture.add("a", node, .init(family: .ipv6, mode: "vxlan")) == .noPool(modes: []))
        #expect(try fixture.add("a", node, .init(family: .ipv4, mode: "vxlan", pools: ["pool"])).address == "10.0.0.1")
    }

    @Test("A manual pool gives an address to who asks for it, by its name or by the address, and to nobody else")
    func manualPool() throws {
        let fixture = try StoreFixture()
        var node = try StoreFixture.node(["10.0.0.0/26"])
        node.pools[0].isManual = true
        #expect(try fixture.add("a", node) == .noPool(modes: ["bgp"]))
        guard case .allocated = try fixture.add("b", node, .init(family: .ipv4, mode: "bgp", pools: ["pool"])) else {
            Issue.record("not by name")
            return
        }
        let address = try #require(IPAddress("10.0.0.9"))
        guard case .allocated = try fixture.add("c", node, .init(family: .ipv4, mode: "bgp", address: address)) else {
            Issue.record("not by address")
            return
        }
    }

    @Test("An address that is asked for is given, or refused with its owner")
    func specific() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/28"])
        let five = try #require(IPAddress("10.0.0.5"))
        let request = AllocationRequest(family: .ipv4, mode: "bgp", address: five)
        #expect(try fixture.add("a", node, request).address == "10.0.0.5")
        #expect(try fixture.add("b", node, request) == .unavailable(.taken(five, by: StoreFixture.key("a"))))
        let elsewhere = AllocationRequest(family: .ipv4, mode: "bgp", address: IPAddress("10.0.9.9"))
        #expect(try fixture.add("b", node, elsewhere) == .noBlock)
    }

    @Test("A node's address is nobody's, asked for or not; a reserved one is for who asks for it")
    func withheld() throws {
        let fixture = try StoreFixture()
        var node = try StoreFixture.node(["10.0.0.0/29"])
        #expect(try fixture.add("early", node).address == "10.0.0.1")
        let (three, five) = (try #require(IPAddress("10.0.0.3")), try #require(IPAddress("10.0.0.5")))
        node.withheld = WithheldAddresses(
            nodes: [try #require(IPAddress("10.0.0.2")), three],
            reservations: [try StoreFixture.prefix("10.0.0.4/31"), try StoreFixture.prefix("10.0.0.0/31")])
        let full = AllocationOutcome.exhausted(full: [try StoreFixture.prefix("10.0.0.0/29")])
        #expect(try ["a", "b"].map { try fixture.add($0, node).address } == ["10.0.0.6", "10.0.0.7"])
        #expect(try fixture.add("c", node) == full)
        #expect(
            try fixture.add("c", node, .init(family: .ipv4, mode: "bgp", address: three))
                == .unavailable(.nodeAddress(three)))
        #expect(try fixture.add("c", node, .init(family: .ipv4, mode: "bgp", address: five)).address == "10.0.0.5")
        // A pod that has an address already keeps it, and the next one does not get it.
        #expect(try fixture.delete("early").map(\.description) == ["10.0.0.1"])
        #expect(try fixture.add("d", node) == full)
    }

    @Test("What a killed ADD has left is let go when it is a node's by now")
    func withheldMeanwhile() throws {
        let fixture = try StoreFixture()
        var node = try StoreFixture.node(["10.0.0.0/29"])
        let lock = try fixture.store.lock(deadline: .seconds(5))
        let request = AllocationRequest(family: .ipv4, mode: "bgp")
        guard case .fresh(var file) = try fixture.store.claim(StoreFixture.key("a"), now: BootClock.now(), under: lock)
        else { throw Unexpected("no fresh attachment") }
        let first = try fixture.store.allocate(request, for: &file, node: node, under: lock)
        #expect(first.address == "10.0.0.1")
        node.withheld.nodes = [try #require(IPAddress("10.0.0.1"))]
        let second = try fixture.store.allocate(request, for: &file, node: node, under: lock)
        #expect(second.address == "10.0.0.2")
        #expect(file.attachment.addresses.map(\.description) == ["10.0.0.2/32"])
    }

    @Test("A new key can be claimed with its address; what comes of it is told once, to who asked for the same")
    func claimedWithAddress() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/30"])
        let lock = try fixture.store.lock(deadline: .seconds(5))
        let request = AllocationRequest(family: .ipv4, mode: "bgp", hostLink: "cali1")
        let other = AllocationRequest(family: .ipv6, mode: "bgp", hostLink: "cali1")
        func claim(_ id: String, _ request: AllocationRequest) throws -> AttachmentClaim {
            try fixture.store.claim(
                StoreFixture.key(id), now: BootClock.now(), with: (request, node), under: lock)
        }
        guard case .fresh(var file) = try claim("a", request) else { throw Unexpected("no fresh attachment") }
        let isNew = file.isNew
        #expect(isNew)
        let outcomes = [other, request, request].map { file.takeOutcome(of: $0) }
        #expect(outcomes.map { $0?.address } == [nil, "10.0.0.1", nil])
        let record = try #require(try fixture.store.attachment(StoreFixture.key("a")))
        let held = file.attachment
        #expect(record == held)
        #expect(record.hostLink == "cali1")
        #expect(record.state == .pending)
        #expect(try fixture.store.blocks().map(\.allocated.count) == [1])
        // What is not to be had leaves a record all the same, which keeps others away from the key.
        guard case .fresh(var empty) = try claim("b", other) else { throw Unexpected("no fresh attachment") }
        let refusal = empty.takeOutcome(of: other)
        #expect(refusal == .noPool(modes: []))
        #expect(try fixture.store.attachment(StoreFixture.key("b"))?.addresses == [])
        guard case .busy = try claim("b", request) else { throw Unexpected("the key is not held") }
        try fixture.store.release(empty, under: lock)
        // What was left under a key is taken over as it is.
        try file.update { $0.state = .deleting }
        drop(file)
        guard case .takenOver(var again) = try fixture.claimWhenFree(StoreFixture.key("a"), under: lock) else {
            throw Unexpected("not taken over")
        }
        let (wasNew, outcome, left) = (again.isNew, again.takeOutcome(of: request), again.attachment.addresses)
        #expect(!wasNew)
        #expect(outcome == nil)
        #expect(left.map(\.description) == ["10.0.0.1/32"])
    }

    /// Ends a file's life without releasing it, as a killed process does.
    private func drop(_ file: consuming AttachmentFile) {}

    @Test("The gateway of apus-ipam is an address of the block, and a block whose own is taken is passed over")
    func gateway() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/31", "10.0.1.0/30"])
        #expect(try fixture.add("a", node).address == "10.0.0.1")
        let outcome = try fixture.add("b", node, .init(family: .ipv4, mode: "bgp", wantsGateway: true))
        guard case .allocated(let allocation) = outcome else { throw Unexpected("\(outcome)") }
        #expect(allocation.address.description == "10.0.1.1")
        #expect(allocation.gateway?.description == "10.0.1.2")
        #expect(allocation.block.cidr == (try StoreFixture.prefix("10.0.1.0/30")))
        let one = try #require(IPAddress("10.0.0.1"))
        let refused = try fixture.add("c", node, .init(family: .ipv4, mode: "bgp", wantsGateway: true))
        #expect(
            refused
                == .exhausted(
                    full: node.blocks.map(\.cidr), gatewaysTaken: [.taken(one, by: StoreFixture.key("a"))]))
    }

    @Test("A block that is given again gives nobody what pods have of a block that it shares addresses with")
    func overlap() throws {
        let fixture = try StoreFixture()
        let (small, large) = ("10.0.0.0/29", "10.0.0.0/28")
        #expect(try fixture.add("a", StoreFixture.node([small])).address == "10.0.0.1")
        let grown = try StoreFixture.node([small, large], closed: [small])
        #expect(try fixture.add("b", grown).address == "10.0.0.2")
        let again = try StoreFixture.node([small, large], closed: [large])
        #expect(try fixture.add("c", again).address == "10.0.0.3")
        let two = try #require(IPAddress("10.0.0.2"))
        let request = AllocationRequest(family: .ipv4, mode: "bgp", address: two)
        #expect(try fixture.add("d", again, request) == .unavailable(.taken(two, by: StoreFixture.key("b"))))
        #expect(try ["e", "f", "g", "h"].map { try fixture.add($0, again).address }.last == "10.0.0.7")
        #expect(try fixture.add("i", again) == .exhausted(full: [StoreFixture.prefix(small)]))
        // What the two records say of a pod goes together.
        #expect(try Set(fixture.delete("b")) == [two])
        #expect(try fixture.add("i", again).address == "10.0.0.2")
    }

    @Test("The gateway and the tunnel's address of a block are kept by those that it shares addresses with")
    func overlappingReserved() throws {
        let fixture = try StoreFixture()
        let (small, large) = ("10.0.0.8/30", "10.0.0.0/28")
        let request = AllocationRequest(family: .ipv4, mode: "bgp", wantsGateway: true)
        #expect(try fixture.add("a", StoreFixture.node([small]), request).address == "10.0.0.9")
        let node = try StoreFixture.node([small, large], closed: [small])
        let addresses = try (0..<10).compactMap { try fixture.add("b\($0)", node).address }
        #expect(addresses == [1, 2, 3, 4, 5, 6, 7, 12, 13, 14].map { "10.0.0.\($0)" })
        // They are pods' again when that block is given up.
        _ = try fixture.delete("a")
        let lock = try fixture.store.lock(deadline: .seconds(5))
        #expect(try fixture.store.discard(StoreFixture.prefix(small), under: lock))
        lock.unlock()
        let later = try (0..<5).compactMap { try fixture.add("c\($0)", StoreFixture.node([large])).address }
        #expect(Set(later) == Set([8, 9, 10, 11, 15].map { "10.0.0.\($0)" }))
    }

    @Test("The gateway is known from the record's text once it is kept")
    func gatewayInPlace() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/28"])
        let request = AllocationRequest(family: .ipv4, mode: "bgp", wantsGateway: true)
        for number in 1...3 {
            guard case .allocated(let allocation) = try fixture.add("a\(number)", node, request) else {
                throw Unexpected("not allocated")
            }
            #expect(allocation.address.description == "10.0.0.\(number)")
            #expect(allocation.gateway?.description == "10.0.0.14")
        }
    }

    @Test("A key that no record names is seen without one being read as a value")
    func mayHold() throws {
        let fixture = try StoreFixture()
        #expect(try fixture.add("a-long-enough-id", StoreFixture.node(["10.0.0.0/28"])).address == "10.0.0.1")
        #expect(try fixture.store.mayHold(StoreFixture.key("a-long-enough-id")))
        #expect(try !fixture.store.mayHold(StoreFixture.key("another-of-them")))
    }

    @Test("Both families of one pod are released together")
    func dualStack() throws {
        let fixture = try StoreFixture()
        var node = try StoreFixture.node(["10.0.0.0/28"])
        node.pools.append(.init(name: "six", cidr: try StoreFixture.prefix("fd00::/64"), mode: "bgp", blockSize: 122))
        node.blocks.append(.init(cidr: try StoreFixture.prefix("fd00::/122"), pool: "six", isAnnounced: true))
        do {
            let lock = try fixture.store.lock(deadline: .seconds(1))
            guard
                case .fresh(var file) = try fixture.store.claim(
                    StoreFixture.key("a"), now: BootClock.now(), under: lock)
            else { throw Unexpected("no fresh attachment") }
            for family in AddressFamily.allCases {
                _ = try fixture.store.allocate(.init(family: family, mode: "bgp"), for: &file, node: node, under: lock)
            }
            #expect(file.attachment.addresses.map(\.description) == ["10.0.0.1/32", "fd00::1/128"])
        }
        #expect(try fixture.delete("a").map(\.description) == ["10.0.0.1", "fd00::1"])
        #expect(try fixture.store.blocks().allSatisfy(\.isUnused))
        #expect(try fixture.files("attachments").isEmpty)
    }

    @Test("Two hundred pods over eight threads have two hundred addresses, and afterwards none")
    func concurrent() async throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/25", "10.0.1.0/25"])
        let addresses = await onThreads(8) { worker in
            (0..<25).compactMap { try? fixture.add("\(worker)-\($0)", node).address }
        }
        #expect(Set(addresses.joined()).count == 200)
        let released = await onThreads(8) { worker in
            (0..<25).compactMap { try? fixture.delete("\(worker)-\($0)").description }
        }
        #expect(released.joined().count == 200)
        #expect(try fixture.store.blocks().map(\.isUnused) == [true, true])
        #expect(try fixture.files("attachments").isEmpty)
        fixture.remove()
    }

    /// Runs the body on so many threads of their own, since a wait for the store's lock blocks.
    private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> [String]) async -> [[String]] {
        await withTaskGroup(of: [String].self) { group in
            for worker in 0..<count {
                group.addTask {
                    await withCheckedContinuation { done in
                        Thread.detachNewThread { done.resume(returning: body(worker)) }
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }
}

@Suite("Another plugin's addresses in the store")
struct AdoptionTests {
    @Test("One inside of a block is entered there, one outside is in the record alone; both go with the record")
    func adopts() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/29"])
        let inside = try #require(IPAddress("10.0.0.1"))
        let outside = try #require(IPAddress("192.0.2.1"))
        do {
            let lock = try fixture.store.lock(deadline: .seconds(1))
            guard
                case .fresh(var file) = try fixture.store.claim(
                    StoreFixture.key("a"), now: BootClock.now(), under: lock)
            else { throw Unexpected("not fresh") }
            #expect(try fixture.store.adopt(inside, for: &file, node: node, under: lock) == .success(node.blocks[0]))
            #expect(try fixture.store.adopt(outside, for: &file, node: node, under: lock) == .success(nil))
            #expect(file.attachment.addresses == [inside.hostPrefix, outside.hostPrefix])
            try fixture.store.letGo(of: &file, under: lock)
            #expect(file.attachment.addresses.isEmpty)
            #expect(try fixture.store.adopt(inside, for: &file, node: node, under: lock) == .success(node.blocks[0]))
        }
        #expect(try fixture.add("b", node).address == "10.0.0.2")
        let request = AllocationRequest(family: .ipv4, mode: "bgp", address: inside)
        #expect(
            try fixture.add("c", node, request) == .unavailable(.taken(inside, by: StoreFixture.key("a"))))
        #expect(try fixture.delete("a") == [inside])
        #expect(try fixture.add("c", node, request).address == "10.0.0.1")
    }

    @Test("Listed pools are used in their order, whatever the order of the blocks")
    func poolOrder() throws {
        let fixture = try StoreFixture()
        var node = try StoreFixture.node(["10.0.0.0/29"])
        node.pools.append(
            .init(name: "second", cidr: try StoreFixture.prefix("10.9.0.0/16"), mode: "bgp", blockSize: 29))
        node.blocks.append(.init(cidr: try StoreFixture.prefix("10.9.0.0/29"), pool: "second", isAnnounced: true))
        func add(_ id: String, _ pools: [String]?) throws -> String? {
            try fixture.add(id, node, .init(family: .ipv4, mode: "bgp", pools: pools)).address
        }
        #expect(try add("a", nil) == "10.0.0.1")
        #expect(try add("b", ["second", "pool"]) == "10.9.0.1")
        #expect(try add("c", ["pool", "second"]) == "10.0.0.2")
        #expect(try fixture.add("d", node, .init(family: .ipv4, mode: "bgp", pools: ["x"])) == .noPool(modes: ["bgp"]))
    }
}
