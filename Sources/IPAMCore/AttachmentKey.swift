// IPAMCore: addresses and their owners as values.
//
// Parts. `AttachmentKey` says who owns an address. `Block` is one node-owned block: which ordinals are free, in which
// order, and whose the others are. `Attachment` is the record of one pod interface. `NodeState` is what the daemon
// tells the CNI executable. Each has its JSON form beside it; text and files belong to `NodeStore`.
//
// Nothing here reads a clock, a file or a random number.

import NetTypes

/// Who an address belongs to: one interface of one container in one network (CNI specification 1.1.0, "parameters").
package struct AttachmentKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The network's name: `name` of the network configuration.
    package let network: String
    /// CNI_CONTAINERID.
    package let containerID: String
    /// CNI_IFNAME.
    package let ifName: String

    /// Joins the three. They are taken as they are: `CNISpec` has checked them before.
    package init(network: String, containerID: String, ifName: String) {
        self.network = network
        self.containerID = containerID
        self.ifName = ifName
    }

    /// The SHA-1 of the three parts joined by NUL, in hexadecimal: the name of the attachment's file without `.json`.
    ///
    /// A digest, since a container id may be longer than a file name and two ids may share any prefix.
    package var digest: String { SHA1.hex("\(network)\0\(containerID)\0\(ifName)") }

    /// The name of the attachment's file.
    package var fileName: String { digest + ".json" }

    /// `network/containerID/ifName`.
    package var description: String { "\(network)/\(containerID)/\(ifName)" }

    package static func < (left: AttachmentKey, right: AttachmentKey) -> Bool {
        (left.network, left.containerID, left.ifName) < (right.network, right.containerID, right.ifName)
    }
}
