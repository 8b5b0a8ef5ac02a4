import LinuxOS
import Logging
import NetTypes
import NodeLink
import Synchronization
import TestKit
import Testing

@testable import NodeAgent

/// Counts what is said of errors.
private struct CountingLog: LogHandler {
    private final class Counter: Sendable {
        let value = Mutex(0)
    }

    private let errors = Counter()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error

    var hasError: Bool { get async { errors.value.withLock { $0 } > 0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { errors.value.withLock { $0 += 1 } }
}

@Suite("A run directory that somebody removes")
struct RunDirectoryLossTests {
    @Test("A second daemon is refused, also where the directory was removed and made again")
    func instances() async throws {
        let directory = try TemporaryDirectory()
        let run = directory.file("run")
        try Files.createDirectory(run)
        do {
            let first = try Self.lock(run, namespaceName: run)
            #expect(throws: NodeAgentError.self) { try Self.lock(run) }
            // By another path it is the file that tells.
            #expect(throws: NodeAgentError.self) { try Self.lock(directory.file("./run")) }
            _ = try Command.run(["rm", "-r", run])
            try Files.createDirectory(run)
            #expect(throws: NodeAgentError.self) { try Self.lock(run) }
            try first.renew()
            #expect(throws: NodeAgentError.self) { try Self.lock(directory.file("./run")) }
            // With a directory of its own it is the namespace that tells.
            try Files.createDirectory(directory.file("other"))
            #expect(throws: NodeAgentError.self) { try Self.lock(directory.file("other"), namespaceName: run) }
            withExtendedLifetime(first) {}
        }
        // A program that another test starts has this process' descriptors for a moment, and with them the lock.
        #expect(try await eventually { await Self.isFree(run) })
    }

    /// Tests share their namespace, and a daemon may be at work in it: each has a name of its own for it.
    private static func lock(_ run: String, namespaceName: String? = nil) throws -> InstanceLock {
        try InstanceLock(runDirectory: run, namespaceName: namespaceName ?? "\(run) alone")
    }

    private static func isFree(_ run: String) async -> Bool { (try? lock(run)) != nil }

    @Test("The node socket is bound again as soon as it can be, whatever went wrong before")
    func rebinding() async throws {
        let directory = try TemporaryDirectory()
        let (run, path) = (directory.file("run"), directory.file("run/apusd.sock"))
        try Files.createDirectory(run)
        let log = CountingLog()
        let server = ControlServer(
            path: path, hello: Hello(node: "node1", bootID: "boot", netnsInode: 1),
            responder: { _ in .success([:]) },
            logger: Logger(label: "test") { _ in log })
        let serving = Task { try await server.run() }
        #expect(try await eventually { await Self.isServed(path) })
        _ = try Command.run(["rm", "-r", run])
        server.rebind()
        // Where the directory is, nothing can be bound.
        try Files.replace(run, with: [])
        server.rebind()
        #expect(try await eventually { await log.hasError })
        _ = try Files.remove(run)
        try Files.createDirectory(run)
        #expect(try await eventually { await Self.isServed(path) })
        _ = try Files.remove(path)
        server.rebind()
        #expect(try await eventually { await Self.isServed(path) })
        serving.cancel()
        try await serving.value
    }

    @Test("Clients that go without a word, and more of them than are served at a time, do no harm")
    func rudeClients() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("apusd.sock")
        let hello = Hello(node: "node1", bootID: "boot", netnsInode: 1)
        let server = ControlServer(
            path: path, hello: hello, responder: { _ in .success([:]) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, connectionLimit: 8)
        let serving = Task { try await server.run() }
        #expect(try await eventually { await Self.isServed(path) })
        try await OwnThread.run {
            for _ in 0..<2000 { _ = try UnixStream.connect(path, timeout: .seconds(1)) }
            try Self.hold(20, path)
            var client = try NodeLinkClient(path: path, hello: hello)
            guard case .success = try client.call(.status) else {
                Issue.record("no answer")
                return
            }
        }
        serving.cancel()
        try await serving.value
    }

    private static func isServed(_ path: String) async -> Bool {
        (try? UnixStream.connect(path, timeout: .milliseconds(100))) != nil
    }

    /// Connects so many times at once.
    private static func hold(_ count: Int, _ path: String) throws {
        guard count > 0 else { return }
        let stream = try UnixStream.connect(path, timeout: .seconds(1))
        try hold(count - 1, path)
        withExtendedLifetime(stream.path) {}
    }

    @Test("A socket that cannot be bound at first is an error")
    func firstBinding() async throws {
        let directory = try TemporaryDirectory()
        let server = ControlServer(
            path: directory.file("absent/apusd.sock"), hello: Hello(node: "node1", bootID: "boot", netnsInode: 1),
            responder: { _ in .success([:]) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await #expect(throws: (any Error).self) { try await server.run() }
    }
}
