import CLinuxShim
import Glibc

/// A system call that failed: what was tried, on what, and the kernel's answer.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The call or the verb: `open`, `flock`, `read`.
    package let operation: String
    /// The path, descriptor or name it was tried on.
    package let object: String
    /// The error number.
    package let code: SystemErrorCode

    /// Makes an error of its three parts.
    package init(_ operation: String, _ object: String, _ code: SystemErrorCode) {
        self.operation = operation
        self.object = object
        self.code = code
    }

    /// `open /run/x: Permission denied`.
    package var description: String { "\(operation) \(object): \(code)" }
}

/// An error number of the kernel (errno(3)).
package struct SystemErrorCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number, positive.
    package let rawValue: Int32

    /// Takes any number.
    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Whether there is no room left on a disk, for anybody or for this user.
    package var isLackOfRoom: Bool { self == .ENOSPC || self == .EDQUOT }

    /// The error the calling thread's last failed call left. To be read on the very next line after the call.
    package static var last: SystemErrorCode { SystemErrorCode(rawValue: errno) }

    /// The kernel's symbol: `EEXIST`; the number for one that has none.
    package var name: String {
        // SAFETY: strerrorname_np answers NULL or a string that lives as long as the process.
        guard let text = unsafe clinux_strerrorname(rawValue) else { return "errno \(rawValue)" }
        return unsafe String(cString: text)
    }

    /// The text of strerror(3): `File exists`.
    package var description: String {
        // SAFETY: strerrordesc_np answers NULL or a string that lives as long as the process.
        guard let text = unsafe clinux_strerrordesc(rawValue) else { return "errno \(rawValue)" }
        return unsafe String(cString: text)
    }
}

extension SystemErrorCode {
    package static let EPERM = SystemErrorCode(rawValue: Glibc.EPERM)
    package static let ENOENT = SystemErrorCode(rawValue: Glibc.ENOENT)
    package static let ESRCH = SystemErrorCode(rawValue: Glibc.ESRCH)
    package static let EINTR = SystemErrorCode(rawValue: Glibc.EINTR)
    package static let EIO = SystemErrorCode(rawValue: Glibc.EIO)
    package static let ENXIO = SystemErrorCode(rawValue: Glibc.ENXIO)
    package static let EBADF = SystemErrorCode(rawValue: Glibc.EBADF)
    package static let EAGAIN = SystemErrorCode(rawValue: Glibc.EAGAIN)
    package static let ENOMEM = SystemErrorCode(rawValue: Glibc.ENOMEM)
    package static let EACCES = SystemErrorCode(rawValue: Glibc.EACCES)
    package static let EBUSY = SystemErrorCode(rawValue: Glibc.EBUSY)
    package static let EEXIST = SystemErrorCode(rawValue: Glibc.EEXIST)
    package static let ENODEV = SystemErrorCode(rawValue: Glibc.ENODEV)
    package static let ENOTDIR = SystemErrorCode(rawValue: Glibc.ENOTDIR)
    package static let EISDIR = SystemErrorCode(rawValue: Glibc.EISDIR)
    package static let EINVAL = SystemErrorCode(rawValue: Glibc.EINVAL)
    package static let EFBIG = SystemErrorCode(rawValue: Glibc.EFBIG)
    package static let ENOSPC = SystemErrorCode(rawValue: Glibc.ENOSPC)
    package static let EDQUOT = SystemErrorCode(rawValue: Glibc.EDQUOT)
    package static let EROFS = SystemErrorCode(rawValue: Glibc.EROFS)
    package static let EPIPE = SystemErrorCode(rawValue: Glibc.EPIPE)
    package static let ENAMETOOLONG = SystemErrorCode(rawValue: Glibc.ENAMETOOLONG)
    package static let ENOTEMPTY = SystemErrorCode(rawValue: Glibc.ENOTEMPTY)
    package static let ELOOP = SystemErrorCode(rawValue: Glibc.ELOOP)
    package static let EPROTO = SystemErrorCode(rawValue: Glibc.EPROTO)
    package static let EMSGSIZE = SystemErrorCode(rawValue: Glibc.EMSGSIZE)
    package static let EOPNOTSUPP = SystemErrorCode(rawValue: Glibc.EOPNOTSUPP)
    package static let EAFNOSUPPORT = SystemErrorCode(rawValue: Glibc.EAFNOSUPPORT)
    package static let EADDRINUSE = SystemErrorCode(rawValue: Glibc.EADDRINUSE)
    package static let EADDRNOTAVAIL = SystemErrorCode(rawValue: Glibc.EADDRNOTAVAIL)
    package static let ENETDOWN = SystemErrorCode(rawValue: Glibc.ENETDOWN)
    package static let ENETUNREACH = SystemErrorCode(rawValue: Glibc.ENETUNREACH)
    package static let ECONNRESET = SystemErrorCode(rawValue: Glibc.ECONNRESET)
    package static let ECONNREFUSED = SystemErrorCode(rawValue: Glibc.ECONNREFUSED)
    package static let ECONNABORTED = SystemErrorCode(rawValue: Glibc.ECONNABORTED)
    package static let ENOBUFS = SystemErrorCode(rawValue: Glibc.ENOBUFS)
    package static let ENOTCONN = SystemErrorCode(rawValue: Glibc.ENOTCONN)
    package static let ETIMEDOUT = SystemErrorCode(rawValue: Glibc.ETIMEDOUT)
    package static let EHOSTUNREACH = SystemErrorCode(rawValue: Glibc.EHOSTUNREACH)
}
