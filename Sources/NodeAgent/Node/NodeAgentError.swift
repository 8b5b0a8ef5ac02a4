/// Why the daemon cannot work.
package enum NodeAgentError: Error, Sendable, CustomStringConvertible {
    /// The record of claimed blocks is damaged. Without it the node could take a block twice.
    case unreadableClaims(path: String, reason: String)
    /// Another daemon serves the same run directory.
    case alreadyRunning(path: String, holder: String?)
    /// A daemon of another run directory is at work in the network namespace.
    case namespaceTaken(holder: String?)
    /// The process may not change what is the kernel's.
    case notRoot
    /// The kernel's view of processes and settings is not mounted.
    case noProc

    /// What is wrong and what to do.
    package var description: String {
        switch self {
        case .unreadableClaims(let path, let reason):
            "\(path): \(reason); repair it, or remove it if no pod of this node is left"
        case .alreadyRunning(let path, let holder):
            "another apusd serves \(path)\(Self.naming(holder)); stop it, or give this one a run directory of its own "
                + "(--run-dir)"
        case .namespaceTaken(let holder):
            "another apusd is at work in this network namespace\(Self.naming(holder)): the two would remove each other's "
                + "routes; stop it, or start this one in a namespace of its own"
        case .notRoot:
            "apusd needs root: it writes routes, links, nftables rules and settings of the kernel"
        case .noProc:
            "/proc is not mounted: apusd reads its arguments, the boot's identity and settings of the kernel there; "
                + "mount it (mount -t proc proc /proc), in a container's specification too"
        }
    }

    private static func naming(_ holder: String?) -> String { holder.map { ", \($0)" } ?? "" }
}
