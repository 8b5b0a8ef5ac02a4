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

    func take(_ decoded: DecodedResources) { last.withLock { $0 = decoded } }

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
