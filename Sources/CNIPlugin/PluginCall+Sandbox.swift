import CNISpec
import LinuxOS

extension PluginCall {
    /// The container's namespace.
    ///
    /// - Parameter hostInode: the plugin's own, which it may not be.
    /// - Throws: error 999 for a path that is no namespace (3 would keep the runtime from sending DEL), error 8 for the
    ///   plugin's own.
    func openSandbox(notIn hostInode: UInt64) throws -> NetNS {
        let path = environment.netns
        let sandbox = try open(path)
        guard environment.allowsOwnNetns || sandbox.inode != hostInode else {
            throw CNIError(.ownNetns, "CNI_NETNS: \(path) is the plugin's own network namespace", details: path)
        }
        return sandbox
    }

    private func open(_ path: String) throws(CNIError) -> NetNS {
        do throws(SystemError) {
            return try NetNS.open(path)
        } catch {
            throw CNIError(.failed, "CNI_NETNS: \(error)", details: path)
        }
    }
}
