import Logging
import NetTypes

/// How much the log says of what others cause: a neighbour that errs again and again must not fill the disk.
///
/// Of each subject a few lines are written in a minute; what is left out is counted, and the count goes with the next
/// line. There may be any number of subjects, such as addresses that connect: those beyond `subjectLimit` share one.
struct LogPace<Subject: Hashable & Sendable>: Sendable {
    private struct Window: Sendable {
        var end: MonotonicTime
        var lines = 0
        var leftOut = 0
    }

    /// How many lines a subject has in a window.
    static var linesPerWindow: Int { 5 }
    /// How long a window is.
    static var window: Duration { .seconds(60) }
    /// How many subjects have windows of their own.
    static var subjectLimit: Int { 64 }

    private var windows: [Subject: Window] = [:]
    private var others: Window?

    /// Whether a line about `subject` is to be written: nil if it is left out, else how many were since the last.
    mutating func line(about subject: Subject, at now: MonotonicTime) -> Int? {
        if windows[subject] == nil, windows.count >= Self.subjectLimit { forget(at: now) }
        guard windows[subject] != nil || windows.count < Self.subjectLimit else {
            return Self.line(in: &others, at: now)
        }
        return Self.line(in: &windows[subject], at: now)
    }

    /// Forgets the subjects whose windows are over. What was left out of them is told with the next of the others.
    private mutating func forget(at now: MonotonicTime) {
        let leftOut = windows.values.reduce(0) { $1.end <= now ? $0 + $1.leftOut : $0 }
        windows = windows.filter { $0.value.end > now }
        guard leftOut > 0 else { return }
        others = others ?? Window(end: now + Self.window)
        others?.leftOut += leftOut
    }

    private static func line(in window: inout Window?, at now: MonotonicTime) -> Int? {
        var current = window ?? Window(end: now + Self.window)
        defer { window = current }
        if current.end <= now {
            current.end = now + Self.window
            current.lines = 0
        }
        guard current.lines < linesPerWindow else {
            current.leftOut += 1
            return nil
        }
        current.lines += 1
        defer { current.leftOut = 0 }
        return current.leftOut
    }
}

extension Logger.Metadata {
    /// With the number of lines like it that were left out, if any were.
    func with(leftOut count: Int) -> Self {
        count == 0 ? self : merging(["leftOut": "\(count)"]) { own, _ in own }
    }
}
