package import NetTypes

/// A node of the cluster (`kind: Node`).
package struct Node: Sendable, Hashable {
    /// An address with the network it stands in, where that is known.
    package struct Address: Sendable, Hashable, CustomStringConvertible {
        /// The address.
        package var address: IPAddress
        /// The prefix length; nil when the resource gives none and the link that holds the address has to say.
        package var length: UInt8?

        /// Joins an address and the length of its network.
        package init(_ address: IPAddress, length: UInt8? = nil) {
            self.address = address
            self.length = length
        }

        /// `ADDRESS` or `ADDRESS/LENGTH`.
        package var description: String { length.map { "\(address)/\($0)" } ?? address.description }
    }

    /// Where a node's tunnels end, as its resource says: what serves when BGP does not carry it.
    package struct TunnelEnds: Sendable, Hashable {
        /// spec.bgp.ipv4IPIPTunnelAddr.
        package var ipip: IPAddress?
        /// spec.ipv4VXLANTunnelAddr and spec.ipv6VXLANTunnelAddr.
        package var vxlan: [AddressFamily: IPAddress] = [:]
        /// spec.vxlanTunnelMACAddr and spec.vxlanTunnelMACAddrV6.
        package var vxlanMAC: [AddressFamily: MACAddress] = [:]

        /// Nothing is known.
        package init() {}
    }

    /// metadata.name.
    package var name: String
    /// metadata.labels.
    package var labels: [String: String]
    /// spec.bgp.ipv4Address, or the first InternalIP of that family.
    package var ipv4: Address?
    /// spec.bgp.ipv6Address, or the first InternalIP of that family.
    package var ipv6: Address?
    /// spec.bgp.asNumber; nil means the cluster's.
    package var asNumber: ASNumber?
    /// spec.bgp.routeReflectorClusterID; a node that has one is a route reflector (RFC 4456).
    package var routeReflectorClusterID: RouterID?
    /// The tunnel fields.
    package var tunnelEnds = TunnelEnds()

    /// Makes a node.
    package init(
        name: String, labels: [String: String] = [:], ipv4: Address? = nil, ipv6: Address? = nil,
        asNumber: ASNumber? = nil, routeReflectorClusterID: RouterID? = nil,
    ) {
        self.name = name
        self.labels = labels
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.asNumber = asNumber
        self.routeReflectorClusterID = routeReflectorClusterID
    }

    /// The node's address of `family`.
    package func address(_ family: AddressFamily) -> Address? { family == .ipv4 ? ipv4 : ipv6 }

    /// The addresses it has, IPv4 first.
    package var addresses: [Address] { [ipv4, ipv6].compactMap { $0 } }
}
