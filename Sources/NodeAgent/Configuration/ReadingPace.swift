import LinuxOS
import NetTypes

/// When files that change are to be read: a pure value, which takes what happens to them.
///
/// A file that is written in place is empty at first and then cut off somewhere: what is missing would look removed. So a
/// file that somebody has written to and not closed yet holds the reading of all of them back, for a limited time.
struct ReadingPace: Sendable {
    /// Editors and copies touch a file several times; the files are read when they have been quiet for so long.
    static let settlingTime: Duration = .milliseconds(50)
    /// The longest wait for quiet: a busy file must not hide the others.
    static let settlingLimit: Duration = .seconds(1)
    /// The longest wait for a file that is being written. What takes longer is read as it is.
    static let writingLimit: Duration = .seconds(10)

    private let start: MonotonicTime
    private var last: MonotonicTime
    private var written: Set<DirectoryWatch.Event.Place> = []

    /// Something has changed at this moment.
    init(from start: MonotonicTime) {
        self.start = start
        last = start
    }

    /// Something has happened to files.
    mutating func take(_ events: [DirectoryWatch.Event], at now: MonotonicTime) {
        last = now
        for event in events {
            if event.isWritten { written.insert(event.place) }
            if event.isDone { written.remove(event.place) }
        }
    }

    /// Whether a file is being written.
    var isWriting: Bool { !written.isEmpty }

    /// When to read, if nothing else happens.
    var due: MonotonicTime {
        isWriting ? start + Self.writingLimit : min(last + Self.settlingTime, start + Self.settlingLimit)
    }
}
