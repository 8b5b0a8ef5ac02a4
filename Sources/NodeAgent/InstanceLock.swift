import LinuxOS
import NetTypes
import Synchronization

/// Keeps a second daemon off the run directory and off the network namespace; the kernel lets go of both however the
/// process ends.
///
/// The lock is on a file of the directory, for whoever comes to it, by whichever path. A file can be removed with its
/// directory, and until the daemon has made both again a second one would find nobody's: a name of the network namespace
/// keeps that one off (`NamespaceName`: root's alone).
///
/// Two daemons with a directory each would share a namespace's routes, and each take the other's for those that an
/// earlier run of its own has left.
final class InstanceLock: Sendable {
    private let runDirectory: String
    private let name: NamespaceName
    private let namespaceName: NamespaceName
    private let lock: Mutex<FileLock>

    /// How long a daemon that was killed may take to be gone: its threads end one after another, the last one lets go.
    private static let patience: Duration = .seconds(2)

    /// Takes the lock.
    ///
    /// - Parameter namespaceName: what stands for the network namespace.
    /// - Throws: `NodeAgentError.alreadyRunning`, `namespaceTaken`.
    init(runDirectory: String, namespaceName: String = "apusd") throws {
        self.runDirectory = runDirectory
        let digest = SHA1.digest(runDirectory.utf8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        let deadline = BootClock.now() + Self.patience
        name = try Self.take("apusd-\(digest.joined())", before: deadline) {
            NodeAgentError.alreadyRunning(path: runDirectory, holder: $0)
        }
        lock = Mutex(try Self.take(runDirectory, before: deadline))
        self.namespaceName = try Self.take(namespaceName, before: deadline) {
            NodeAgentError.namespaceTaken(holder: $0)
        }
    }

    /// Who of other users has a name of a daemon's, which keeps no daemon off.
    var squatters: [String] { [name.squatter, namespaceName.squatter].compactMap { $0?.description } }

    /// Takes the lock on the file that is there now, if somebody has removed the one that is locked.
    ///
    /// - Throws: `NodeAgentError.alreadyRunning`.
    func renew() throws {
        try lock.withLock { lock in
            guard try !lock.isStill(at: Self.path(runDirectory)) else { return }
            lock = try Self.take(runDirectory, before: BootClock.now())
        }
    }

    /// Removes the locked file and the directory, unless something else is in it.
    static func remove(runDirectory: String) {
        _ = try? Files.remove(path(runDirectory))
        _ = try? Files.removeDirectory(runDirectory)
    }

    private static func path(_ runDirectory: String) -> String { "\(runDirectory)/apusd.lock" }

    private static func take(_ runDirectory: String, before deadline: MonotonicTime) throws -> FileLock {
        do throws(SystemError) {
            return try FileLock.lock(path(runDirectory), deadline: deadline)
        } catch {
            guard error.code == .ETIMEDOUT else { throw error }
            throw NodeAgentError.alreadyRunning(path: runDirectory, holder: nil)
        }
    }

    private static func take(
        _ name: String, before deadline: MonotonicTime, orThrow refusal: (String?) -> NodeAgentError,
    ) throws -> NamespaceName {
        while true {
            let holder: NamespaceName.Holder?
            switch try NamespaceName.take(name) {
            case .taken(let name): return name
            case .refused(let other): holder = other
            }
            guard BootClock.now() < deadline else { throw refusal(holder?.description) }
            // Two that look in the same moment refuse each other: not so in the next.
            let pause = Duration.milliseconds(Int64.random(in: 5...20))
            _ = try Poll.readable([], until: BootClock.now() + pause, name: "the name's owner")
        }
    }
}
