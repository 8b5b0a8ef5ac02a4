import CNISpec
import IPAMCore
import LinuxOS
import NetTypes

/// How long the steps of one call take. It costs one look at the clock for each step, and text only where something is
/// to be said.
final class StepTrace {
    /// A call that takes longer explains itself.
    private static let slowness = Duration.milliseconds(500)

    private let log: PluginLog
    private let command: StaticString
    private let key: AttachmentKey
    private let startedAt: MonotonicTime
    private var lastAt: MonotonicTime
    private var steps: [(name: StaticString, duration: Duration)] = []

    /// Starts the clock; the lines begin with the command and the key.
    init(_ log: PluginLog, _ command: StaticString, _ key: AttachmentKey) {
        self.log = log
        self.command = command
        self.key = key
        startedAt = BootClock.now()
        lastAt = startedAt
    }

    /// Notes that a step has ended here, and begun where the one before ended.
    func ended(_ name: StaticString) {
        let now = BootClock.now()
        let duration = now - lastAt
        lastAt = now
        steps.append((name, duration))
        if log.writes(.debug) { log.write(.debug, "\(command) \(key): \(name) took \(Self.text(duration))") }
    }

    /// Ends the call: one that was slow says where the time went.
    func finish() {
        let total = BootClock.now() - startedAt
        guard total >= Self.slowness else { return }
        let parts = steps.map { "\($0.name) \(Self.text($0.duration))" } + ["the rest \(Self.text(rest(of: total)))"]
        log.write(.warning, "\(command) \(key): slow, \(Self.text(total)): \(parts.joined(separator: ", "))")
    }

    private func rest(of total: Duration) -> Duration {
        total - steps.reduce(.zero) { $0 + $1.duration }
    }

    /// Milliseconds with three digits behind the point.
    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        let fraction = String(microseconds % 1000)
        return "\(microseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction) ms"
    }
}
