import CNISpec
import LinuxOS

extension PluginCall {
    /// The container's namespace.
    ///
    /// - Parameter hostInode: the plugin's own, which it may not be.
    /// - Throws: error 4 for a path that is no network namespace (3 would keep the runtime from sending DEL), error 8 for
    ///   the plugin's own, error 5 where the kernel has no room to open it.
    func openSandbox(notIn hostInode: UInt64) throws -> NetNS {
        let path = environment.netns
        let sandbox = try openNetns(orThrow: { Self.fault($0, of: path) })
        guard environment.allowsOwnNetns || sandbox.inode != hostInode else {
            throw CNIError(.ownNetns, "CNI_NETNS: \(path) is the plugin's own network namespace", details: path)
        }
        return sandbox
    }

    private static func fault(_ error: SystemError, of path: String) -> CNIError {
        let remedy =
            switch error.code {
            case .ENOENT, .ENOTDIR, .EISDIR, .EINVAL, .ENXIO, .ELOOP, .ENAMETOOLONG:
                "give the path of the container's network namespace, as /run/netns/NAME or /proc/PID/ns/net"
            case .EACCES, .EPERM: "run apus as root, with CAP_SYS_PTRACE for a path of /proc"
            default: ""
            }
        guard !remedy.isEmpty else { return CNIError(.inputOutput, "CNI_NETNS: \(error)", details: path) }
        return CNIError(.invalidEnvironment, "CNI_NETNS: \(error); \(remedy)", details: path)
    }

    private func openNetns(orThrow failure: (SystemError) -> CNIError) throws(CNIError) -> NetNS {
        do throws(SystemError) {
            return try openNetns()
        } catch {
            throw failure(error)
        }
    }

    /// The container's namespace, whatever it is. A path means what it does to the process that was called: where another
    /// carries the call out it has come with its descriptor.
    func openNetns() throws(SystemError) -> NetNS {
        guard let server = input.server else { return try NetNS.open(environment.netns) }
        guard let sandbox = server.sandbox else { throw SystemError("open", environment.netns, .ENOENT) }
        return try NetNS.open(sharing: sandbox.descriptor, name: environment.netns)
    }
}
