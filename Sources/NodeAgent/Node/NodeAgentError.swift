/// Why the daemon cannot work.
package enum NodeAgentError: Error, Sendable, CustomStringConvertible {
    /// The record of claimed blocks is damaged. Without it the node could take a block twice.
    case unreadableClaims(path: String, reason: String)
    /// The record of claimed blocks cannot be read just now.
    case unreachableClaims(path: String, reason: String)
    /// What outlives a boot has no place to be.
    case unfitStateDirectory(path: String, reason: String)
    /// The kernel refuses a socket; `purpose` says what cannot be done without it.
    case noKernelSocket(purpose: String, reason: String)
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
        case .unreachableClaims(let path, let reason):
            "\(path): the record of this node's blocks cannot be read: \(reason); see to that, then start again"
        case .unfitStateDirectory(let path, let reason):
            "\(path): the state directory cannot be had (\(reason)); make room for it, or name another one (--state-dir)"
        case .noKernelSocket(let purpose, let reason):
            "apusd cannot \(purpose): \(reason); it needs netlink sockets and CAP_NET_ADMIN: let its unit "
                + "(RestrictAddressFamilies=, CapabilityBoundingSet=) or its container have them"
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

    /// Opens something of the kernel's, without which the daemon cannot start.
    ///
    /// - Parameter purpose: what it is for, as a verb: `hear the kernel's events`.
    /// - Throws: `noKernelSocket`.
    static func toBeAble<Opened>(to purpose: String, _ open: () throws -> Opened) throws(NodeAgentError) -> Opened {
        do {
            return try open()
        } catch {
            throw .noKernelSocket(purpose: purpose, reason: "\(error)")
        }
    }

    private static func naming(_ holder: String?) -> String { holder.map { ", \($0)" } ?? "" }
}
