import LinuxOS
import Logging
import NIOPosix
import NetTypes
import NodeStore
import PodLinks

/// Sees to it that the run directory is there, and knows of the pods that live, whoever empties it.
struct StoreWatch: Sendable {
    /// What is missing of what the daemon keeps there.
    struct Loss: Sendable {
        var socket: Bool
        var callSocket: Bool
        var nodeState: Bool
    }

    /// `rm -rf` takes a moment, and must not find anew what it has just removed: the directory is looked at when it has
    /// been quiet for so long.
    private static let settlingTime: Duration = .milliseconds(100)
    /// A directory that cannot be made or watched is tried again this often.
    private static let retryInterval: Duration = .seconds(1)
    /// How long to wait for the store's lock.
    private static let lockTimeout: Duration = .seconds(10)

    let store: RunDirectory
    /// Whether there is to be a socket for calls.
    var servesCalls = false
    let logger: Logger

    /// Makes the directories, and enters the pods that live if the store does not know of them.
    func settle() throws {
        try store.create()
        guard try !store.isSettled() else { return }
        let lock = try store.lock(deadline: Self.lockTimeout)
        // Somebody else may have come first.
        guard try !store.isSettled() else { return }
        let found = try PodLinkSurvey.attachments(bootID: store.bootID, now: BootClock.now())
        let added = try store.settle(found, under: lock)
        if !added.isEmpty {
            logger.warning(
                "the store knew nothing of pods that live; entered from their links and routes",
                metadata: ["pods": "\(added.count)"])
        }
    }

    /// Calls `restore` whenever something is missing, until the task is cancelled.
    func run(_ restore: @escaping @Sendable (Loss) -> Void) async throws {
        let wakeUp = try WakeUp()
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        await withTaskCancellationHandler {
            try? await pool.runIfActive { watch(until: wakeUp, restore) }
        } onCancel: {
            wakeUp.raise()
        }
        try await pool.shutdownGracefully()
    }

    /// Blocks the thread it is on until `wakeUp` is raised.
    private func watch(until wakeUp: WakeUp, _ restore: (Loss) -> Void) {
        // What is missing at the first look, the daemon has not made yet.
        var isFirst = true
        var failure: String?
        while true {
            do {
                try store.create()
                // Watch first, look second: what goes between the two is seen by the watch.
                let watch = try DirectoryWatch(store.path, removalsOnly: true)
                if !isFirst { try look(restore) }
                isFirst = false
                if failure != nil {
                    failure = nil
                    logger.notice("the run directory is watched again", metadata: ["path": "\(store.path)"])
                }
                if try follow(watch, until: wakeUp, restore) == .wokenUp { return }
                logger.warning("the run directory was removed; it is made again", metadata: ["path": "\(store.path)"])
            } catch {
                // It is tried every second, and said once.
                let reason = "\(error)"
                if failure != reason {
                    logger.error(
                        "the run directory cannot be made or watched; trying again", metadata: ["reason": "\(reason)"])
                }
                failure = reason
                let ready = try? Poll.readable(
                    [wakeUp.descriptor], until: BootClock.now() + Self.retryInterval, name: "wake-up")
                if ready?[0] ?? true { return }
            }
        }
    }

    private func follow(
        _ watch: borrowing DirectoryWatch, until wakeUp: WakeUp, _ restore: (Loss) -> Void,
    ) throws -> DirectoryWatch.Outcome {
        while true {
            var outcome = try watch.wait(or: wakeUp, until: BootClock.now() + .seconds(3600))
            while case .changed = outcome {
                outcome = try watch.wait(or: wakeUp, until: BootClock.now() + Self.settlingTime)
            }
            guard outcome == .timeout else { return outcome }
            try look(restore)
        }
    }

    private func look(_ restore: (Loss) -> Void) throws {
        try settle()
        let loss = Loss(
            socket: try FileStatus.of(store.socketPath) == nil,
            callSocket: try servesCalls && FileStatus.of(store.callSocketPath) == nil,
            nodeState: try store.nodeState() == nil)
        if loss.socket || loss.callSocket || loss.nodeState { restore(loss) }
    }
}
