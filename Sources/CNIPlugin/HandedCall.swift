import NetTypes
import NodeLink

/// A call on its way from the process that the runtime has started to the daemon, in one packet; the container's network
/// namespace goes with it as a descriptor.
///
/// The packet holds texts, each ended by NUL: the version of the program, the inode of the caller's network namespace, then
/// `NAME=VALUE` for each variable, then an empty one. The rest is standard input.
package struct HandedCall: Sendable, Equatable {
    /// The longest packet, in octets. What is longer is not handed over: its result might not fit into a packet. A result
    /// has less than ten times the octets of what it is made of, written out with a line for each member.
    package static let maximumLength = 8 << 10
    /// The variables that a call goes by.
    static let names = [
        "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH", "CNI_NETNS_OVERRIDE",
    ]

    /// The version of the caller's program.
    package var version: String
    /// The inode of the network namespace the caller is in.
    package var netnsInode: UInt64
    /// The CNI variables that are set.
    package var variables: [String: String]
    /// Standard input.
    package var config: [UInt8]

    /// Joins the four.
    package init(
        version: String = ProgramVersion.current, netnsInode: UInt64, variables: [String: String], config: [UInt8],
    ) {
        self.version = version
        self.netnsInode = netnsInode
        self.variables = variables
        self.config = config
    }

    /// Reads a packet; nil if it is none.
    package init?(packet: [UInt8]) {
        var place = 0
        guard let version = Self.text(packet, &place), let inode = Self.text(packet, &place).flatMap({ UInt64($0) })
        else { return nil }
        var variables: [String: String] = [:]
        variables.reserveCapacity(Self.names.count)
        while true {
            guard let line = Self.text(packet, &place) else { return nil }
            if line.isEmpty { break }
            guard let (name, value) = line.halves(around: "=") else { return nil }
            variables[String(name)] = String(value)
        }
        self.init(version: version, netnsInode: inode, variables: variables, config: Array(packet[place...]))
    }

    /// The packet of this program's version.
    ///
    /// - Parameter variable: the value of a variable; nil when it is not set.
    package static func packet(netnsInode: UInt64, config: [UInt8], _ variable: (String) -> String?) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(config.count + 1024)
        append(ProgramVersion.current, to: &bytes)
        append("\(netnsInode)", to: &bytes)
        for name in names {
            guard let value = variable(name) else { continue }
            bytes += name.utf8
            bytes.append(UInt8(ascii: "="))
            append(value, to: &bytes)
        }
        bytes.append(0)
        bytes += config
        return bytes
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes += text.utf8
        bytes.append(0)
    }

    /// The text that begins at a place, which is moved behind its NUL; nil if there is none, or it is not UTF-8.
    private static func text(_ packet: [UInt8], _ place: inout Int) -> String? {
        let start = place
        while place < packet.count, packet[place] != 0 { place += 1 }
        guard place < packet.count else { return nil }
        defer { place += 1 }
        let octets = packet[start..<place]
        // To see that all of it is ASCII costs little, and most texts are.
        if octets.allSatisfy({ $0 < 0x80 }) { return String(decoding: octets, as: UTF8.self) }
        return String(validating: octets, as: UTF8.self)
    }
}

/// What the daemon says of a call, in one packet.
package enum CallVerdict: Sendable, Equatable {
    /// The caller is to do it by itself; nothing has been touched.
    case declined
    /// It is done: the exit status, and what goes to standard output and standard error.
    case done(status: UInt8, output: [UInt8], log: [UInt8])

    /// The longest packet, in octets: less than a socket takes unless somebody has made it smaller.
    package static let maximumLength = 192 << 10
    /// The most octets for standard error; what is more is left out.
    package static let maximumLog = 16 << 10
    private static let headLength = 6

    /// Reads a packet; nil if it is none.
    package init?(packet: [UInt8]) {
        switch packet.first {
        case UInt8(ascii: "d") where packet.count == 1: self = .declined
        case UInt8(ascii: "r") where packet.count >= Self.headLength:
            let length = packet[2..<Self.headLength].reduce(0) { $0 << 8 | Int($1) }
            guard length <= packet.count - Self.headLength else { return nil }
            let end = Self.headLength + length
            self = .done(status: packet[1], output: Array(packet[end...]), log: Array(packet[Self.headLength..<end]))
        default: return nil
        }
    }

    /// The packet: `d`, or `r`, the status, four octets of the log's length (the first the highest), log, output.
    package var packet: [UInt8] {
        switch self {
        case .declined: return [UInt8(ascii: "d")]
        case .done(let status, let output, let log):
            let log = log.prefix(Self.maximumLog)
            let length = UInt32(log.count)
            return [UInt8(ascii: "r"), status] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + log
                + output
        }
    }
}
