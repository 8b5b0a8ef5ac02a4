import NetTypes

/// A TCP socket that listens (proc_pid_net(5): /proc/net/tcp and tcp6, state 0A).
struct TCPListener: Equatable {
    /// Where it listens; the unspecified address stands for every one.
    let address: IPAddress
    /// The port.
    let port: UInt16
    /// The socket's inode, by which its holder is found.
    let inode: String

    /// Reads a line of either table; nil for a socket that does not listen.
    init?(line: String) {
        let fields = line.split(separator: " ")
        // sl, local address, remote address, state, queues, timer, retransmissions, uid, timeout, inode.
        guard fields.count > 9, fields[3] == "0A" else { return nil }
        let parts = fields[1].split(separator: ":")
        guard parts.count == 2, let address = Self.address(parts[0]), let port = UInt16(parts[1], radix: 16)
        else { return nil }
        self.address = address
        self.port = port
        inode = String(fields[9])
    }

    /// Whether nobody else can listen at that address and this port. A socket at `::` may have IPv4 as well: the tables
    /// do not say.
    func excludes(_ other: IPAddress) -> Bool {
        if address.isUnspecified { return address.family == .ipv6 || other.family == .ipv4 }
        return address == other || other.isUnspecified && address.family == other.family
    }

    /// Numbers of 32 bits as the host reads them, each in the order of the network.
    private static func address(_ text: Substring) -> IPAddress? {
        var words: [UInt32] = []
        var rest = text
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            words.append(UInt32(bigEndian: word))
            rest = rest.dropFirst(8)
        }
        switch words.count {
        case 1: return .v4(IPv4Address(rawValue: words[0]))
        // An IPv4 address in the form of IPv6 (RFC 4291 §2.5.5.2).
        case 4 where words[0] == 0 && words[1] == 0 && words[2] == 0xffff:
            return .v4(IPv4Address(rawValue: words[3]))
        case 4:
            return .v6(
                IPv6Address(
                    high: UInt64(words[0]) << 32 | UInt64(words[1]), low: UInt64(words[2]) << 32 | UInt64(words[3])))
        default: return nil
        }
    }
}

extension IPAddress {
    /// Whether it stands for every address of its family.
    fileprivate var isUnspecified: Bool {
        switch self {
        case .v4(let address): address.rawValue == 0
        case .v6(let address): address.high == 0 && address.low == 0
        }
    }
}
