package import NetTypes

/// The first message each way: who speaks, in which boot, in which network namespace.
///
/// A socket file may outlive its daemon's boot, or be mounted into a container whose network is another one: then the
/// two would talk of different kernels, and either side hangs up.
package struct Hello: Sendable, Hashable {
    /// The version of the protocol; operations are added without changing it.
    package static let protocolVersion: Int64 = 1

    /// The version the sender speaks.
    package var version: Int64
    /// The node's name; empty from a client that does not know it.
    package var node: String
    /// The boot the sender lives in.
    package var bootID: String
    /// The inode of the network namespace the sender is in.
    package var netnsInode: UInt64

    /// Makes a hello of this program's protocol version.
    package init(node: String, bootID: String, netnsInode: UInt64) {
        version = Self.protocolVersion
        self.node = node
        self.bootID = bootID
        self.netnsInode = netnsInode
    }

    /// Reads `{"v":1,"node":"node1","bootID":"…","netns":N}`.
    package init(json: JSONValue) throws(NodeLinkError) {
        let reader = try MessageReader(json, of: "hello")
        version = try reader.integer("v")
        node = try reader.string("node")
        bootID = try reader.string("bootID")
        netnsInode = try reader.integer("netns")
    }

    /// The hello as it goes over the socket.
    package var json: JSONValue {
        [
            "v": .int(version), "node": .string(node), "bootID": .string(bootID),
            "netns": .int(Int64(clamping: netnsInode)),
        ]
    }

    /// Checks the other side's hello against this one; nil when the two may talk, else why not.
    package func objection(to other: Hello) -> String? {
        if other.version != version { return "speaks version \(other.version) of the protocol, not \(version)" }
        if other.bootID != bootID { return "lives in another boot (\(other.bootID), not \(bootID))" }
        if other.netnsInode != netnsInode {
            return "is in another network namespace (\(other.netnsInode), not \(netnsInode))"
        }
        if !node.isEmpty, !other.node.isEmpty, other.node != node { return "is node \(other.node), not \(node)" }
        return nil
    }
}
