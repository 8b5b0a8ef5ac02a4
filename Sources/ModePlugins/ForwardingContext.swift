package import NetTypes

/// What a mode plugin may know of the node: a snapshot of its links, their addresses and its main routing table.
///
/// The caller takes a new one after every LINK, ADDR or ROUTE event and asks the plugin again.
package struct ForwardingContext: Sendable, Equatable {
    /// A link of the node.
    package struct Link: Sendable, Hashable {
        /// The kernel's number of the link.
        package var index: UInt32
        /// Its name.
        package var name: String
        /// Whether it is administratively up. A link without carrier counts as up: its plain routes stay and revive.
        package var isUp: Bool
        /// Its addresses, each with the length of its network.
        package var addresses: [CIDRAddress]
        /// Those of the addresses whose network the kernel has taken to be on the link.
        package var connected: [CIDRAddress]

        /// Makes a link; unless said otherwise the networks of all its addresses are on it.
        package init(
            index: UInt32, name: String, isUp: Bool, addresses: [CIDRAddress], connected: [CIDRAddress]? = nil,
        ) {
            self.index = index
            self.name = name
            self.isUp = isUp
            self.addresses = addresses
            self.connected = connected ?? addresses
        }
    }

    /// The node's own BGP addresses, at most one per family; their networks are "the local subnet".
    package let nodeAddresses: [CIDRAddress]
    /// The links.
    package let links: [Link]
    /// The routes of the main table that may carry a BGP next hop: those of Apus itself are left out.
    package let routes: [Route]
    /// The route protocol number of what Apus programs.
    package let protocolNumber: UInt8
    /// The tunnel devices that are up, each with its link's index.
    package let tunnels: [TunnelDevice: UInt32]

    /// Makes a snapshot; routes that carry `protocolNumber` are dropped, because a next hop resolved through a route
    /// that was itself learned from BGP could hold itself up after its support is gone.
    package init(
        nodeAddresses: [CIDRAddress], links: [Link], routes: [Route], protocolNumber: UInt8 = 97,
        tunnels: [TunnelDevice: UInt32] = [:],
    ) {
        self.nodeAddresses = nodeAddresses
        self.links = links
        self.routes = routes.filter { $0.protocolNumber != protocolNumber }
        self.protocolNumber = protocolNumber
        self.tunnels = tunnels
    }
}
