import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import Testing

/// What a process that was killed between two steps leaves behind, and what the next one makes of it.
@Suite struct CrashTests {
    private let node: NodeState
    private let fixture: StoreFixture

    init() throws {
        node = try StoreFixture.node(["10.0.0.0/29"])
        fixture = try StoreFixture()
    }

    /// Puts the block file back to what it was before `body`, as if the process had been killed before it was written.
    private func losingTheBlockWrite(_ body: () throws -> Void) throws {
        let path = fixture.store.path + "/blocks/ipv4-10.0.0.0-29.json"
        let before = try Files.readIfPresent(path, limit: 1 << 20)
        try body()
        if let before { try Files.replace(path, with: before) } else { try Files.remove(path) }
    }

    @Test("Killed between attachment and block: the other pod that gets the address keeps it")
    func killedOnTheWayIn() throws {
        _ = try fixture.add("first", node)
        try losingTheBlockWrite { _ = try fixture.add("killed", node) }
        #expect(try fixture.add("next", node).address == "10.0.0.2")
        #expect(
            try fixture.store.attachment(StoreFixture.key("killed"))?.addresses.map(\.description) == ["10.0.0.2/32"])
        #expect(try fixture.delete("killed").isEmpty)
        let block = try #require(try fixture.store.block(StoreFixture.prefix("10.0.0.0/29")))
        #expect(block.owner(of: try #require(IPAddress("10.0.0.2"))) == StoreFixture.key("next"))
        #expect(try fixture.delete("next").map(\.description) == ["10.0.0.2"])
    }

    @Test("Killed between block and attachment on the way out: a second DEL ends it")
    func killedOnTheWayOut() throws {
        _ = try fixture.add("a", node)
        let path = "\(fixture.store.path)/attachments/\(StoreFixture.key("a").fileName)"
        let record = try Files.read(path, limit: 1 << 20)
        #expect(try fixture.delete("a").map(\.description) == ["10.0.0.1"])
        try Files.replace(path, with: record)
        #expect(try fixture.add("b", node).address == "10.0.0.2")
        #expect(try fixture.delete("a").isEmpty)
        #expect(try fixture.files("attachments").count == 1)
    }

    @Test("A killed ADD is taken over with the address it had; a complete one is refused; one at work is busy")
    func claims() throws {
        let store = fixture.store
        let key = StoreFixture.key("a")
        func claim(whenFree: Bool = true) throws -> String {
            let lock = try store.lock(deadline: .seconds(10))
            let claim =
                try whenFree
                ? fixture.claimWhenFree(key, under: lock) : store.claim(key, now: BootClock.now(), under: lock)
            switch consume claim {
            case .fresh: return "fresh"
            case .takenOver(var file):
                return try "taken over, "
                    + (store.allocate(.init(family: .ipv4, mode: "bgp"), for: &file, node: node, under: lock).address
                        ?? "none")
            case .complete(let attachment): return "complete, \(attachment.hostLink)"
            case .busy: return "busy"
            }
        }
        do {
            let lock = try store.lock(deadline: .seconds(10))
            guard case .fresh(var file) = try store.claim(key, now: BootClock.now(), under: lock) else {
                throw Unexpected("no fresh attachment")
            }
            _ = try store.allocate(.init(family: .ipv4, mode: "bgp"), for: &file, node: node, under: lock)
            lock.unlock()
            #expect(try claim(whenFree: false) == "busy")
            try file.update { $0.hostLink = "cali1" }
            #expect(try claim(whenFree: false) == "busy")
            let second = try store.lock(deadline: .seconds(10))
            guard case .busy = try store.find(key, under: second) else { throw Unexpected("not busy") }
        }
        #expect(try claim() == "taken over, 10.0.0.1")
        do {
            let lock = try store.lock(deadline: .seconds(10))
            guard case .found(var file) = try fixture.findWhenFree(key, under: lock) else {
                throw Unexpected("not found")
            }
            try file.update { $0.state = .deleting }
        }
        #expect(try claim() == "taken over, 10.0.0.1")
        #expect(try store.attachment(key)?.state == .pending)
        do {
            let lock = try store.lock(deadline: .seconds(10))
            guard case .found(var file) = try fixture.findWhenFree(key, under: lock) else {
                throw Unexpected("not found")
            }
            try file.update { $0.state = .complete }
        }
        #expect(try claim() == "complete, cali1")
        #expect(try fixture.delete("a").map(\.description) == ["10.0.0.1"])
        #expect(try claim() == "fresh")
    }

    @Test("An attachment taken over into another block lets the old address go")
    func movedBlock() throws {
        do {
            let lock = try fixture.store.lock(deadline: .seconds(10))
            guard
                case .fresh(var file) = try fixture.store.claim(
                    StoreFixture.key("a"), now: BootClock.now(), under: lock)
            else { throw Unexpected("no fresh attachment") }
            _ = try fixture.store.allocate(.init(family: .ipv4, mode: "bgp"), for: &file, node: node, under: lock)
        }
        let moved = try StoreFixture.node(["10.0.0.0/29", "10.0.1.0/29"], closed: ["10.0.0.0/29"])
        #expect(try fixture.add("a", moved).address == "10.0.1.1")
        #expect(try fixture.store.attachment(StoreFixture.key("a"))?.addresses.map(\.description) == ["10.0.1.1/32"])
        #expect(try fixture.store.block(StoreFixture.prefix("10.0.0.0/29"))?.isUnused == true)
    }

    @Test("After a reboot nothing of the boot before counts, and what is seen is removed")
    func reboot() throws {
        try fixture.store.save(node)
        _ = try fixture.add("a", node)
        let rebooted = fixture.rebooted()
        #expect(try rebooted.nodeState() == nil)
        #expect(try rebooted.blocks().isEmpty)
        #expect(try rebooted.attachments().isEmpty)
        let lock = try rebooted.lock(deadline: .seconds(1))
        guard case .none = try rebooted.find(StoreFixture.key("a"), under: lock) else { throw Unexpected("found") }
        #expect(try fixture.files("attachments").isEmpty)
        guard case .fresh(var file) = try rebooted.claim(StoreFixture.key("b"), now: BootClock.now(), under: lock)
        else {
            throw Unexpected("no fresh attachment")
        }
        let outcome = try rebooted.allocate(.init(family: .ipv4, mode: "bgp"), for: &file, node: node, under: lock)
        #expect(outcome.address == "10.0.0.1")
    }

    @Test("A block file that is gone is made again of the attachments, and a block within another's range too")
    func rebuilt() throws {
        for id in ["a", "b", "c"] { _ = try fixture.add(id, node) }
        _ = try fixture.delete("b")
        try Files.remove(fixture.store.path + "/blocks/ipv4-10.0.0.0-29.json")
        #expect(try fixture.add("d", node).address == "10.0.0.2")
        #expect(try fixture.add("e", node).address == "10.0.0.4")
        let wider = try StoreFixture.node(["10.0.0.0/28"])
        #expect(try fixture.add("f", wider).address == "10.0.0.5")
        #expect(try fixture.delete("e").map(\.description) == ["10.0.0.4", "10.0.0.4"])
    }

    @Test("A block that cannot be written is an error that names it, and the undo leaves nothing")
    func unwritable() throws {
        let store = fixture.store
        try Files.removeDirectory(store.path + "/blocks")
        let lock = try store.lock(deadline: .seconds(10))
        guard case .fresh(var file) = try store.claim(StoreFixture.key("a"), now: BootClock.now(), under: lock) else {
            throw Unexpected("no fresh attachment")
        }
        do {
            _ = try store.allocate(.init(family: .ipv4, mode: "bgp"), for: &file, node: node, under: lock)
            Issue.record("an allocation that is written nowhere succeeded")
        } catch {
            #expect(error.description.contains("\(store.path)/blocks/ipv4-10.0.0.0-29.json"))
            #expect(error.description.hasSuffix("No such file or directory"))
        }
        let released = try store.release(file, under: lock)
        #expect(released.isEmpty)
        #expect(try fixture.files("attachments").isEmpty)
        try store.create()
        #expect(try store.blocks().isEmpty)
    }

    @Test("A key whose attachment was moved away is still found by its block")
    func stray() throws {
        _ = try fixture.add("a", node)
        try Files.remove("\(fixture.store.path)/attachments/\(StoreFixture.key("a").fileName)")
        #expect(try fixture.delete("a").map(\.description) == ["10.0.0.1"])
        #expect(try fixture.delete("a").isEmpty)
    }

    @Test("The daemon's start removes what killed writers left, but not what a living one writes")
    func sweep() throws {
        for name in ["node.json.tmp-1-2", "blocks/ipv4-10.0.0.0-29.json.tmp-1-2", "attachments/x.json.tmp-1-2"] {
            try fixture.write("{", to: name)
        }
        let living = try LockedFile.create(fixture.store.path + "/attachments/y.json.tmp-3-4", content: [])
        let lock = try fixture.store.lock(deadline: .seconds(10))
        try fixture.store.sweep(under: lock)
        #expect(try fixture.files("").filter { $0.contains(".tmp-") }.isEmpty)
        #expect(try fixture.files("blocks").isEmpty)
        #expect(try fixture.files("attachments") == ["y.json.tmp-3-4"])
        try living.remove()
    }
}
