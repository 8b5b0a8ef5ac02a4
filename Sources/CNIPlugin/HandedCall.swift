import CCallHandover
import NetTypes
import NodeLink

/// A call on its way from the process that the runtime has started to the daemon, in one packet; the container's network
/// namespace goes with it as a descriptor. CCallHandover writes it and says what is in it.
package struct HandedCall: Sendable, Equatable {
    /// The longest packet, in octets.
    package static let maximumLength = Int(CALL_PACKET_LIMIT)

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
        variables.reserveCapacity(8)
        while true {
            guard let line = Self.text(packet, &place) else { return nil }
            if line.isEmpty { break }
            guard let (name, value) = line.halves(around: "=") else { return nil }
            variables[String(name)] = String(value)
        }
        self.init(version: version, netnsInode: inode, variables: variables, config: Array(packet[place...]))
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
    package static let maximumLength = Int(CALL_ANSWER_LIMIT)
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
