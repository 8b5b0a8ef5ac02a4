import LinuxOS
import NodeStore

/// The directories of a daemon that were not there when it was started. One that is refused its start takes away again
/// what it has made of them, as far as nothing is in them: who made a mistake finds no trace of it.
struct FreshDirectories {
    private let runDirectory: String
    /// Those that were missing, the innermost first.
    private let missingRun: [String]
    private let missingState: [String]

    /// Looks which are missing.
    init(_ options: AgentOptions) throws(SystemError) {
        runDirectory = options.runDirectory
        missingRun = try Self.missing(options.runDirectory)
        missingState = try Self.missing(options.stateDirectory)
    }

    private static func missing(_ path: String) throws(SystemError) -> [String] {
        var (missing, path) = ([String](), path)
        while !path.isEmpty, try FileStatus.of(path) == nil {
            missing.append(path)
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        }
        return missing
    }

    /// Removes them, unless something is in them but locks and marks. What cannot be removed stays.
    func removeEmpty() {
        if !missingRun.isEmpty { clearRunDirectory() }
        for path in missingRun + missingState { _ = try? Files.removeDirectory(path) }
    }

    /// An ADD may have come to the directory meanwhile: it has written into a directory of it, or finds that gone and
    /// is refused.
    private func clearRunDirectory() {
        let locks = ["apusd.lock", "lock"]
        let (attachments, blocks) = ("\(runDirectory)/attachments", "\(runDirectory)/blocks")
        do {
            let names = try Files.list(runDirectory).filter { !locks.contains($0) }
            // What says that the store is in order says nothing where it is empty.
            let marks = try Files.list(blocks)
            guard names == ["attachments", "blocks"], marks.allSatisfy({ $0.hasPrefix("settled-") }) else { return }
            try Files.removeDirectory(attachments)
            for mark in marks { try Files.remove("\(blocks)/\(mark)") }
            try Files.removeDirectory(blocks)
            for name in locks { try Files.remove("\(runDirectory)/\(name)") }
        } catch {
            // Somebody uses it.
        }
    }
}
