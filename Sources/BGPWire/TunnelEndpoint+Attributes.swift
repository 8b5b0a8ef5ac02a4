package import NetTypes

// The tunnel that leads to a route's next hop, as Apus tells of it: by the Tunnel Encapsulation attribute (RFC 9012 §2),
// and by the Encapsulation Extended Community (§4.1), which speakers that drop the attribute pass on.

extension PathAttributes {
    /// The tunnel that the route's origin has told of; nil when it told of none that is known here. What the attribute
    /// says goes before what a community says. Of an attribute with more than one tunnel the first known one counts.
    package var tunnelEndpoint: TunnelEndpoint? {
        let value = unknown.first { $0.type == TunnelEncapsulation.attributeType }?.value
        let tunnels = value.flatMap { TunnelEncapsulation(parsing: $0) }?.tunnels ?? []
        if let endpoint = tunnels.lazy.compactMap({ TunnelEndpoint($0) }).first { return endpoint }
        return extendedCommunities.lazy.compactMap(\.encapsulation).first.map { TunnelEndpoint($0) }
    }

    /// Tells of the tunnel, by the attribute and by the community. An end that is not given is the next hop, and only
    /// the community tells of it.
    package mutating func setTunnelEndpoint(_ endpoint: TunnelEndpoint) {
        unknown.removeAll { $0.type == TunnelEncapsulation.attributeType }
        extendedCommunities.removeAll(where: \.isEncapsulation)
        if let tunnel = TunnelEncapsulation.Tunnel(endpoint) {
            unknown.append(TunnelEncapsulation(tunnels: [tunnel]).attribute)
        }
        extendedCommunities.append(ExtendedCommunity(endpoint.encapsulation))
    }
}

extension TunnelEndpoint {
    /// What a tunnel of the attribute says; nil when its type is not known here.
    package init?(_ tunnel: TunnelEncapsulation.Tunnel) {
        guard let encapsulation = Encapsulation(rawValue: tunnel.type) else { return nil }
        self.init(
            encapsulation, egress: tunnel.egressEndpoint, innerAddress: tunnel.innerAddress,
            macAddress: tunnel.vxlan?.mac, vni: tunnel.vxlan?.vni, port: tunnel.udpDestinationPort)
    }
}

extension TunnelEncapsulation.Tunnel {
    /// The tunnel of an endpoint; nil when its end is not given.
    package init?(_ endpoint: TunnelEndpoint) {
        guard let egress = endpoint.egress else { return nil }
        let hasHeader = endpoint.encapsulation == .vxlan && (endpoint.vni != nil || endpoint.macAddress != nil)
        self.init(
            type: endpoint.encapsulation.rawValue, egressEndpoint: egress,
            vxlan: hasHeader ? VXLAN(vni: endpoint.vni, mac: endpoint.macAddress) : nil,
            udpDestinationPort: endpoint.port, innerAddress: endpoint.innerAddress)
    }
}

extension ExtendedCommunity {
    /// The Encapsulation Extended Community (RFC 9012 §4.1): that a tunnel of this type leads to the next hop, without
    /// more.
    package init(_ encapsulation: TunnelEndpoint.Encapsulation) {
        self.init(rawValue: Self.encapsulationPrefix | UInt64(encapsulation.rawValue))
    }

    /// The tunnel that it names; nil when it is another community or another tunnel.
    package var encapsulation: TunnelEndpoint.Encapsulation? {
        guard isEncapsulation else { return nil }
        return TunnelEndpoint.Encapsulation(rawValue: UInt16(truncatingIfNeeded: rawValue))
    }

    /// Whether it is an Encapsulation Extended Community, of whatever tunnel.
    package var isEncapsulation: Bool { rawValue >> 48 == Self.encapsulationPrefix >> 48 }

    private static let encapsulationPrefix: UInt64 = 0x030c_0000_0000_0000
}
