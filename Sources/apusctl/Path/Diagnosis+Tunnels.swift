import IPAMCore
import NetTypes
import Netlink
import NodeLink

// The devices that the pools' modes need, and what a VXLAN must know of every gateway behind it.
extension Diagnosis {
    /// - Parameter account: what the daemon answers; nil when it does not.
    mutating func checkTunnels(_ node: NodeKernel, _ account: Account?) throws {
        let pools =
            account?.pools.map { ($0.mode, $0.cidr.family, $0.device) }
            ?? node.state.pools.map { ($0.mode, $0.cidr.family, nil) }
        // A node without an address of the family can have no device.
        let families = Set(node.state.ownAddresses.map(\.family))
        var wanted: Set<String> = []
        for (mode, family, device) in pools where families.isEmpty || families.contains(family) {
            wanted.formUnion(Self.devices(mode, family, device, node.links.values))
        }
        // Why one is not to be had the daemon has said.
        wanted.subtract(account?.status.faults.map(\.subject) ?? [])
        checkDevices(wanted, node.links.values)
        for device in node.links.values.sorted(by: { $0.index < $1.index })
        where device.isOwnTunnel && device.kind == "vxlan" {
            let known = Set(try node.fdb(of: device).map(\.macAddress))
            for neighbour in node.neighbours
            where neighbour.linkIndex == device.index && !known.contains(neighbour.macAddress) {
                add(
                    "\(device.name) has no forwarding entry for \(neighbour.macAddress) (\(neighbour.address))",
                    "apusd mends it within a second while it runs; if it does not: systemctl restart apusd")
            }
        }
    }

    /// The devices that a pool needs, by name. Over which of the two a pool of the mode crosssubnet is, the daemon
    /// alone says: without its word it is the one that is there.
    static func devices(
        _ mode: String, _ family: AddressFamily, _ told: String?, _ links: some Collection<Link>,
    ) -> [String] {
        if let told { return told.isEmpty ? [] : [told] }
        let vxlan = family == .ipv4 ? "vxlan.calico" : "vxlan-v6.calico"
        let both = family == .ipv4 ? ["tunl0", vxlan] : [vxlan]
        return switch mode {
        case "ipip": ["tunl0"]
        case "vxlan": [vxlan]
        case "crosssubnet": links.lazy.filter(\.isOwnTunnel).map(\.name).filter { both.contains($0) }
        default: []
        }
    }

    mutating func checkDevices(_ wanted: Set<String>, _ links: some Collection<Link>) {
        for name in wanted.sorted() {
            let isIPIP = name == "tunl0"
            guard let link = links.first(where: { $0.name == name }) else {
                add(
                    isIPIP
                        ? "there is no IP in IP device \(name): the kernel module ipip is missing"
                        : "there is no VXLAN device \(name)",
                    isIPIP
                        ? "modprobe ipip, or choose vxlanMode for the pools"
                        : "the log of apusd says why: the kernel module vxlan is missing (modprobe vxlan), or another "
                            + "device has the identifier or the port (ip -d link show type vxlan)")
                continue
            }
            if link.kind != (isIPIP ? "ipip" : "vxlan") {
                add(
                    "\(name) is no tunnel, but another's link",
                    "remove or rename it (ip link show \(name)): apusd makes its own")
            } else if !link.isUp {
                add("\(name) is down", "ip link set \(name) up")
            }
        }
    }
}
