import NetTypes
import Netlink

// Links that take more than what is beneath them carries.
extension Diagnosis {
    /// Looks at the pods' links and at Apus' own tunnels: what others make of theirs is their affair.
    ///
    /// A pod keeps the MTU that it came with, and path MTU discovery carries it where the node's has shrunk since: that is
    /// noted, and nothing that is wrong.
    ///
    /// - Parameters:
    ///   - hostMTUBytes: what the way to other nodes carries.
    ///   - podMTUBytes: what a pod gets that comes now; nil from a daemon that does not say.
    mutating func checkMTU(of links: some Sequence<Link>, hostMTUBytes: UInt32, podMTUBytes: UInt32? = nil) {
        var largePods: [Link] = []
        for link in links.sorted(by: { $0.index < $1.index }) {
            if link.isOwnTunnel, link.isUp, link.mtuBytes > 0 {
                check(tunnel: link, hostMTUBytes)
            } else if link.isPod, link.mtuBytes > hostMTUBytes {
                largePods.append(link)
            }
        }
        guard let first = largePods.first else { return }
        let others = largePods.count > 1 ? ", and of \(largePods.count - 1) more pods," : ""
        note(
            "MTU \(first.mtuBytes) of \(first.name)\(others) is larger than the \(hostMTUBytes) of the node's link: path "
                + "MTU discovery carries it. Pods made anew have \(podMTUBytes ?? hostMTUBytes), or what mtu of the CNI "
                + "configuration says: where it says more than that, remove it")
    }

    private mutating func check(tunnel link: Link, _ hostMTUBytes: UInt32) {
        let family = link.name.contains("v6") ? AddressFamily.ipv6 : .ipv4
        let overhead = Tunnel(link)?.overheadBytes(family) ?? 0
        guard link.mtuBytes + overhead > hostMTUBytes else { return }
        add(
            "MTU \(link.mtuBytes) of \(link.name) and \(overhead) octets of headers are more than the "
                + "\(hostMTUBytes) of the node's link",
            "remove ipipMTU or vxlanMTU of the FelixConfiguration, or ip link set \(link.name) mtu "
                + "\(hostMTUBytes - min(overhead, hostMTUBytes))")
    }
}
