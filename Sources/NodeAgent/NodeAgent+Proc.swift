import LinuxOS

extension NodeAgent {
    /// Sees that /proc is there.
    ///
    /// To be asked before the command line is read: the Swift runtime has the arguments from /proc/self/cmdline, and a
    /// program without them complains of options that were given.
    /// - Throws: `NodeAgentError.noProc`.
    package static func requireProc() throws(NodeAgentError) {
        guard (try? FileStatus.of("/proc/self/cmdline")) != nil else { throw .noProc }
    }
}
