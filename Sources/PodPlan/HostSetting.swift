/// A setting of a host end, by which the pod's packets come in and go out.
package enum HostSetting: String, Sendable, Hashable, CaseIterable {
    /// The link answers ARP for whatever the host has a route to: 169.254.1.1 is nobody's address.
    case proxyARP = "proxy_arp"
    /// The wait of proxy ARP in the kernel's ticks.
    case proxyDelay = "proxy_delay"
    /// IPv4 packets that come in are forwarded.
    case forwarding = "forwarding"
    /// A packet must come from where the route to its source leads to.
    case reversePathFilter = "rp_filter"
    /// IPv6 packets that come in are forwarded. A link has this from the node.
    case ipv6Forwarding = "IPv6 forwarding"

    /// The value it must have.
    package var required: UInt32 {
        switch self {
        case .proxyARP, .forwarding, .reversePathFilter, .ipv6Forwarding: 1
        case .proxyDelay: 0
        }
    }

    /// Where the kernel shows it: the parts below /proc/sys.
    package func path(link name: String) -> [String] {
        switch self {
        case .proxyARP, .forwarding, .reversePathFilter: ["net", "ipv4", "conf", name, rawValue]
        case .proxyDelay: ["net", "ipv4", "neigh", name, rawValue]
        case .ipv6Forwarding: ["net", "ipv6", "conf", name, "forwarding"]
        }
    }
}
