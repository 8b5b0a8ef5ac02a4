package import NetTypes

/// VXLAN (RFC 7348): `10.244.1.0/26 via 10.244.1.0 dev vxlan.calico proto 97 onlink`, a permanent neighbour from the
/// remote tunnel address to its link-layer address, and an entry from that to the remote node. Nothing is learned and
/// nothing is flooded.
package struct VXLANMode: ModePlugin {
    /// Makes the plugin.
    package init() {}

    package var mode: EncapsulationMode { .vxlan }

    package func device(for family: AddressFamily) -> TunnelDevice? { family == .ipv4 ? .vxlan : .vxlanV6 }

    package func overheadBytes(over family: AddressFamily) -> UInt32 {
        (family == .ipv4 ? TunnelDevice.vxlan : .vxlanV6).overheadBytes
    }

    package func forwarding(
        to block: IPPrefix, via remote: RemoteNode, in context: ForwardingContext,
    ) -> ForwardingAnswer {
        guard let device = device(for: block.family), let link = context.tunnels[device] else {
            let device = block.family == .ipv4 ? TunnelDevice.vxlan : .vxlanV6
            return .notYet(.tunnelDown, reason: "\(device) is not up")
        }
        guard let endpoint = remote.endpoint, endpoint.encapsulation == .vxlan else {
            return .notYet(.tunnelUntold, reason: "node \(remote.nextHop) has not announced a vxlan tunnel")
        }
        guard let mac = endpoint.macAddress else {
            return .notYet(.tunnelRefused, reason: "the link-layer address of node \(remote.nextHop) is not known")
        }
        let gateway = gateway(to: block, endpoint, mac)
        let hop = Route.Hop(linkIndex: link, gateway: gateway, isOnLink: !gateway.isLinkLocal)
        return .ready(
            Forwarding(
                route: Route(to: block, hops: [hop], protocolNumber: context.protocolNumber),
                neighbours: [
                    Neighbour(
                        linkIndex: link, address: gateway, macAddress: mac, protocolNumber: context.protocolNumber)
                ],
                fdb: [
                    FDBEntry(linkIndex: link, macAddress: mac, destination: endpoint.egress ?? remote.nextHop)
                ]))
    }

    /// The neighbour is this node's own affair. For IPv4 it has the tunnel address; where that was not told, the block's
    /// first address, which no pod has, stands for it. For IPv6 it has the link-local address of its MAC: the kernel
    /// refuses an on-link gateway to which another route leads by another link, and the plain route that this one is to
    /// replace does just that.
    private func gateway(to block: IPPrefix, _ endpoint: TunnelEndpoint, _ mac: MACAddress) -> IPAddress {
        guard block.family == .ipv4 else { return .v6(IPv6Address(linkLocalOf: mac)) }
        return endpoint.innerAddress ?? block.address
    }
}
