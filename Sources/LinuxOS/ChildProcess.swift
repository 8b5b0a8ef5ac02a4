import CLinuxShim
import Glibc
package import NetTypes

/// Another program, run to its end.
package enum ChildProcess {
    /// What became of it.
    package struct Ending: Sendable, Equatable {
        /// What it wrote to standard output.
        package var output: [UInt8]
        /// Its exit status; nil if a signal ended it.
        package var status: Int32?
        /// The signal that ended it, or 0.
        package var signal: Int32
    }

    /// Starts a program and waits for its end.
    ///
    /// It has this process' standard error, and no other descriptor of it, and is killed when the calling thread ends:
    /// what it would do later is nobody's to take back. Input and output are files in memory, not pipes: neither side
    /// ever waits for the other, and what the program leaves running holds nobody up.
    ///
    /// - Parameters:
    ///   - path: the program's file; no search path is looked at.
    ///   - environment: all of its environment.
    ///   - input: what it reads from standard input.
    ///   - outputLimit: the largest output accepted, in octets.
    ///   - deadline: on `BootClock`; then it is killed.
    /// - Throws: `ETIMEDOUT` when it was killed at the deadline, `EFBIG` for too much output, and what keeps it from
    ///   being started.
    package static func run(
        _ path: String, environment: [String: String], input: [UInt8], outputLimit: Int, until deadline: MonotonicTime,
    ) throws(SystemError) -> Ending {
        let standardInput = try memoryFile("stdin")
        let standardOutput = try memoryFile("stdout")
        try standardInput.writeAll(input, name: "standard input of \(path)")
        try rewind(standardInput)
        clinux_default_sigchld()
        let id = try spawn(
            path, environment.map { "\($0.key)=\($0.value)" }, standardInput.rawValue, standardOutput.rawValue)
        let inTime = try hasEnded(id, path, until: deadline)
        if !inTime { _ = kill(id, SIGKILL) }
        var (status, signal): (Int32, Int32) = (-1, 0)
        // SAFETY: the call fills the two numbers.
        let result = unsafe clinux_reap(id, &status, &signal)
        let code = SystemErrorCode.last
        guard result == id else { throw SystemError("waitpid", path, code) }
        guard inTime else { throw SystemError("wait for the end of", path, .ETIMEDOUT) }
        try rewind(standardOutput)
        let output = try standardOutput.readAll(limit: outputLimit, name: "standard output of \(path)")
        return Ending(output: output, status: status < 0 ? nil : status, signal: signal)
    }

    /// Whether the process has ended in time. One that cannot be watched is killed: nobody would wait for it.
    private static func hasEnded(
        _ id: pid_t, _ path: String, until deadline: MonotonicTime,
    ) throws(SystemError) -> Bool {
        let number = clinux_pidfd(id)
        let code = SystemErrorCode.last
        guard number >= 0 else {
            _ = kill(id, SIGKILL)
            throw SystemError("pidfd_open", path, code)
        }
        let descriptor = FileDescriptor(owning: number)
        return try Poll.readable([descriptor.rawValue], until: deadline, name: path).contains(true)
    }

    private static func spawn(
        _ path: String, _ environment: [String], _ input: Int32, _ output: Int32,
    ) throws(SystemError) -> pid_t {
        // What is ignored stays so in a program that is started; it is not for this process to say so.
        let ignoresBrokenPipes = clinux_ignores_sigpipe()
        clinux_handle_sigpipe(0)
        defer { clinux_handle_sigpipe(ignoresBrokenPipes) }
        var id: pid_t = 0
        // SAFETY: both lists are ended by NULL and live until the call has returned.
        let result = unsafe withCStrings([path]) { arguments in
            unsafe withCStrings(environment) { variables in
                unsafe clinux_spawn_bound(&id, path, arguments, variables, input, output)
            }
        }
        guard result == 0 else { throw SystemError("execute", path, SystemErrorCode(rawValue: result)) }
        return id
    }

    /// Lends the texts as C has them: a list of pointers, ended by NULL.
    private static func withCStrings(
        _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32,
    ) -> Int32 {
        // SAFETY: each copy is freed below and not before `body` has returned; a copy that failed ends the list early.
        var pointers = unsafe texts.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        let result = unsafe pointers.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return ENOMEM }
            return unsafe body(base)
        }
        unsafe pointers.forEach { unsafe free($0) }
        return result
    }

    private static func memoryFile(_ name: String) throws(SystemError) -> FileDescriptor {
        // SAFETY: the name is a C string for the time of the call.
        let number = unsafe clinux_memfd(name)
        let code = SystemErrorCode.last
        guard number >= 0 else { throw SystemError("memfd_create", name, code) }
        return FileDescriptor(owning: number)
    }

    private static func rewind(_ file: borrowing FileDescriptor) throws(SystemError) {
        let result = lseek(file.rawValue, 0, SEEK_SET)
        let code = SystemErrorCode.last
        guard result == 0 else { throw SystemError("seek", "a file in memory", code) }
    }
}
