import LinuxOS

/// Which node.json somebody has read. Every change of it is a new file in its place, and a file is never changed.
package struct NodeStamp: Sendable, Hashable {
    private let status: FileStatus?

    fileprivate init(status: FileStatus?) { self.status = status }
}

extension RunDirectory {
    /// The node.json that is there. What is read after this call is what is there for as long as the stamp stays the same.
    /// - Throws: `system`.
    package func nodeStamp() throws(StoreError) -> NodeStamp {
        try system { () throws(SystemError) in NodeStamp(status: try FileStatus.of(nodePath)) }
    }
}
