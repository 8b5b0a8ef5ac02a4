/// The end of a tunnel at a node, as the others are told of it (RFC 9012): how packets for the node's blocks are wrapped
/// and where they are sent.
package struct TunnelEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// The protocol of the tunnel; the raw value is the tunnel type of IANA's "BGP Tunnel Encapsulation" registry.
    package enum Encapsulation: UInt16, Sendable, Hashable, CaseIterable {
        case ipip = 7
        case vxlan = 8
    }

    /// The protocol.
    package var encapsulation: Encapsulation
    /// Where the wrapped packets go; nil when it is the route's next hop.
    package var egress: IPAddress?
    /// The node's address inside the tunnel; nil when it was not told.
    package var innerAddress: IPAddress?
    /// The link-layer address inside the tunnel, VXLAN's alone.
    package var macAddress: MACAddress?
    /// The VXLAN network identifier, 24 bits.
    package var vni: UInt32?
    /// The UDP port that the tunnel is received on.
    package var port: UInt16?

    /// Makes an endpoint; what is left out was not told.
    package init(
        _ encapsulation: Encapsulation, egress: IPAddress? = nil, innerAddress: IPAddress? = nil,
        macAddress: MACAddress? = nil, vni: UInt32? = nil, port: UInt16? = nil,
    ) {
        self.encapsulation = encapsulation
        self.egress = egress
        self.innerAddress = innerAddress
        self.macAddress = macAddress
        self.vni = vni
        self.port = port
    }

    /// `vxlan 192.168.1.2 inner 10.244.1.0 mac 66:… vni 4096 port 4789`, without what was not told.
    package var description: String {
        var words = ["\(encapsulation)"]
        if let egress { words.append("\(egress)") }
        if let innerAddress { words.append("inner \(innerAddress)") }
        if let macAddress { words.append("mac \(macAddress)") }
        if let vni { words.append("vni \(vni)") }
        if let port { words.append("port \(port)") }
        return words.joined(separator: " ")
    }
}

extension MACAddress {
    /// The address of a node's end of a VXLAN, as Calico derives it: 66 and the first five octets of the name's SHA-1;
    /// that of the IPv6 device is derived from the name with `-v6` behind it.
    package static func vtep(ofNode name: String, over family: AddressFamily) -> MACAddress {
        let seed = family == .ipv4 ? name : name + "-v6"
        return MACAddress(bytes: [0x66] + SHA1.digest(seed.utf8).prefix(5)) ?? .hostEnd
    }
}
