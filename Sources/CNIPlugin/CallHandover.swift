import LinuxOS
import NetTypes
import NodeStore

/// Has the daemon carry a call out, by the same code and in a process that is warm: this one lives for a millisecond, of
/// which it would take most to fetch its code and its memory.
///
/// It is an offer. Where there is no daemon, or it is silent, of another version or in another network namespace, or
/// the call needs what only the caller has, this process does it by itself, as it would have done. The store knows no
/// difference: should the daemon be killed over a call, this process finds what a killed one has left, and finishes it.
package enum CallHandover {
    /// How long the daemon may take to take the call. It may have many, but so has this machine then.
    private static let takingTime = Duration.milliseconds(250)
    /// How long it may be at work after that: a block may have to be claimed, and a lock to be waited for.
    private static let workTime = Duration.seconds(25)
    private static let key: StaticString = "\"runDir\""

    /// What has become of an offer.
    enum Outcome: Sendable {
        /// The daemon has carried the call out.
        case done(status: Int32, output: [UInt8], log: [UInt8])
        /// It has not touched anything.
        case declined
        /// It may have carried it out and has not answered; what is younger than this is its work.
        case lost(since: MonotonicTime)
    }

    /// Whether a call is worth it: its variables are there, so that it will need standard input in any case.
    static func serves(_ environment: CallVariables) -> Bool {
        let needed: [String]
        switch environment["CNI_COMMAND"] {
        case "ADD": needed = ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS"]
        case "DEL": needed = ["CNI_CONTAINERID", "CNI_IFNAME"]
        default: return false
        }
        for name in needed where environment[name] ?? "" == "" { return false }
        return true
    }

    /// Hands the call over and waits for its end.
    ///
    /// - Parameter config: standard input.
    static func outcome(of environment: CallVariables, config: [UInt8]) -> Outcome {
        guard let directory = runDirectory(of: config) else { return .declined }
        let netns = environment["CNI_NETNS"] ?? ""
        // A DEL may come when it is gone; an ADD is declined without it, and says by itself what is wrong.
        let sandbox = netns.isEmpty ? nil : try? NetNS.open(netns)
        let startedAt = BootClock.now()
        var hasSent = false
        do throws(SystemError) {
            let packet = HandedCall.packet(netnsInode: try NetNS.current().inode, config: config) { environment[$0] }
            guard packet.count <= HandedCall.maximumLength else { return .declined }
            // The daemon is woken by the connection, and finds the packet there.
            let stream = try PacketStream.connect(RunDirectory.callSocketPath(in: directory), timeout: takingTime)
            guard try stream.peerCredentials().userID == 0 else { return .declined }
            hasSent = true
            switch sandbox {
            case .some(let sandbox): try stream.send(packet, with: sandbox.descriptor.rawValue)
            case .none: try stream.send(packet)
            }
            switch CallVerdict(packet: try verdict(over: stream)) {
            case .done(let status, let output, let log)?: return .done(status: Int32(status), output: output, log: log)
            case .declined?: return .declined
            case nil: return .lost(since: startedAt)
            }
        } catch {
            return hasSent ? .lost(since: startedAt) : .declined
        }
    }

    private static func verdict(over stream: borrowing PacketStream) throws(SystemError) -> [UInt8] {
        do throws(SystemError) {
            return try stream.receive(limit: CallVerdict.maximumLength).bytes
        } catch {
            guard error.code == .EAGAIN else { throw error }
            // In this order: a daemon that receives the call from here on finds it withdrawn, and one that has received it
            // answers, be it that it declines.
            try stream.finishSending()
            guard try !stream.hasUnreadOutput() else { return CallVerdict.declined.packet }
            try stream.setTimeout(workTime)
            return try stream.receive(limit: CallVerdict.maximumLength).bytes
        }
    }

    /// The run directory that the configuration names, else the usual one. It is looked for without reading the JSON, which
    /// would take longer than all the rest: the daemon reads it, and declines if it is not its own.
    ///
    /// - Returns: nil for a text that is not plain.
    package static func runDirectory(of config: [UInt8]) -> String? {
        let length = key.utf8CodeUnitCount
        guard config.count > length else { return RunDirectory.defaultPath }
        for place in 0..<(config.count - length) where config[place] == UInt8(ascii: "\"") {
            if isKey(in: config, at: place) { return string(in: config, from: place + length) }
        }
        return RunDirectory.defaultPath
    }

    private static func isKey(in config: [UInt8], at place: Int) -> Bool {
        // SAFETY: the text is the program's own, and the caller has seen that as much is left of the configuration.
        key.withUTF8Buffer { key in
            for index in 0..<key.count where unsafe config[place + index] != key[index] { return false }
            return true
        }
    }

    /// The text after a colon.
    private static func string(in config: [UInt8], from start: Int) -> String? {
        var place = start
        var colons = 0
        while place < config.count, config[place] != UInt8(ascii: "\"") {
            switch config[place] {
            case UInt8(ascii: ":"): colons += 1
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default: return nil
            }
            place += 1
        }
        let first = place + 1
        guard colons == 1, first < config.count else { return nil }
        var end = first
        while end < config.count, config[end] != UInt8(ascii: "\"") {
            if config[end] == UInt8(ascii: "\\") { return nil }
            end += 1
        }
        guard end < config.count else { return nil }
        return String(validating: config[first..<end], as: UTF8.self)
    }
}
