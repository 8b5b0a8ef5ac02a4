package import NetTypes

/// Source address translation for packets that leave all pools (`natOutgoing`): they get the address of the link by
/// which they leave.
///
/// Pool to pool is never translated, whichever pool asks for it: a pod sees the pod that talks to it. The sets hold
/// pools, so that they are the same however many pods there are. Ports are chosen at random, for two pods that ask one
/// resolver at one time would otherwise race for one port and lose a packet. A UDP port is never that of the tunnel: the
/// kernel would take the answer for a tunnel's packet.
package struct Masquerade: Sendable, Equatable {
    /// The networks whose packets are translated, IPv4 then IPv6, by address, none inside another.
    package let sources: [IPPrefix]
    /// The networks to which nothing is translated: all pools.
    package let pools: [IPPrefix]
    /// The UDP port of VXLAN.
    package let vxlanPort: UInt16

    /// The port of RFC 7348 §8.
    package static let defaultVXLANPort: UInt16 = 4789
    /// The number of UDP (RFC 768).
    private static let udp = 17

    /// Makes the translation of what comes from `sources` and goes to none of `pools`; a source is a pool too.
    package init(sources: [IPPrefix] = [], pools: [IPPrefix] = [], vxlanPort: UInt16 = defaultVXLANPort) {
        self.sources = Self.widest(sources)
        self.pools = Self.widest(sources + pools)
        self.vxlanPort = vxlanPort
    }

    /// An interval set refuses what lies inside another element.
    private static func widest(_ prefixes: [IPPrefix]) -> [IPPrefix] {
        prefixes.sorted().reduce(into: []) { result, prefix in
            if !(result.last?.contains(prefix) ?? false) { result.append(prefix) }
        }
    }

    private var families: [AddressFamily] {
        [.ipv4, .ipv6].filter { family in sources.contains { $0.family == family } }
    }

    /// The sets, one line of nft's an element.
    var sets: [String] {
        families.flatMap { family in
            set(Self.sourcesName(family), of: family, sources) + set(Self.poolsName(family), of: family, pools)
        }
    }

    private func set(_ name: String, of family: AddressFamily, _ prefixes: [IPPrefix]) -> [String] {
        let elements = prefixes.filter { $0.family == family }.map { $0.isHost ? "\($0.address)" : "\($0)" }
        return [
            "set \(name) {",
            "\ttype \(family == .ipv4 ? "ipv4_addr" : "ipv6_addr")",
            "\tflags interval",
            "\telements = { \(elements.joined(separator: ", ")) }",
            "}",
        ]
    }

    static func sourcesName(_ family: AddressFamily) -> String { family == .ipv4 ? "nat4" : "nat6" }
    static func poolsName(_ family: AddressFamily) -> String { family == .ipv4 ? "pools4" : "pools6" }

    /// The chain; no lines when nothing is translated.
    var chain: [String] {
        guard !sources.isEmpty else { return [] }
        let rules = families.flatMap { family -> [String] in
            let word = family == .ipv4 ? "ip" : "ip6"
            let match =
                "\t\(word) saddr @\(Self.sourcesName(family)) \(word) daddr != @\(Self.poolsName(family))"
            return [
                "\(match) meta l4proto \(Self.udp) masquerade to :\(udpPorts) fully-random",
                "\(match) masquerade fully-random",
            ]
        }
        return ["chain nat-outgoing {", "\ttype nat hook postrouting priority srcnat; policy accept;"] + rules + ["}"]
    }

    /// The larger of the two ranges that the tunnel's port leaves of the unprivileged ports.
    private var udpPorts: String {
        guard vxlanPort >= 1024 else { return "1024-65535" }
        return vxlanPort < 33280 ? "\(vxlanPort + 1)-65535" : "1024-\(vxlanPort - 1)"
    }
}
