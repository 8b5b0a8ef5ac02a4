/// A process that has a socket open, as far as /proc shows it to the caller.
package struct SocketHolder: Sendable, Hashable, CustomStringConvertible {
    /// Its id.
    package let processID: String
    /// Its program's name (/proc/PID/comm).
    package let program: String

    /// Looks through every process's descriptors.
    ///
    /// - Parameter inode: the socket's, as text.
    /// - Returns: nil when the process is in another PID namespace, or has ended.
    /// - Complexity: O(descriptors of all processes).
    package static func find(socketInode inode: String) -> SocketHolder? {
        let processes = ((try? Files.list("/proc")) ?? []).filter { $0.allSatisfy(\.isNumber) }
        for process in processes {
            let directory = "/proc/\(process)/fd"
            let descriptors = (try? Files.list(directory)) ?? []
            guard descriptors.contains(where: { Files.target(ofLink: "\(directory)/\($0)") == "socket:[\(inode)]" }),
                let name = try? Files.readThroughLinks("/proc/\(process)/comm", limit: 64)
            else { continue }
            return SocketHolder(processID: process, program: String(decoding: name.prefix { $0 != 10 }, as: UTF8.self))
        }
        return nil
    }

    /// `PROGRAM (process ID)`.
    package var description: String { "\(program) (process \(processID))" }
}
