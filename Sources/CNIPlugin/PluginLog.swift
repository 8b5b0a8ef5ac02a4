import CNISpec
import LinuxOS
import NetTypes

/// Where the plugin says what it does: in the log file if there is one, else on standard error.
struct PluginLog: Sendable {
    /// The least severe line that is written.
    let level: NetworkConfig.LogLevel
    /// The log file.
    let path: String?
    /// The size in octets beyond which a file is put aside and another begun, and how many of those are kept.
    var rotation = LogFile.Rotation.standard
    /// Who is told the lines, and has a standard error of its own.
    var client: (any CallClient)?

    /// Whether a line of this severity is written.
    func writes(_ level: NetworkConfig.LogLevel) -> Bool { level.severity >= self.level.severity }

    /// Writes one line. Its time is the boot clock's, as in the kernel's log. A log that cannot be written is no reason
    /// to fail: the line goes to standard error then.
    func write(_ level: NetworkConfig.LogLevel, _ message: @autoclosure () -> String) {
        guard writes(level) else { return }
        let microseconds = BootClock.now().nanoseconds / 1000
        // The leading 1 keeps the zeroes, and goes.
        let fraction = String(String(1_000_000 + microseconds % 1_000_000).dropFirst())
        let line = "[\(microseconds / 1_000_000).\(fraction)] \(level.rawValue) apus: \(message())\n"
        if let client { return client.hear(line) }
        guard let path else { return ProcessIO.writeStandardError(line) }
        do throws(SystemError) {
            try LogFile.append(Array(line.utf8), to: path, rotation)
        } catch {
            ProcessIO.writeStandardError("\(line)apus: logFile: \(error)\n")
        }
    }
}

extension NetworkConfig.LogLevel {
    fileprivate var severity: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}
