import NetTypes
import Netlink

// Links that take more than what is beneath them carries.
extension Diagnosis {
    /// Looks at the pods' links and at Apus' own tunnels: what others make of theirs is their affair.
    ///
    /// - Parameter hostMTUBytes: what the way to other nodes carries.
    mutating func checkMTU(of links: some Sequence<Link>, hostMTUBytes: UInt32) {
        for link in links.sorted(by: { $0.index < $1.index }) {
            if link.isOwnTunnel, link.isUp, link.mtuBytes > 0 {
                check(tunnel: link, hostMTUBytes)
            } else if link.isPod, link.mtuBytes > hostMTUBytes {
                add(
                    "MTU \(link.mtuBytes) of \(link.name) is larger than the \(hostMTUBytes) of the node's link",
                    "remove mtu from the CNI configuration, and make the pod anew")
            }
        }
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
