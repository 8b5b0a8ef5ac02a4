import LinuxOS
import Logging
import Resources
import Synchronization
import TestKit
import Testing

@testable import NodeAgent

/// What a watch has offered last.
private final class Offers: Sendable {
    private let last = Mutex<DecodedResources?>(nil)
    private let all = Mutex<[[String]]>([])

    func take(_ decoded: DecodedResources) {
        last.withLock { $0 = decoded }
        all.withLock { $0.append(decoded.configuration.pools.map(\.name)) }
    }

    /// The names of the pools, as they were offered one after the other.
    var history: [[String]] { all.withLock { $0 } }

    /// The names of the pools, and whether everything could be read.
    var state: (pools: [String], isWhole: Bool)? {
        get async { last.withLock { $0.map { ($0.configuration.pools.map(\.name), $0.isWhole) } } }
    }

    func hold(_ pools: [String], isWhole: Bool = true) async -> Bool {
        guard let state = await state else { return false }
        return state == (pools, isWhole)
    }
}

@Suite("The configuration is followed")
struct ConfigurationWatchTests {
    private static func pool(_ name: String) -> [UInt8] {
        Array(
            """
            apiVersion: projectcalico.org/v3
            kind: IPPool
            metadata: {name: \(name)}
            spec: {cidr: 10.0.0.0/16}
            """.utf8)
    }

    /// Far longer than it takes to hear of a change, and shorter than the files are read anew without one.
    private static let patience = Duration.seconds(50)

    /// Runs a watch on the directory while `body` changes its files.
    private static func follow(
        _ path: String, _ body: (Offers) async throws -> Void,
    ) async throws {
        let offers = Offers()
        let watch = ConfigurationWatch(
            reader: ConfigurationReader(path: path), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let watching = Task { try await watch.run { offers.take($0) } }
        try await body(offers)
        watching.cancel()
        try await watching.value
    }

    @Test("A FIFO among the files is refused by name, and hides none of the others")
    func fifo() async throws {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.file("pool.yaml"), with: Self.pool("a"))
        try Command.run(["mkfifo", directory.file("x.yaml")])
        try await Self.follow(directory.path) { (offers: Offers) async throws in
            let isRefused = try await eventually(within: Self.patience) { await offers.hold(["a"], isWhole: false) }
            #expect(isRefused)
        }
        let refusals = ConfigurationReader(path: directory.path).read().diagnostics.filter { $0.severity == .error }
        #expect(refusals.map(\.file) == ["x.yaml"] && refusals.first?.reason.contains("no plain file") == true)
    }

    @Test("A file is not read while somebody is in the middle of writing it, whatever else changes")
    func slowWriter() async throws {
        let directory = try TemporaryDirectory()
        let pools = [Self.pool("a"), Array("\n---\n".utf8), Self.pool("b")]
        try Files.createDirectory(directory.file("parts"))
        for (index, part) in pools.enumerated() { try Files.replace(directory.file("parts/\(index)"), with: part) }
        try Files.replace(directory.file("pools.yaml"), with: pools.flatMap { $0 })
        try await Self.follow(directory.path) { offers in
            #expect(try await eventually(within: Self.patience) { await offers.hold(["a", "b"]) })
            let before = offers.history.count
            let script = """
                cd \(directory.path); exec 3> pools.yaml; cat parts/0 >&3; sed s/a}/c}/ parts/0 > c.yaml
                sleep 0.5; cat parts/1 parts/2 >&3
                """
            try Command.run(["/bin/sh", "-c", script])
            #expect(try await eventually(within: Self.patience) { await offers.hold(["a", "b", "c"]) })
            #expect(offers.history.dropFirst(before).allSatisfy { $0 == ["a", "b", "c"] }, "\(offers.history)")
        }
    }

