import IPAMCore
import JSONKit
import LinuxOS
import NetTypes
import NodeStore
import Testing

@Suite struct RecordsTests {
    private static let block = "10.0.0.0/28"

    @Test("What can be read of a store is answered, and what cannot is named")
    func records() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node([Self.block])
        for id in ["a", "b"] { _ = try fixture.add(id, node) }
        try fixture.write("no record", to: "attachments/\(StoreFixture.key("b").fileName)")
        try fixture.write("{}", to: "blocks/ipv4-10.0.0.64-26.json")
        let records = try fixture.store.records()
        #expect(records.attachments.map(\.key) == [StoreFixture.key("a")])
        #expect(records.blocks.map(\.allocated.count) == [2])
        #expect(records.unreadable.count == 2)
    }

    @Test("A key is busy while somebody holds its record")
    func busy() throws {
        let fixture = try StoreFixture()
        _ = try fixture.add("a", try StoreFixture.node([Self.block]))
        let lock = try fixture.store.lock(deadline: .seconds(5))
        let isUnknownBusy = try fixture.store.isBusy(StoreFixture.key("b"), under: lock)
        #expect(!isUnknownBusy)
        guard case .found(let file) = try fixture.findWhenFree(StoreFixture.key("a"), under: lock) else {
            throw Unexpected("no record")
        }
        let isHeldBusy = try fixture.store.isBusy(file.key, under: lock)
        #expect(isHeldBusy)
        try fixture.store.release(file, under: lock)
        let isReleasedBusy = try fixture.store.isBusy(StoreFixture.key("a"), under: lock)
        #expect(!isReleasedBusy)
    }

    @Test("Who releases a record that another has released leaves a newer ADD of the key alone")
    func superseded() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node([Self.block])
        let key = StoreFixture.key("a")
        _ = try fixture.add("a", node)
        let lock = try fixture.store.lock(deadline: .seconds(5))
        guard case .found(var file) = try fixture.findWhenFree(key, under: lock) else { throw Unexpected("no record") }
        try file.update {
            $0.state = .deleting
            $0.hostLinkIndex = 7
        }
        #expect(try fixture.store.releaseMarked([key: 7], under: lock) == [key])
        guard case .fresh(var newer) = try fixture.claimWhenFree(key, under: lock) else { throw Unexpected("not new") }
        let request = AllocationRequest(family: .ipv4, mode: "bgp")
        _ = try fixture.store.allocate(request, for: &newer, node: node, under: lock)
        let released = try fixture.store.release(file, under: lock)
        #expect(released.isEmpty)
        #expect(try fixture.store.blocks().map(\.allocated.count) == [1])
        #expect(try fixture.store.attachment(key)?.addresses.count == 1)
        let own = try fixture.store.release(newer, under: lock)
        #expect(own.count == 1)
    }

    @Test("and takes back what it had itself, where nobody has")
    func supersededWithoutRelease() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node([Self.block])
        let key = StoreFixture.key("a")
        _ = try fixture.add("a", node)
        let lock = try fixture.store.lock(deadline: .seconds(5))
        guard case .found(let file) = try fixture.findWhenFree(key, under: lock) else { throw Unexpected("no record") }
        let directory = "\(fixture.store.path)/attachments"
        for name in try fixture.files("attachments") { _ = try Files.remove("\(directory)/\(name)") }
        guard case .fresh(var newer) = try fixture.claimWhenFree(key, under: lock) else { throw Unexpected("not new") }
        let request = AllocationRequest(family: .ipv4, mode: "bgp")
        _ = try fixture.store.allocate(request, for: &newer, node: node, under: lock)
        let kept = newer.attachment.addresses.map(\.address)
        let released = try fixture.store.release(file, under: lock)
        #expect(released.map(\.description) == ["10.0.0.1"])
        #expect(!kept.contains(released[0]))
        #expect(try fixture.store.block(StoreFixture.prefix(Self.block))?.addresses(of: key) == kept)
    }

    @Test("One address of a key is taken back alone, and of that key only")
    func takeBack() throws {
        let fixture = try StoreFixture()
        _ = try fixture.add("a", try StoreFixture.node([Self.block]))
        let cidr = try StoreFixture.prefix(Self.block)
        var block = try #require(try fixture.store.block(cidr))
        let second = try block.allocate(for: StoreFixture.key("a"))
        try fixture.write(JSONText.serialize(block.json) + "\n", to: "blocks/ipv4-10.0.0.0-28.json")
        let lock = try fixture.store.lock(deadline: .seconds(5))
        let isOthers = try fixture.store.takeBack(second, of: StoreFixture.key("b"), under: lock)
        #expect(!isOthers)
        let isOwn = try fixture.store.takeBack(second, of: StoreFixture.key("a"), under: lock)
        #expect(isOwn)
        let after = try #require(try fixture.store.block(cidr))
        #expect(after.addresses(of: StoreFixture.key("a")).map(\.description) == ["10.0.0.1"])
        #expect(after.free.last == 2)
        #expect(try fixture.store.attachment(StoreFixture.key("a"))?.addresses.count == 1)
    }
}
