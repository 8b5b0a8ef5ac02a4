import LinuxOS
import Logging
import NIOPosix
import NetTypes
import Resources

/// Reads the configuration once, and again after every change of its files.
struct ConfigurationWatch: Sendable {
    /// Editors and copies touch a file several times; the files are read when they have been quiet for so long.
    private static let settlingTime: Duration = .milliseconds(50)
    /// The longest wait for quiet.
    private static let settlingLimit: Duration = .seconds(1)
    /// A directory that cannot be watched is tried again, and read, this often.
    private static let retryInterval: Duration = .seconds(1)
    /// Without any event the files are still read this often: some file systems tell of no changes.
    private static let fallbackInterval: Duration = .seconds(60)

    let reader: ConfigurationReader
    let logger: Logger

    /// Calls `offer` with every reading until the task is cancelled.
    func run(_ offer: @escaping @Sendable (DecodedResources) -> Void) async throws {
        let wakeUp = try WakeUp()
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        await withTaskCancellationHandler {
            do {
                try await pool.runIfActive { watch(until: wakeUp, offer) }
            } catch {
                logger.debug("configuration watch ended", metadata: ["reason": "\(error)"])
            }
        } onCancel: {
            wakeUp.raise()
        }
        try await pool.shutdownGracefully()
    }

    /// Blocks the thread it is on until `wakeUp` is raised.
    private func watch(until wakeUp: WakeUp, _ offer: (DecodedResources) -> Void) {
        var hasWarned = false
        var last: LastReading?
        while true {
            do throws(SystemError) {
                // Watch first, read second: a change between the two is seen by the watch.
                let place = try place()
                let watch = try DirectoryWatch(reader.watchedDirectory)
                hasWarned = false
                // A directory may be in the middle of being filled.
                if try settle(watch, until: wakeUp) == .wokenUp { return }
                read(watch, after: &last, offer)
                if try follow(watch, at: place, until: wakeUp, after: &last, offer) == .wokenUp { return }
            } catch {
                offer(reader.read(after: &last))
                if !hasWarned {
                    logger.warning("configuration cannot be watched; trying again", metadata: ["reason": "\(error)"])
                }
                hasWarned = true
                let ready = try? Poll.readable(
                    [wakeUp.descriptor], until: BootClock.now() + Self.retryInterval, name: "wake-up")
                if ready?[0] ?? true { return }
            }
        }
    }

    /// The directory that is to be watched now. While the one of the resources is not there that is the one which will
    /// hold it, and a link may lead to another.
    private func place() throws(SystemError) -> [UInt64] {
        let status = try FileStatus.of(reader.watchedDirectory)
        return status.map { [$0.device, $0.inode] } ?? []
    }

    private func follow(
        _ watch: borrowing DirectoryWatch, at place: [UInt64], until wakeUp: WakeUp, after last: inout LastReading?,
        _ offer: (DecodedResources) -> Void,
    ) throws(SystemError) -> DirectoryWatch.Outcome {
        while true {
            var outcome = try watch.wait(or: wakeUp, until: BootClock.now() + Self.fallbackInterval)
            if outcome == .changed { outcome = try settle(watch, until: wakeUp) }
            let hasMoved = try self.place() != place
            if hasMoved, outcome != .wokenUp { return .directoryGone }
            switch outcome {
            case .wokenUp, .directoryGone: return outcome
            case .changed, .timeout: read(watch, after: &last, offer)
            }
        }
    }

    /// Reads, and watches the directories of the passwords that are named by now, and those that symbolic links lead to.
    /// Those that are not there yet are read again with the files.
    private func read(
        _ watch: borrowing DirectoryWatch, after last: inout LastReading?, _ offer: (DecodedResources) -> Void,
    ) {
        // Watch first, read second.
        for name in reader.linkedDirectories { try? watch.add(name) }
        let decoded = reader.read(after: &last)
        for name in Set(decoded.configuration.secretReferences.map { reader.secrets.directory(of: $0.reference) }) {
            try? watch.add(name)
        }
        offer(decoded)
    }

    /// Waits until the files are quiet, though no longer than the limit: a busy file must not hide the others.
    private func settle(
        _ watch: borrowing DirectoryWatch, until wakeUp: WakeUp,
    ) throws(SystemError) -> DirectoryWatch.Outcome {
        let limit = BootClock.now() + Self.settlingLimit
        while true {
            let outcome = try watch.wait(or: wakeUp, until: min(limit, BootClock.now() + Self.settlingTime))
            guard outcome == .changed, BootClock.now() < limit else { return outcome == .changed ? .timeout : outcome }
        }
    }
}