    @Test("An empty file is refused, as somebody may be about to write it; one with a comment is not, nor one alone")
    func emptyFile() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.file("pool.yaml"), with: Self.pool("a"))
        let cases: [(String, isRefused: Bool)] = [
            ("", true), ("\n \n", true), ("# none\n", false), ("---\n", false),
        ]
        for (text, isRefused) in cases {
            try Files.replace(directory.file("x.yaml"), with: Array(text.utf8))
            let decoded = ConfigurationReader(path: directory.path).read()
            // What is good is there for a daemon that starts.
            #expect(decoded.configuration.pools.map(\.name) == ["a"] && decoded.isWhole != isRefused, "\(text)")
            #expect(ConfigurationReader(path: directory.file("x.yaml")).read().isWhole)
        }
        try Files.replace(directory.file("x.yaml"), with: [])
        #expect(
            ConfigurationReader(path: directory.path).read().diagnostics.map(\.description) == [
                "x.yaml: it is empty, as a file that is being written is; if it is meant to say nothing, remove it or "
                    + "write a comment"
            ])
    }

    @Test("A pattern of links that is no regular expression refuses its resource, with file and line")
    func pattern() throws {
        let directory = try TemporaryDirectory()
        let text = """
            apiVersion: projectcalico.org/v3
            kind: FelixConfiguration
            metadata: {name: default}
            spec:
              vxlanPort: 4790
              mtuIfacePattern: "("
            """
        try Files.replace(directory.file("felix.yaml"), with: Array(text.utf8))
        let decoded = ConfigurationReader(path: directory.path).read()
        #expect(decoded.configuration.felixConfigurations.isEmpty)
        #expect(
            decoded.diagnostics.map(\.description) == [
                "felix.yaml:6: FelixConfiguration/default: spec.mtuIfacePattern: \"(\" is no regular expression"
            ])
    }

    @Test("A file that holds what it held is not decoded again; one that does not, or a password beside it, is seen")
    func unchanged() throws {
        let directory = try TemporaryDirectory()
        let reader = ConfigurationReader(path: directory.path)
        let peer = """
            apiVersion: projectcalico.org/v3
            kind: BGPPeer
            metadata: {name: tor}
            spec: {peerIP: 192.168.1.9, asNumber: 65000, password: {secretKeyRef: {name: tor, key: k}}}
            """
        var last: LastReading?
        let (pool, password) = (directory.file("pool.yaml"), directory.file("secrets/tor/k"))
        try Files.createDirectory(directory.file("secrets/tor"))
        let steps: [(String, [UInt8]?)] = [
            (pool, Self.pool("a")), (pool, Self.pool("b")), (directory.file("peer.yaml"), Array(peer.utf8)),
            (password, Array("word".utf8)), (password, Array("other".utf8)), (pool, Array("kind: [".utf8)),
            (pool, Self.pool("a")), (pool, nil),
        ]
        for (file, content) in steps {
            if let content { try Files.replace(file, with: content, mode: 0o600) } else { _ = try Files.remove(file) }
            for _ in 0..<2 { #expect(reader.read(after: &last) == reader.read(), "\(file)") }
        }
        try Command.run(["rm", "-r", directory.path])
        #expect(reader.read(after: &last) == reader.read())
        #expect(!reader.read(after: &last).isPlaceRead)
        try Files.createDirectory(directory.path)
        #expect(reader.read(after: &last).isPlaceRead)
    }

    @Test("A password file whose mode is put right is taken at once")
    func modeOfPassword() async throws {
        let directory = try TemporaryDirectory()
        let peer = """
            apiVersion: projectcalico.org/v3
            kind: BGPPeer
            metadata: {name: tor}
            spec: {peerIP: 192.168.1.9, asNumber: 65000, password: {secretKeyRef: {name: tor, key: k}}}
            """
        try Files.replace(directory.file("peer.yaml"), with: Array(peer.utf8))
        try Files.createDirectory(directory.file("secrets/tor"))
        try Files.replace(directory.file("secrets/tor/k"), with: Array("word".utf8), mode: 0o644)
        try await Self.follow(directory.path) { offers in
            #expect(try await eventually(within: Self.patience) { await offers.hold([], isWhole: false) })
            try Files.setPermissions(directory.file("secrets/tor/k"), 0o600)
            #expect(try await eventually(within: Self.patience) { await offers.hold([]) })
        }
    }

    @Test("A file is followed behind a symbolic link, and the link of a mounted volume too")
    func links() async throws {
        let directory = try TemporaryDirectory()
        for name in ["resources", "elsewhere"] { try Files.createDirectory(directory.file(name)) }
        try Files.replace(directory.file("elsewhere/pool.yaml"), with: Self.pool("a"))
        try Command.run(["ln", "-s", "../elsewhere/pool.yaml", directory.file("resources/pool.yaml")])
        try await Self.follow(directory.file("resources")) { offers in
            #expect(try await eventually(within: Self.patience) { await offers.hold(["a"]) })
            try Command.run(["/bin/sh", "-c", "sed -i s/name:.a/name:\\ b/ \(directory.file("elsewhere/pool.yaml"))"])
            #expect(try await eventually(within: Self.patience) { await offers.hold(["b"]) })
        }
        let volume = directory.file("volume")
        for (name, pool) in [("..v1", "c"), ("..v2", "d")] {
            try Files.createDirectory("\(volume)/\(name)")
            try Files.replace("\(volume)/\(name)/pool.yaml", with: Self.pool(pool))
        }
        try Command.run(["ln", "-s", "..v1", "\(volume)/..data"])
        try Command.run(["ln", "-s", "..data/pool.yaml", "\(volume)/pool.yaml"])
        try await Self.follow(volume) { offers in
            #expect(try await eventually(within: Self.patience) { await offers.hold(["c"]) })
            try Command.run(["ln", "-s", "..v2", "\(volume)/..data_tmp"])
            try Command.run(["mv", "-T", "\(volume)/..data_tmp", "\(volume)/..data"])
            try Command.run(["rm", "-r", "\(volume)/..v1"])
            #expect(try await eventually(within: Self.patience) { await offers.hold(["d"]) })
        }
    }

    @Test("A directory that comes after the daemon, goes, and comes again is followed all the way")
    func lateDirectory() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("resources")
        let offers = Offers()
        let watch = ConfigurationWatch(
            reader: ConfigurationReader(path: path), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let watching = Task { try await watch.run { offers.take($0) } }
        #expect(try await eventually(within: Self.patience) { await offers.hold([], isWhole: false) })
        for name in ["a", "b"] {
            try Files.createDirectory(path)
            #expect(try await eventually(within: Self.patience) { await offers.hold([]) })
            try Files.replace("\(path)/pool.yaml", with: Self.pool(name))
            #expect(try await eventually(within: Self.patience) { await offers.hold([name]) })
            _ = try Command.run(["rm", "-r", path])
            #expect(try await eventually(within: Self.patience) { await offers.hold([], isWhole: false) })
        }
        watching.cancel()
        try await watching.value
    }
}
