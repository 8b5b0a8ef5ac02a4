import CLinuxShim
import Glibc
import NetTypes

/// What the process was given by the one who started it.
package enum ProcessIO {
    /// What the program was called as, `argv[0]`.
    package static var programName: String {
        // SAFETY: argv is ended by NULL, and both are the process' own for as long as it lives.
        unsafe CommandLine.unsafeArgv.pointee.map { unsafe String(cString: $0) } ?? ""
    }

    /// The value of one variable of the environment.
    package static func variable(_ name: String) -> String? {
        // SAFETY: the environment is only changed by setenv, which Apus never calls.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// The environment. Of a name that stands twice the first counts, as in getenv(3).
    package static func environment() -> [String: String] {
        // Most environments fit, and growing costs more than the room.
        var result: [String: String] = .init(minimumCapacity: 64)
        // SAFETY: environ is ended by NULL and is only changed by setenv, which Apus never calls.
        guard var entry = unsafe clinux_environ() else { return result }
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text)
            if let (before, after) = pair.halves(around: "=") {
                let name = String(before)
                if result[name] == nil { result[name] = String(after) }
            }
            unsafe entry += 1
        }
        return result
    }

    /// The device and the inode of standard error, `8:1234`; nil when it is closed.
    package static var standardErrorIdentity: String? {
        var raw = stat()
        // SAFETY: fstat fills the structure it is given.
        guard unsafe fstat(STDERR_FILENO, &raw) == 0 else { return nil }
        return "\(raw.st_dev):\(raw.st_ino)"
    }

    /// Whether the process has root's rights in its user namespace.
    package static var isRoot: Bool { geteuid() == 0 }

    /// The effective user's number.
    package static var userID: UInt32 { geteuid() }

    /// Has a write to a pipe that nobody reads fail with EPIPE instead of ending the process.
    package static func ignoreBrokenPipes() { clinux_handle_sigpipe(1) }

    /// All of standard input.
    ///
    /// - Throws: `EFBIG` when there is more than `limit` octets.
    package static func readStandardInput(limit: Int) throws(SystemError) -> [UInt8] {
        try FileDescriptor(owning: STDIN_FILENO).leak { file throws(SystemError) in
            try file.readAll(limit: limit, name: "standard input")
        }
    }

    /// What comes of standard input until it ends, at most for `patience`; see `FileDescriptor.readAll`.
    ///
    /// - Throws: `EFBIG` when there is more than `limit` octets.
    package static func readStandardInput(
        limit: Int, patience: Duration, pause: Duration, isEnough: ([UInt8]) -> Bool,
    ) throws(SystemError) -> [UInt8] {
        try FileDescriptor(owning: STDIN_FILENO).leak { file throws(SystemError) in
            try file.readAll(
                limit: limit, name: "standard input", until: BootClock.now() + patience, pause: pause,
                isEnough: isEnough)
        }
    }

    /// Writes to standard output.
    package static func writeStandardOutput(_ text: String) throws(SystemError) {
        try writeStandardOutput(Array(text.utf8))
    }

    /// Writes octets to standard output.
    package static func writeStandardOutput(_ bytes: [UInt8]) throws(SystemError) {
        try FileDescriptor(owning: STDOUT_FILENO).leak { file throws(SystemError) in
            try file.writeAll(bytes, name: "standard output")
        }
    }

    /// Writes to standard error; an error is swallowed, there being nowhere left to report it.
    package static func writeStandardError(_ text: String) { writeStandardError(Array(text.utf8)) }

    /// Writes octets to standard error, as the text.
    package static func writeStandardError(_ bytes: [UInt8]) {
        _ = try? FileDescriptor(owning: STDERR_FILENO).leak { file throws(SystemError) in
            try file.writeAll(bytes, name: "standard error")
        }
    }
}

extension FileDescriptor {
    /// Uses the number without ever closing it: the standard streams outlive every owner.
    fileprivate consuming func leak<Value>(
        _ body: (borrowing FileDescriptor) throws(SystemError) -> Value,
    ) throws(SystemError) -> Value {
        let number = rawValue
        discard self
        let borrowed = FileDescriptor(owning: number)
        do throws(SystemError) {
            let value = try body(borrowed)
            borrowed.forget()
            return value
        } catch {
            borrowed.forget()
            throw error
        }
    }

    fileprivate consuming func forget() { discard self }
}
