import CLinuxShim
import Glibc
package import NetTypes

/// What protects a TCP connection between two routers: a key that both know, and the distance a packet may have come.
///
/// All of it is set on a socket that somebody else owns, by its number.
package enum TCPProtection {
    /// The TTL of what is sent where distance counts: no router adds to it (RFC 5082 §3).
    package static let maximumTTL: UInt8 = 255

    /// Sets the TCP-MD5 key for segments to and from a peer (RFC 2385), on a socket before it connects or on one that
    /// listens. No octets remove it. A removal of a key that is not there succeeds.
    ///
    /// - Throws: `EINVAL` for a key of more than 80 octets, `EPERM` or `ENOPROTOOPT` where the kernel knows no TCP-MD5.
    package static func setMD5Key(_ key: [UInt8], for peer: IPAddress, on socket: Int32) throws(SystemError) {
        let address = peer.bytes
        // SAFETY: the call copies the address and the key, each of the length it is given.
        let result = unsafe clinux_tcp_md5(socket, address, address.count, key, key.count)
        let code = SystemErrorCode.last
        if result != 0, !(key.isEmpty && code == .ENOENT) { throw SystemError("TCP_MD5SIG", peer.description, code) }
    }

    /// Sends with the largest TTL, as a peer with GTSM asks for (RFC 5082).
    package static func sendFarthest(_ family: AddressFamily, on socket: Int32) throws(SystemError) {
        switch family {
        case .ipv4: try set(IPPROTO_IP, IP_TTL, to: maximumTTL, on: socket, name: "IP_TTL")
        case .ipv6: try set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, to: maximumTTL, on: socket, name: "IPV6_UNICAST_HOPS")
        }
    }

    /// Has a socket that listens at every address take no IPv4 connection, so that another can.
    package static func acceptIPv6Alone(on socket: Int32) throws(SystemError) {
        try set(IPPROTO_IPV6, IPV6_V6ONLY, to: 1, on: socket, name: "IPV6_V6ONLY")
    }

    /// Makes the kernel drop what came with a smaller TTL (RFC 5082).
    package static func acceptFrom(ttl: UInt8, _ family: AddressFamily, on socket: Int32) throws(SystemError) {
        switch family {
        case .ipv4: try set(IPPROTO_IP, clinux_ip_minttl(), to: ttl, on: socket, name: "IP_MINTTL")
        case .ipv6: try set(IPPROTO_IPV6, clinux_ipv6_minhopcount(), to: ttl, on: socket, name: "IPV6_MINHOPCOUNT")
        }
    }

    private static func set(
        _ level: some BinaryInteger, _ option: Int32, to value: UInt8, on socket: Int32, name: String,
    ) throws(SystemError) {
        var number = Int32(value)
        // SAFETY: the call reads one number of the size it is given.
        let result = unsafe setsockopt(socket, Int32(level), option, &number, socklen_t(MemoryLayout<Int32>.size))
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError(name, "\(value)", code) }
    }
}
