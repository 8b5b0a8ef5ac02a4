import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import TestKit
import Testing

@Suite struct RunDirectoryTests {
    @Test("The directory is made of mode 0700, and making it twice is making it once")
    func create() throws {
        let fixture = try StoreFixture()
        try fixture.store.create()
        for part in ["", "/blocks", "/attachments"] {
            #expect(try FileStatus.of(fixture.store.path + part)?.permissions == 0o700)
        }
    }

    @Test("A directory that others may write to is refused, and the remedy named")
    func unfit() throws {
        let fixture = try StoreFixture(create: false)
        try Files.createDirectory(fixture.store.path, mode: 0o777)
        #expect(try FileStatus.of(fixture.store.path)?.permissions == 0o755)
        try fixture.store.create()
        let error = #expect(throws: StoreError.self) { try RunDirectory(path: "/tmp", bootID: "b").create() }
        #expect(error?.description.contains("others may write") == true)
        #expect(try FileStatus.of("/tmp/attachments") == nil)
    }

    @Test("A file in the directory's place is named as such by whoever reads a record, too")
    func file() throws {
        let fixture = try StoreFixture(create: false)
        try Files.replace(fixture.store.path, with: [])
        defer { _ = try? Files.remove(fixture.store.path) }
        let error = #expect(throws: StoreError.self) { try fixture.store.nodeState() }
        let remedy = "it is no directory; remove it, or name another run directory"
        #expect(error?.description == "\(fixture.store.path): \(remedy)")
    }

    @Test("A directory that cannot be made is named, with the kernel's answer and the remedy")
    func unmade() {
        let store = RunDirectory(path: "/proc/nothing/run", bootID: "b")
        let error = #expect(throws: StoreError.self) { try store.create() }
        #expect(error?.description.hasPrefix("/proc/nothing/run: it cannot be made (mkdir ") == true)
        #expect(error?.description.hasSuffix("name another run directory") == true)
    }

    @Test("node.json is absent, then what was saved, then absent in the next boot")
    func nodeState() throws {
        let fixture = try StoreFixture()
        #expect(try fixture.store.nodeState() == nil)
        let node = try StoreFixture.node(["10.0.0.0/26"])
        try fixture.store.save(node)
        #expect(try fixture.store.nodeState() == node)
        #expect(try FileStatus.of(fixture.store.path + "/node.json")?.permissions == 0o600)
        #expect(try fixture.rebooted().nodeState() == nil)
    }

    @Test(
        "A file that is torn or wrong is an error that names it and says what to do",
        arguments: [
            "", "{", "[]", "{\"v\":1}", "{\"v\":2}", "\0\0\0\0",
            "{\"v\":1,\"cidr\":\"10.0.0.0/29\",\"bootID\":\"boot-1\",\"free\":[],\"allocated\":{}}",
        ])
    func corrupt(text: String) throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/29"])
        let attachment = StoreFixture.key("a").fileName
        for (name, remedy) in [
            ("node.json", "restart apusd"), ("blocks/ipv4-10.0.0.0-29.json", "move it away"),
            ("attachments/\(attachment)", "move it away and delete the pod again"),
        ] {
            try fixture.write(text, to: name)
            let error = #expect(throws: StoreError.self) {
                _ = try fixture.store.nodeState()
                _ = try fixture.add("a", node)
            }
            let message = error?.description ?? ""
            #expect(message.hasPrefix("\(fixture.store.path)/\(name): "))
            #expect(message.contains(remedy))
            try Files.remove("\(fixture.store.path)/\(name)")
            // The failed ADD left its pending attachment, as a killed one does.
            _ = try fixture.delete("a")
        }
    }

    @Test("So is what is no file at all, or larger than any record")
    func noRecord() throws {
        let fixture = try StoreFixture()
        let node = try StoreFixture.node(["10.0.0.0/29"])
        let path = "\(fixture.store.path)/blocks/ipv4-10.0.0.0-29.json"
        let makers: [(String, () throws -> Void)] = [
            ("Is a directory", { try Files.createDirectory(path) }),
            ("Invalid argument", { try Command.run(["mkfifo", path]) }),
            ("Too many levels of symbolic links", { try Command.run(["ln", "-s", "/dev/null", path]) }),
            ("File too large", { try Command.run(["truncate", "-s", "9M", path]) }),
        ]
        for (reason, make) in makers {
            try make()
            for read in [{ _ = try fixture.add("a", node) }, { _ = try fixture.store.mayHold(StoreFixture.key("b")) }] {
                let error = #expect(throws: StoreError.self) { try read() }
                #expect(
                    error?.description
                        == "\(path): no record: \(reason); move it away: it is made again from the attachments")
            }
            try Command.run(["rm", "-rf", path])
        }
    }

    @Test("A record under another's name is refused")
    func misnamed() throws {
        let fixture = try StoreFixture()
        _ = try fixture.add("a", StoreFixture.node(["10.0.0.0/29"]))
        let block = try Files.read(fixture.store.path + "/blocks/ipv4-10.0.0.0-29.json", limit: 1 << 20)
        try fixture.write(String(decoding: block, as: UTF8.self), to: "blocks/ipv4-10.0.0.8-29.json")
        #expect(throws: StoreError.self) { try fixture.store.blocks() }
        let record = try Files.read(
            "\(fixture.store.path)/attachments/\(StoreFixture.key("a").fileName)", limit: 1 << 20)
        try fixture.write(String(decoding: record, as: UTF8.self), to: "attachments/\(StoreFixture.key("b").fileName)")
        #expect(throws: StoreError.self) { try fixture.store.attachment(StoreFixture.key("b")) }
    }

    @Test("A directory that is missing is a system error that names the path")
    func missing() throws {
        let fixture = try StoreFixture(create: false)
        let error = #expect(throws: StoreError.self) { _ = try fixture.store.lock(deadline: .milliseconds(10)) }
        #expect(error?.description == "open \(fixture.store.path)/lock: No such file or directory")
        #expect(try fixture.store.nodeState() == nil)
        #expect(try fixture.store.blocks().isEmpty)
    }

    @Test("A lock that is held ends the wait at its deadline, and is free after its holder")
    func lock() throws {
        let fixture = try StoreFixture()
        do {
            let held = try fixture.store.lock(deadline: .seconds(1))
            let error = #expect(throws: StoreError.self) { _ = try fixture.store.lock(deadline: .milliseconds(20)) }
            #expect(error?.description == "\(fixture.store.path)/lock: another process holds the lock")
            held.unlock()
        }
        _ = try fixture.store.lock(deadline: .milliseconds(20))
    }

    @Test("A block is discarded when no pod is left in it")
    func discard() throws {
        let fixture = try StoreFixture()
        let cidr = try StoreFixture.prefix("10.0.0.0/29")
        _ = try fixture.add("a", StoreFixture.node(["10.0.0.0/29"]))
        func discard() throws -> Bool {
            let lock = try fixture.store.lock(deadline: .seconds(1))
            return try fixture.store.discard(cidr, under: lock)
        }
        #expect(try !discard())
        _ = try fixture.delete("a")
        #expect(try discard())
        #expect(try fixture.store.block(cidr) == nil)
    }
}
