/// Why the daemon cannot work.
package enum NodeAgentError: Error, Sendable, CustomStringConvertible {
    /// The record of claimed blocks is damaged. Without it the node could take a block twice.
    case unreadableClaims(path: String, reason: String)
    /// Another daemon serves the same run directory.
    case alreadyRunning(path: String)

    /// What is wrong and what to do.
    package var description: String {
        switch self {
        case .unreadableClaims(let path, let reason):
            "\(path): \(reason); repair it, or remove it if no pod of this node is left"
        case .alreadyRunning(let path):
            "another apusd serves \(path); stop it, or give this one a run directory of its own (--run-dir)"
        }
    }
}
