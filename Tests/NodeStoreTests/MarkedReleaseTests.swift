import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import Testing

@Suite struct MarkedReleaseTests {
    private static let block = "10.0.0.0/28"

    /// Adds the pods, and has each marked by the DEL that holds its record, as far as its index is in `marked`.
    private static func releasing(
        _ ids: [String], marked: Set<String>, _ fixture: StoreFixture, _ links: [String: UInt32],
    ) throws -> Set<AttachmentKey> {
        for id in marked {
            let lock = try fixture.store.lock(deadline: .seconds(5))
            guard case .found(var file) = try fixture.findWhenFree(StoreFixture.key(id), under: lock) else {
                throw Unexpected("no record of \(id)")
            }
            try file.update {
                $0.state = .deleting
                $0.hostLinkIndex = 7
            }
        }
        let lock = try fixture.store.lock(deadline: .seconds(5))
        let named = Dictionary(uniqueKeysWithValues: ids.map { (StoreFixture.key($0), links[$0] ?? 7) })
        return try fixture.store.releaseMarked(named, under: lock)
    }

    @Test("What DELs have marked is released together, as each would by itself")
    func together() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node([Self.block])
        for id in ["a", "b", "c", "d"] { _ = try fixture.add(id, node) }
        let released = try Self.releasing(["a", "b", "c"], marked: ["a", "b", "c"], fixture, [:])
        #expect(released == Set(["a", "b", "c"].map(StoreFixture.key)))
        #expect(try fixture.files("attachments") == [StoreFixture.key("d").fileName])
        let record = try #require(try fixture.store.block(StoreFixture.prefix(Self.block)))
        #expect(record.allocated.count == 1)
        #expect(record.free.count == 14)
        // What was freed is given out again, last.
        #expect(try fixture.add("e", node).address == "10.0.0.5")
    }

    @Test("A record that is taken over names the link of before no more: what is made next is found by its mark")
    func takenOver() throws {
        let fixture = try StoreFixture()
        _ = try fixture.add("a", try StoreFixture.node([Self.block]))
        #expect(try Self.releasing([], marked: ["a"], fixture, [:]).isEmpty)
        let lock = try fixture.store.lock(deadline: .seconds(5))
        guard case .takenOver(let file) = try fixture.claimWhenFree(StoreFixture.key("a"), under: lock) else {
            throw Unexpected("no record to take over")
        }
        #expect(file.attachment.hostLinkIndex == 0)
        #expect(file.attachment.addresses.count == 1)
    }

    @Test("A record without the mark, with another link or of nobody is left as it is")
    func left() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node([Self.block])
        for id in ["unmarked", "other", "due"] { _ = try fixture.add(id, node) }
        let released = try Self.releasing(
            ["unmarked", "other", "due", "nobody"], marked: ["other", "due"], fixture, ["other": 8])
        #expect(released == [StoreFixture.key("due")])
        #expect(try fixture.store.attachment(StoreFixture.key("unmarked"))?.state == .complete)
        #expect(try fixture.store.attachment(StoreFixture.key("other"))?.state == .deleting)
        #expect(try fixture.store.block(StoreFixture.prefix(Self.block))?.allocated.count == 2)
    }

    @Test("A block's record in another form than Apus writes is read as a value")
    func otherForm() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node([Self.block])
        for id in ["a", "b"] { _ = try fixture.add(id, node) }
        let name = "blocks/ipv4-10.0.0.0-28.json"
        let text = String(decoding: try Files.read("\(fixture.store.path)/\(name)", limit: 1 << 20), as: UTF8.self)
        try fixture.write(" " + text, to: name)
        #expect(try Self.releasing(["a", "b"], marked: ["a", "b"], fixture, [:]).count == 2)
        #expect(try fixture.store.block(StoreFixture.prefix(Self.block))?.allocated.isEmpty == true)
    }
}
