import Glibc
package import NetTypes

/// The clock that counts from the boot, sleep included (CLOCK_BOOTTIME).
package enum BootClock {
    /// The time now.
    package static func now() -> MonotonicTime {
        var time = timespec()
        // SAFETY: clock_gettime fills the structure; with a known clock and a valid address it cannot fail.
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }
}

/// The identity of the running boot.
package enum BootID {
    /// The kernel's random number for this boot, as it prints it.
    package static func current() throws(SystemError) -> String {
        try Sysctl.read(["kernel", "random", "boot_id"])
    }
}

/// Kernel settings under /proc/sys. Those under `net` are the calling thread's namespace's.
package enum Sysctl {
    /// The value, without the line's end.
    ///
    /// - Parameter path: the parts below /proc/sys, so that a link's name may hold a dot.
    package static func read(_ path: [String]) throws(SystemError) -> String {
        let file = try resolve(path)
        var bytes = try FileDescriptor.open(file, O_RDONLY).readAll(limit: 4096, name: file)
        while let last = bytes.last, last == 0x0a { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a value.
    package static func write(_ path: [String], _ value: String) throws(SystemError) {
        let file = try resolve(path)
        try FileDescriptor.open(file, O_WRONLY).writeAll(Array("\(value)\n".utf8), name: file)
    }

    /// Opens a setting for writing and writes nothing.
    ///
    /// - Throws: `EROFS`, `EACCES` and their kin where it cannot be written.
    package static func checkWritable(_ path: [String]) throws(SystemError) {
        _ = try FileDescriptor.open(resolve(path), O_WRONLY)
    }

    /// Opens a setting for reading.
    static func open(_ path: [String]) throws(SystemError) -> FileDescriptor {
        try FileDescriptor.open(resolve(path), O_RDONLY)
    }

    private static func resolve(_ path: [String]) throws(SystemError) -> String {
        for part in path where part.isEmpty || part == "." || part == ".." || part.utf8.contains(0x2f) {
            throw SystemError("sysctl", path.joined(separator: "/"), .EINVAL)
        }
        return path.reduce("/proc/sys") { $0 + "/" + $1 }
    }
}
