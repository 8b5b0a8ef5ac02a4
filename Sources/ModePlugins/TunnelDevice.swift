package import NetTypes

/// A tunnel device that modes need on the node, one of a kind. The raw value is the link's name, Calico's.
package enum TunnelDevice: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The kernel's own IP in IP device. Where the kernel makes it by itself it cannot be deleted.
    case ipip = "tunl0"
    case vxlan = "vxlan.calico"
    case vxlanV6 = "vxlan-v6.calico"

    /// The name of the link.
    package var name: String { rawValue }

    /// The name.
    package var description: String { rawValue }

    /// What the outer packet is wrapped in.
    package var encapsulation: TunnelEndpoint.Encapsulation {
        switch self {
        case .ipip: .ipip
        case .vxlan, .vxlanV6: .vxlan
        }
    }

    /// The family of the outer packet, of the pools that it carries and of its own address.
    package var family: AddressFamily {
        switch self {
        case .ipip, .vxlan: .ipv4
        case .vxlanV6: .ipv6
        }
    }

    /// The octets that the outer headers take: IPv4 20, IPv6 40; for VXLAN UDP 8, VXLAN 8 and Ethernet 14 more.
    package var overheadBytes: UInt32 {
        switch self {
        case .ipip: 20
        case .vxlan: 50
        case .vxlanV6: 70
        }
    }
}
