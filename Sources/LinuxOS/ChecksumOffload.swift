import CLinuxShim
import Glibc

/// Who computes the checksums of what a link sends: the device behind it, or the kernel before it sends (ethtool(8),
/// `tx-checksumming`; `ETHTOOL_GTXCSUM` and `ETHTOOL_STXCSUM` in linux/ethtool.h).
///
/// Both calls are about the calling thread's network namespace.
package enum ChecksumOffload {
    /// Whether the kernel leaves the checksums to the device; nil when there is no such link, or it has no such setting.
    package static func isOn(_ link: String) throws(SystemError) -> Bool? {
        do throws(SystemError) {
            return try call(link, wanted: -1)
        } catch {
            guard error.code == .ENODEV || error.code == .EOPNOTSUPP else { throw error }
            return nil
        }
    }

    /// Leaves the checksums to the device, or to the kernel. What segmentation the device does for the kernel follows.
    package static func set(_ link: String, isOn: Bool) throws(SystemError) {
        _ = try call(link, wanted: isOn ? 1 : 0)
    }

    private static func call(_ link: String, wanted: Int32) throws(SystemError) -> Bool {
        // A longer name is no link's, and would be cut to one that may be.
        guard link.utf8.count < Int(IFNAMSIZ) else { throw SystemError("ethtool", link, .ENODEV) }
        let number = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let failure = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("socket", "ethtool", failure) }
        let socket = FileDescriptor(owning: number)
        // SAFETY: the name is a C string for the time of the call.
        let result = unsafe clinux_tx_checksum(socket.rawValue, link, wanted)
        let code = SystemErrorCode.last
        guard result >= 0 else { throw SystemError("ethtool tx-checksumming", link, code) }
        return result != 0
    }
}
