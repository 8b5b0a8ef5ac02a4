import CLinuxShim
import Glibc
import LinuxOS

/// A program that is run to its end.
package enum Command {
    /// A program that did not succeed.
    package struct Failure: Error, CustomStringConvertible {
        /// The program and its arguments.
        package let command: String
        /// What wait(2) said of it.
        package let status: Int32
        /// Its output, standard error included.
        package let output: String

        package var description: String { "\(command): status \(status): \(output)" }
    }

    /// Runs a program in the calling thread's network namespace.
    ///
    /// - Returns: its output, standard error included.
    /// - Throws: `Failure` when it ends with another status than 0.
    @discardableResult
    package static func run(_ words: [String], environment: [String]? = nil) throws -> String {
        let program = words.first ?? ""
        var ends: [Int32] = [-1, -1]
        // SAFETY: pipe2 fills two numbers.
        guard unsafe clinux_pipe(&ends) == 0 else { throw SystemError("pipe", program, .last) }
        let reader = FileDescriptor(owning: ends[0])
        let writer = FileDescriptor(owning: ends[1])
        let process = try spawn(words, output: writer.rawValue, environment: environment)
        _ = consume writer
        let output = try reader.readAll(limit: 64 << 20, name: program)
        var status: Int32 = 0
        // SAFETY: waitpid fills the number it is given.
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        let text = String(decoding: output, as: UTF8.self)
        guard status == 0 else { throw Failure(command: words.joined(separator: " "), status: status, output: text) }
        return text
    }

    private static func spawn(_ words: [String], output: Int32, environment: [String]?) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        let variables = environment ?? ProcessIO.environment().map { "\($0.key)=\($0.value)" }
        // SAFETY: the strings are freed after the call, which copies them into the new process.
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        var inherited = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer { unsafe (arguments + inherited).forEach { unsafe free($0) } }
        var process: pid_t = 0
        // The new process starts with the calling thread's namespaces.
        let result = unsafe posix_spawnp(&process, words.first ?? "", &actions, nil, &arguments, &inherited)
        guard result == 0 else { throw SystemError("run", words.first ?? "", SystemErrorCode(rawValue: result)) }
        return process
    }
}
