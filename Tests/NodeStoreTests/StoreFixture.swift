import Glibc
import IPAMCore
import LinuxOS
import NetTypes
import NodeStore
import Testing

/// A run directory of its own in /tmp, removed at the end of the test.
final class StoreFixture: Sendable {
    let store: RunDirectory
    private let startedAt = BootClock.now()
    static let boot = "boot-1"

    init(bootID: String = boot, create: Bool = true) throws {
        let unique = SHA1.hex("\(BootClock.now().nanoseconds) \(UInt64.random(in: 0 ... .max))").prefix(12)
        store = RunDirectory(path: "/tmp/apus-store-\(unique)", bootID: bootID)
        if create { try store.create() }
    }

    deinit { remove() }

    /// Removes the directory; for a test whose threads may hold the fixture longer than the test lasts.
    func remove() {
        for directory in [store.path + "/attachments", store.path + "/blocks", store.path] {
            for name in (try? Files.list(directory)) ?? [] { _ = try? Files.remove("\(directory)/\(name)") }
            _ = try? Files.removeDirectory(directory)
        }
    }

    /// The same directory in another boot.
    func rebooted() -> RunDirectory { RunDirectory(path: store.path, bootID: "boot-2") }

    func files(_ directory: String) throws -> [String] { try Files.list("\(store.path)/\(directory)") }

    func write(_ text: String, to name: String) throws {
        try Files.replace("\(store.path)/\(name)", with: Array(text.utf8))
    }

    static func key(_ id: String) -> AttachmentKey { AttachmentKey(network: "net", containerID: id, ifName: "eth0") }

    static func node(
        _ blocks: [String], closed: Set<String> = [], mode: String = "bgp",
    ) throws -> NodeState {
        NodeState(
            node: "node1", bootID: boot, netnsInode: 1, mtuBytes: 1500, generation: 1,
            pools: [.init(name: "pool", cidr: try prefix("10.0.0.0/16"), mode: mode, blockSize: 26)],
            blocks: try blocks.map {
                .init(cidr: try prefix($0), pool: "pool", isAnnounced: true, isClosed: closed.contains($0))
            })
    }

    static func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    /// What an ADD does with the store, to the end.
    func add(
        _ id: String, _ node: NodeState, _ request: AllocationRequest = .init(family: .ipv4, mode: "bgp"),
    ) throws -> AllocationOutcome {
        let lock = try store.lock(deadline: .seconds(5))
        switch try claimWhenFree(Self.key(id), under: lock) {
        case .fresh(var file):
            let outcome = try store.allocate(request, for: &file, node: node, under: lock)
            guard case .allocated = outcome else {
                try store.release(file, under: lock)
                return outcome
            }
            try file.update { $0.state = .complete }
            return outcome
        case .takenOver(var file): return try store.allocate(request, for: &file, node: node, under: lock)
        case .complete: throw Unexpected("complete")
        case .busy: throw Unexpected("busy")
        }
    }

    /// Claims a key that nobody is at work on. A program that another test starts has this process' files, and their
    /// locks, for the moment before it is executed: the key is busy for that long.
    func claimWhenFree(_ key: AttachmentKey, under lock: borrowing StoreLock) throws -> AttachmentClaim {
        while true {
            switch try store.claim(key, now: BootClock.now(), under: lock) {
            case .fresh(let file): return .fresh(file)
            case .takenOver(let file): return .takenOver(file)
            case .complete(let attachment): return .complete(attachment)
            case .busy: try pause()
            }
        }
    }

    /// Finds a key that nobody is at work on, as `claimWhenFree`.
    func findWhenFree(_ key: AttachmentKey, under lock: borrowing StoreLock) throws -> AttachmentSearch {
        while true {
            switch try store.find(key, under: lock) {
            case .none: return .none
            case .found(let file): return .found(file)
            case .busy: try pause()
            }
        }
    }

    /// - Throws: when the key has been busy for too long to be any other test's doing.
    private func pause() throws {
        guard BootClock.now() < startedAt + .seconds(60) else { throw Unexpected("busy") }
        usleep(1000)
    }

    /// What a DEL does with the store.
    func delete(_ id: String) throws -> [IPAddress] {
        let lock = try store.lock(deadline: .seconds(5))
        switch try findWhenFree(Self.key(id), under: lock) {
        case .none: return try store.releaseStray(Self.key(id), under: lock)
        case .found(let file): return try store.release(file, under: lock)
        case .busy: throw Unexpected("busy")
        }
    }
}

struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

extension AllocationOutcome {
    /// The address as text; nil when there is none.
    var address: String? { if case .allocated(let allocation) = self { allocation.address.description } else { nil } }
}
