import CLibNL
import LinuxOS

/// An abstract name of a network namespace (unix(7)) and whose it is, as the kernel has it (sock_diag(7)).
package struct UnixName: Sendable, Hashable {
    /// The name, without the NUL before it.
    package let name: String
    /// The inode of its socket: `socket:[INODE]` in /proc/PID/fd.
    package let inode: UInt32
    /// The user who made the socket, as this process's user namespace counts; who is none there is 65534. Nil on a kernel
    /// before 5.3, which does not tell.
    package let userID: UInt32?

    /// The abstract names of the calling thread's network namespace.
    ///
    /// - Throws: `NetlinkError` when the kernel does not answer, as one without unix_diag.
    package static func all() throws(NetlinkError) -> [UnixName] {
        var socket = try NetlinkSocket(diagnosing: .seconds(2))
        var message = try NetlinkMessage()
        var request = unix_diag_req()
        request.sdiag_family = UInt8(AF_UNIX)
        request.udiag_states = .max
        request.udiag_show = UInt32(UDIAG_SHOW_NAME | UDIAG_SHOW_UID)
        message.begin(SOCK_DIAG_BY_FAMILY, flags: 0, request)
        return try socket.dump(message, .socketList, "Unix sockets", decode: UnixName.init(payload:))
    }

    /// Nil for a socket that has no abstract name.
    private init?(payload: RawSpan) {
        guard let header = payload.load(unix_diag_msg.self, at: 0) else { return nil }
        var name: String?
        var userID: UInt32?
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<unix_diag_msg>.size) { type, value in
            switch type {
            case UNIX_DIAG_NAME where value.load(UInt8.self, at: 0) == 0:
                name = String(decoding: value.octets.dropFirst(), as: UTF8.self)
            case UNIX_DIAG_UID: userID = value.uint32
            default: break
            }
        }
        guard let name else { return nil }
        self.name = name
        inode = header.udiag_ino
        self.userID = userID
    }
}
