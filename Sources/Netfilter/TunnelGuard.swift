package import NetTypes

/// Who may send what is unwrapped on this node.
///
/// A tunnel has no password: whoever can send a packet to the node could have its content forwarded to a pod, with any
/// source. Wrapped packets are therefore taken from the addresses of known nodes alone, and pods, whose packets a node
/// would pass on, may send none to nodes.
package struct TunnelGuard: Sendable, Equatable {
    /// The nodes' addresses; without any there is no rule.
    package let nodes: [IPAddress]
    /// The UDP port of VXLAN; nil when the node has no VXLAN device.
    package let vxlanPort: UInt16?
    /// Whether the node has the IP in IP device.
    package let hasIPIP: Bool
    /// Whether pods may send VXLAN packets to nodes.
    package let podsMaySendVXLAN: Bool
    /// Whether pods may send IP in IP packets to nodes.
    package let podsMaySendIPIP: Bool

    /// Makes the guard; by default of a node without tunnels.
    package init(
        nodes: [IPAddress] = [], vxlanPort: UInt16? = nil, hasIPIP: Bool = false, podsMaySendVXLAN: Bool = false,
        podsMaySendIPIP: Bool = false,
    ) {
        self.nodes = Set(nodes).sorted()
        self.vxlanPort = vxlanPort
        self.hasIPIP = hasIPIP
        self.podsMaySendVXLAN = podsMaySendVXLAN
        self.podsMaySendIPIP = podsMaySendIPIP
    }

    private func addresses(_ family: AddressFamily) -> [IPAddress] { nodes.filter { $0.family == family } }

    /// The sets of the nodes' addresses.
    var sets: [String] {
        guard !chains.isEmpty else { return [] }
        return families.flatMap { family in
            [
                "set \(Self.nodesName(family)) {",
                "\ttype \(family == .ipv4 ? "ipv4_addr" : "ipv6_addr")",
                // Listed in order.
                "\tflags interval",
                "\telements = { \(addresses(family).map(\.description).joined(separator: ", ")) }",
                "}",
            ]
        }
    }

    /// The chains; no lines without a tunnel or without nodes. What only passes through is nobody's business here, so what
    /// is received is looked at in the input hook; what pods send is dropped before a route is sought for it.
    var chains: [String] {
        let sent = families.flatMap { family in
            let address = "\(Self.word(family)) daddr @\(Self.nodesName(family))"
            return rules("iifname \"cali*\" ", address, family, vxlan: !podsMaySendVXLAN, ipip: !podsMaySendIPIP)
        }
        let received = families.flatMap { family in
            rules("", "\(Self.word(family)) saddr != @\(Self.nodesName(family))", family, vxlan: true, ipip: true)
        }
        return Self.chain("pod-tunnels", "prerouting priority raw", sent)
            + Self.chain("tunnels", "input priority filter", received)
    }

    private var families: [AddressFamily] { AddressFamily.allCases.filter { !addresses($0).isEmpty } }

    /// The protocol comes before the address: nearly every packet is of another, and the set is not asked.
    private func rules(
        _ link: String, _ address: String, _ family: AddressFamily, vxlan: Bool, ipip: Bool,
    ) -> [String] {
        var rules: [String] = []
        if let vxlanPort, vxlan { rules.append("\t\(link)udp dport \(vxlanPort) \(address) counter drop") }
        if hasIPIP, ipip, family == .ipv4 { rules.append("\t\(link)ip protocol 4 \(address) counter drop") }
        return rules
    }

    private static func chain(_ name: String, _ hook: String, _ rules: [String]) -> [String] {
        rules.isEmpty ? [] : ["chain \(name) {", "\ttype filter hook \(hook); policy accept;"] + rules + ["}"]
    }

    static func nodesName(_ family: AddressFamily) -> String { family == .ipv4 ? "nodes4" : "nodes6" }
    private static func word(_ family: AddressFamily) -> String { family == .ipv4 ? "ip" : "ip6" }
}
