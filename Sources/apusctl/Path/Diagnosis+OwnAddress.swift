import NetTypes
import Netlink
import NodeLink

// The address at which the other nodes look for this one.
extension Diagnosis {
    mutating func checkOwnAddresses(_ account: Account, _ node: NodeKernel) {
        guard let own = account.nodes.first(where: { $0.name == node.name }) else { return }
        for text in [own.ipv4, own.ipv6].compactMap(\.self) {
            guard let address = CIDRAddress(text)?.address ?? IPAddress(text) else { continue }
            // Where the daemon was given the address it has said so itself.
            if account.status.faults.contains(where: { $0.subject == address.description }) { continue }
            let family = address.family == .ipv4 ? "ipv4" : "ipv6"
            guard let link = node.link(with: address) else {
                add(
                    "the node's own address \(address) is on no link of it: no peer reaches it there",
                    "correct spec.bgp.\(family)Address of Node/\(own.name), or give a link the address (ip address add)"
                )
                continue
            }
            if !link.isUp {
                add(
                    "\(link.name) is down, and with it the node's own address \(address)", "ip link set \(link.name) up"
                )
            }
        }
    }
}
