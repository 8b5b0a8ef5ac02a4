import NetTypes
import Netlink

// Links that drop packets for the way by which they come.
extension Diagnosis {
    /// Looks at the tunnels, at the links by which other nodes are reached where there is one for IPv4, and at the
    /// pods' links.
    mutating func checkReversePath(_ node: NodeKernel, _ account: Account?) {
        let tunnels = node.links.values.filter { $0.isOwnTunnel && $0.isUp }
        let isFiltered = tunnels.contains { !$0.name.contains("v6") }
        let ways = isFiltered ? node.ways(to: account?.otherAddresses ?? []) : []
        for link in (tunnels + ways).sorted(by: { $0.index < $1.index }) where node.reversePathFilter(of: link) == 1 {
            addStrict(link)
        }
        for link in node.links.values.sorted(by: { $0.index < $1.index })
        where link.isPod && node.reversePathFilter(of: link) == 0 {
            add(
                "rp_filter of \(link.name) is off: its pod may send with others' IPv4 addresses",
                "sysctl -w net.ipv4.conf.\(link.name).rp_filter=1")
        }
    }

    private mutating func addStrict(_ link: Link) {
        let name = link.name.replacingDots
        add(
            "rp_filter of \(link.name) is strict: packets are lost while two nodes change modes",
            "sysctl -w net.ipv4.conf.\(name).rp_filter=2")
    }
}
