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
        let sandbox = try openNetns(orThrow: { CNIError(.failed, "CNI_NETNS: \($0)", details: path) })
        guard environment.allowsOwnNetns || sandbox.inode != hostInode else {
            throw CNIError(.ownNetns, "CNI_NETNS: \(path) is the plugin's own network namespace", details: path)
        }
        return sandbox
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
