import CLinuxShim
import Glibc
package import NetTypes

/// Tells which links there are by index, without the kernel's lock on links (netdevice(7), SIOCGIFNAME).
///
/// While a link is removed rtnetlink answers nobody: it takes a lock that the removal holds. This look-up takes none,
/// and sees the link gone as soon as it is unlisted. The way from a name to an index has no such form: for a name that
/// no link has the kernel would try to load a module.
package struct LinkNames: ~Copyable, Sendable {
    /// How long between two looks while something is waited for.
    private static let pauseNanoseconds = 40_000

    private let socket: FileDescriptor

    /// Opens a socket in the calling thread's network namespace.
    package init() throws(SystemError) {
        let number = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let code = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("socket", "link names", code) }
        socket = FileDescriptor(owning: number)
    }

    /// The name of the link of that index; nil when there is none.
    package borrowing func name(of index: UInt32) throws(SystemError) -> String? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE) + 1)
        // SAFETY: the call writes at most IF_NAMESIZE octets, and the last of the array stays NUL.
        let result = unsafe clinux_link_name(socket.rawValue, index, &name)
        let code = SystemErrorCode.last
        guard result == 0 else {
            guard code == .ENODEV || code == .ENXIO else { throw SystemError("SIOCGIFNAME", "if\(index)", code) }
            return nil
        }
        var octets: [UInt8] = []
        for octet in name {
            if octet == 0 { break }
            octets.append(UInt8(bitPattern: octet))
        }
        return String(decoding: octets, as: UTF8.self)
    }

    /// Waits until none of the links is there.
    ///
    /// - Parameter isOver: asked at every look; true ends the waiting.
    /// - Returns: the indices that are still there, at the deadline or when it is over.
    package borrowing func waitUntilGone(
        _ indices: [UInt32], until deadline: MonotonicTime, unless isOver: () -> Bool = { false },
    ) throws(SystemError) -> [UInt32] {
        clinux_exact_timers()
        // In the order in which the kernel unlists them, so that the last one tells of all.
        var left = indices
        while let last = left.last {
            if try name(of: last) == nil {
                left.removeLast()
                continue
            }
            if isOver() || BootClock.now() >= deadline { return left }
            var pause = timespec(tv_sec: 0, tv_nsec: Self.pauseNanoseconds)
            // SAFETY: the structure outlives the call; a pause cut short by a signal does no harm.
            _ = unsafe nanosleep(&pause, nil)
        }
        return []
    }
}
