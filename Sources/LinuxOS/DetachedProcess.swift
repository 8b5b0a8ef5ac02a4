import CLinuxShim
import Glibc

/// A process that outlives the one who starts it.
package struct DetachedProcess: Sendable {
    /// The program that is running: the same file, even if its path has been given to another since.
    package static let ownProgram = "/proc/self/exe"

    private let id: Int32

    /// Starts a program in a session of its own, in the calling thread's namespaces, with /dev/null for its standard
    /// streams and without any other descriptor or variable of this process: nobody who waits for an inherited pipe to
    /// close waits for it.
    ///
    /// - Parameter arguments: `argv`, the program's name included.
    package static func start(_ program: String, arguments: [String]) throws(SystemError) -> DetachedProcess {
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var id: Int32 = 0
        // SAFETY: the words are ended by NULL and outlive the call, which copies them into the new process.
        let result = unsafe clinux_spawn_detached(&id, program, &words)
        guard result == 0 else { throw SystemError("start", program, SystemErrorCode(rawValue: result)) }
        return DetachedProcess(id: id)
    }

    /// Whether it has ended. Once this has answered true it is not to be asked again.
    package func hasEnded() -> Bool {
        waitpid(id, nil, WNOHANG) != 0
    }
}
