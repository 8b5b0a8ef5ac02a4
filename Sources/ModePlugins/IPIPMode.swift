package import NetTypes

/// IP in IP (RFC 2003): `10.244.1.0/26 via 192.168.1.2 dev tunl0 proto 97 onlink`. IPv4 only.
package struct IPIPMode: ModePlugin {
    /// Makes the plugin.
    package init() {}

    package var mode: EncapsulationMode { .ipip }

    package func device(for family: AddressFamily) -> TunnelDevice? { family == .ipv4 ? .ipip : nil }

    package func overheadBytes(over family: AddressFamily) -> UInt32 { TunnelDevice.ipip.overheadBytes }

    package func forwarding(
        to block: IPPrefix, via remote: RemoteNode, in context: ForwardingContext,
    ) -> ForwardingAnswer {
        guard let device = device(for: block.family), let link = context.tunnels[device] else {
            return .notYet(.tunnelDown, reason: "\(TunnelDevice.ipip) is not up")
        }
        guard let endpoint = remote.endpoint, endpoint.encapsulation == .ipip else {
            return .notYet(.tunnelUntold, reason: "node \(remote.nextHop) has not announced an ipip tunnel")
        }
        let hop = Route.Hop(linkIndex: link, gateway: endpoint.egress ?? remote.nextHop, isOnLink: true)
        return .ready(Forwarding(route: Route(to: block, hops: [hop], protocolNumber: context.protocolNumber)))
    }
}
