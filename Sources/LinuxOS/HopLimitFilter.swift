import CLinuxShim
import Glibc
package import NetTypes

/// Takes only what has passed no router (RFC 5082), on a datagram socket.
///
/// IP_MINTTL is for TCP alone. A filter in the socket looks at the TTL of the packet's header instead, so that what came
/// from afar wakes nobody.
package enum HopLimitFilter {
    /// Makes the kernel drop datagrams that came with a TTL below 255, and send with 255.
    ///
    /// - Parameter acceptsAny: whether to take datagrams from afar all the same (RFC 5883), and only send with 255.
    package static func install(
        _ family: AddressFamily, acceptsAny: Bool, on socket: Int32,
    ) throws(SystemError) {
        try TCPProtection.sendFarthest(family, on: socket)
        guard !acceptsAny else { return }
        // Where the TTL is in an IPv4 header, and the hop limit in an IPv6 header.
        let result = clinux_require_octet(socket, family == .ipv4 ? 8 : 7, TCPProtection.maximumTTL)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("SO_ATTACH_FILTER", "TTL 255", code) }
    }
}
