package import LinuxOS

/// Why the run directory does not do what was asked of it.
package enum StoreError: Error, Sendable, CustomStringConvertible {
    /// The system refused: a full or read-only file system, a missing right. Nothing was changed.
    case system(SystemError)
    /// A file is not one that Apus wrote, or somebody edited it. The path, what is wrong, what to do.
    case corrupt(path: String, reason: String, remedy: String)
    /// Another process holds the store's lock, and did so for the whole time allowed.
    case lockTimeout(path: String)
    /// The directory is not fit for use: what is wrong, what to do.
    case unfit(path: String, reason: String)

    /// The reason in one line, with the remedy where there is one.
    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .corrupt(let path, let reason, let remedy): "\(path): \(reason); \(remedy)"
        case .lockTimeout(let path): "\(path): another process holds the lock"
        case .unfit(let path, let reason): "\(path): \(reason)"
        }
    }
}
