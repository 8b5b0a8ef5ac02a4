import LinuxOS
package import Logging

/// Logs to systemd's journal by way of standard error: each line begins with its syslog priority in angle brackets
/// (sd-daemon(3)), so that `journalctl -p warning` finds it, and has no time, which the journal knows.
package struct JournalLogHandler: LogHandler {
    package var logLevel = Logger.Level.info
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    /// Makes one with nothing but its defaults.
    package init() {}

    /// Whether standard error is a stream of the journal: the service manager names its device and inode in
    /// `JOURNAL_STREAM` (systemd.exec(5)). A child that has redirected it inherits the name all the same.
    package static var isJournalAtHand: Bool {
        guard let stream = ProcessIO.variable("JOURNAL_STREAM") else { return false }
        return stream == ProcessIO.standardErrorIdentity
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) { ProcessIO.writeStandardError(text(of: event)) }

    /// The event as a line: the message, then the metadata by name. Each line of a message of several has the priority.
    func text(of event: LogEvent) -> String {
        var metadata = metadata
        for more in [metadataProvider?.get(), event.metadata] { metadata.merge(more ?? [:]) { $1 } }
        var text = "\(event.message)"
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) { text += " \(name)=\(value)" }
        let priority = "<\(event.level.syslogPriority)>"
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(priority)\($0)\n" }.joined()
    }
}

extension Logger.Level {
    /// The number of syslog(3).
    fileprivate var syslogPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
