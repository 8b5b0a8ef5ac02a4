import LinuxOS
import Logging
import NIOPosix
import NetTypes
import Resources

/// Reads the configuration once, and again after every change of its files.
struct ConfigurationWatch: Sendable {
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
            var outcome = try wait(watch, or: wakeUp, until: BootClock.now() + Self.fallbackInterval)
            if case .changed(let events) = outcome { outcome = try settle(watch, until: wakeUp, after: events) }
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

    /// Waits for a change. What is written to a file that is not read here, a log beside the resources, is none before it
    /// is closed: a link may lead to it.
    private func wait(
        _ watch: borrowing DirectoryWatch, or wakeUp: WakeUp, until deadline: MonotonicTime,
    ) throws(SystemError) -> DirectoryWatch.Outcome {
        while true {
            let outcome = try watch.wait(or: wakeUp, until: deadline)
            guard case .changed(let events) = outcome else { return outcome }
            let changes = events.filter { !$0.isWritten || reader.reads($0.place.name) }
            if !changes.isEmpty { return .changed(changes) }
            if BootClock.now() >= deadline { return .timeout }
        }
    }

    /// Waits until the files are quiet and nobody is in the middle of writing one, though not for ever.
    ///
    /// - Returns: `.timeout` when they are to be read.
    private func settle(
        _ watch: borrowing DirectoryWatch, until wakeUp: WakeUp, after events: [DirectoryWatch.Event] = [],
    ) throws(SystemError) -> DirectoryWatch.Outcome {
        var pace = ReadingPace(from: BootClock.now())
        pace.take(events, at: BootClock.now())
        while BootClock.now() < pace.due {
            switch try wait(watch, or: wakeUp, until: pace.due) {
            case .changed(let events): pace.take(events, at: BootClock.now())
            case .timeout: break
            case .wokenUp: return .wokenUp
            case .directoryGone: return .directoryGone
            }
        }
        if pace.isWriting { logger.notice("a file of the configuration is still being written; it is read as it is") }
        return .timeout
    }
}
