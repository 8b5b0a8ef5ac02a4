import NetTypes
import Netlink

/// What a tunnel device wraps packets in.
enum Tunnel: Equatable {
    case ipip
    case vxlan(VXLANSettings)

    /// Nil for a link that is no tunnel.
    init?(_ link: Link) {
        switch link.kind {
        case "ipip": self = .ipip
        case "vxlan":
            guard let settings = link.vxlan else { return nil }
            self = .vxlan(settings)
        default: return nil
        }
    }

    /// The name of the protocol.
    var name: String {
        switch self {
        case .ipip: "IP in IP"
        case .vxlan(let settings): "VXLAN \(settings.vni)"
        }
    }

    /// The octets of the outer headers.
    func overheadBytes(_ outer: AddressFamily) -> UInt32 {
        let header: UInt32 = outer == .ipv4 ? 20 : 40
        switch self {
        case .ipip: return header
        case .vxlan: return header + 30
        }
    }

    /// Whether one takes what the other sends.
    func matches(_ other: Tunnel) -> Bool {
        switch (self, other) {
        case (.ipip, .ipip): true
        case (.vxlan(let one), .vxlan(let two)): one.vni == two.vni && one.port == two.port
        default: false
        }
    }
}

extension Link {
    /// Whether it is the host's end of a pod's, by its name.
    var isPod: Bool { name.hasPrefix("cali") }

    /// Whether it is a pod's, a tunnel or the loopback: not the way to other machines.
    var isInner: Bool { isPod || name == "lo" || Tunnel(self) != nil }

    /// Whether it is a tunnel of Apus', by its alias: others on the node have tunnels, too.
    var isOwnTunnel: Bool { alias == TunnelLink.alias && Tunnel(self) != nil }
}

extension String {
    /// A link's name as sysctl(8) wants it between dots.
    var replacingDots: String { String(map { $0 == "." ? "/" : $0 }) }
}
