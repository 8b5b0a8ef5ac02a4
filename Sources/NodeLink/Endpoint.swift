package import NetTypes

/// What the CNI executable tells the daemon about one pod interface.
package struct Endpoint: Sendable, Hashable {
    /// The network's name.
    package var network: String
    /// CNI_CONTAINERID.
    package var containerID: String
    /// CNI_IFNAME.
    package var ifName: String
    /// The pod's addresses, each as a /32 or a /128; may be empty in `endpointDelete`.
    package var addresses: [IPPrefix]
    /// The name of the link's host end.
    package var hostLink: String
    /// The index of the link's host end; 0 when it is not known.
    package var hostLinkIndex: UInt32
    /// The mode of the pool the addresses are from.
    package var mode: String

    /// Makes the message.
    package init(
        network: String, containerID: String, ifName: String, addresses: [IPPrefix], hostLink: String,
        hostLinkIndex: UInt32, mode: String,
    ) {
        self.network = network
        self.containerID = containerID
        self.ifName = ifName
        self.addresses = addresses
        self.hostLink = hostLink
        self.hostLinkIndex = hostLinkIndex
        self.mode = mode
    }

    init(_ reader: MessageReader) throws(NodeLinkError) {
        self.init(
            network: try reader.string("network"), containerID: try reader.string("containerID"),
            ifName: try reader.string("ifName"),
            addresses: try reader.list("addresses", expected: "addresses with /32 or /128") { text in
                IPPrefix(text).flatMap { $0.isHost ? $0 : nil }
            },
            hostLink: try reader.string("hostLink"), hostLinkIndex: try reader.integer("hostLinkIndex"),
            mode: try reader.string("mode"))
    }

    var members: [(String, JSONValue)] {
        [
            ("network", .string(network)), ("containerID", .string(containerID)), ("ifName", .string(ifName)),
            ("addresses", .array(addresses.map { .string($0.description) })), ("hostLink", .string(hostLink)),
            ("hostLinkIndex", .int(Int64(hostLinkIndex))), ("mode", .string(mode)),
        ]
    }
}
