import CLinuxShim
import Glibc

/// The index of a link by its name (SIOCGIFINDEX, netdevice(7)): a look-up that waits for nobody's work on links.
///
/// For links that are there: for a name that no link has the kernel would first try to load a module.
package enum LinkIndex {
    /// The index in the namespace of the socket; nil when no link has the name.
    ///
    /// - Parameter socket: the number of any open socket.
    package static func of(_ name: String, over socket: Int32) throws(SystemError) -> UInt32? {
        // A longer name is no link's, and would be cut to one that may be.
        guard name.utf8.count < Int(IFNAMSIZ) else { return nil }
        // SAFETY: the name is a C string for the time of the call.
        let index = unsafe clinux_link_index(socket, name)
        let code = SystemErrorCode.last
        if let found = UInt32(exactly: index) { return found }
        if code == .ENODEV { return nil }
        throw SystemError("look up", name, code)
    }
}
