import CLinuxShim

/// Who a netlink socket is to the kernel (`nlmsg_pid`).
package struct NetlinkPort: Sendable, Hashable {
    /// The kernel's number.
    package let rawValue: UInt32

    /// Names a socket.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Lets a listening socket hear no more of what this port has asked for; it replaces an earlier such wish.
    ///
    /// - Throws: `SystemError` with the kernel's number; the socket then hears everything, as before.
    package func beIgnored(by descriptor: Int32) throws(SystemError) {
        guard clinux_ignore_netlink_port(descriptor, rawValue) == 0 else {
            throw SystemError("filter", "rtnetlink", .last)
        }
    }
}
