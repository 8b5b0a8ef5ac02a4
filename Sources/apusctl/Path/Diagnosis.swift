import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import NodeLink

/// What is wrong with a node, as far as its daemon and its kernel show it, each finding with what to do about it.
struct Diagnosis {
    /// One thing that is wrong.
    struct Finding: Equatable {
        /// What.
        var problem: String
        /// What to do.
        var remedy: String
    }

    /// What the daemon answers.
    struct Account {
        var status: StatusAnswer
        var nodes: [NodeRow]
        var pools: [PoolRow]
        var blocks: [BlockRow]
        var routes: [RouteRow]
    }

    /// Everything that was found.
    private(set) var findings: [Finding] = []

    /// Looks at everything.
    init(node: NodeKernel, account: Account) throws {
        let modes = Set(account.pools.map(\.mode))
        checkSessions(account.status)
        checkConfiguration(account)
        checkRoutes(account.routes)
        checkForwarding(node)
        try checkTunnels(node, modes)
        checkReversePath(node)
        checkMTU(node)
        checkPods(node)
        checkPort(node)
    }

    private mutating func add(_ problem: String, _ remedy: String) {
        findings.append(Finding(problem: problem, remedy: remedy))
    }

    private mutating func checkSessions(_ status: StatusAnswer) {
        for peer in status.peers where peer.state != "up" {
            let name = peer.node.isEmpty ? peer.address : "\(peer.address) (\(peer.node))"
            let since = SinceTime.text(peer.since, now: SinceTime.now())
            add(
                "no BGP session with \(name) since \(since): \(peer.info)",
                "see that \(peer.address) answers, that TCP port 179 is open both ways, and that both sides agree on "
                    + "the AS numbers (apusctl node status there)")
        }
    }

    private mutating func checkConfiguration(_ account: Account) {
        for block in account.blocks where block.node == account.status.node.name {
            if block.isClosed {
                add(
                    "block \(block.cidr) is closed for new pods: it is in conflict or being given up",
                    "the log of apusd names both owners; remove one of the two BlockAffinities or pools")
            } else if !block.isAnnounced {
                add(
                    "block \(block.cidr) is not announced to other nodes",
                    "the log of apusd says why; most often the node has no address of the block's family")
            }
        }
        if !account.blocks.contains(where: { $0.node == account.status.node.name }) {
            add("the node has no block of addresses", "write a BlockAffinity for \(account.status.node.name)")
        }
    }

    private mutating func checkRoutes(_ routes: [RouteRow]) {
        for route in routes where !["programmed", "kept from an earlier run"].contains(route.state) {
            add(
                "\(route.prefix) via \(route.nextHop) is not in the kernel: \(route.state)",
                Self.remedy(forRoute: route))
        }
    }

    private static func remedy(forRoute route: RouteRow) -> String {
        if route.state.contains("foreign") || route.state.contains("exists") {
            return "another program has that route: remove it (ip route show \(route.prefix)), "
                + "or take its prefix out of the pool"
        }
        if !route.mode.isEmpty, route.mode != "bgp" {
            return "give the pool one mode on all nodes (apusctl get ippools there); until its owner is ready for "
                + "\(route.mode) the former way stays"
        }
        return "the next hop must be on a link of this node, or behind a router of its main table "
            + "(ip route get \(route.nextHop))"
    }

    private mutating func checkForwarding(_ node: NodeKernel) {
        for family in Set(node.state.pools.map(\.cidr.family)) where !node.forwards(family) {
            let name = family == .ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
            add(
                "IP forwarding is off: \(name) = 0",
                "sysctl -w \(name)=1, or start apusd without --no-manage-forwarding")
        }
    }

    /// The devices that the pools' modes need, and what a VXLAN must know of every gateway behind it.
    private mutating func checkTunnels(_ node: NodeKernel, _ modes: Set<String>) throws {
        if modes.contains("ipip"), !node.links.values.contains(where: { $0.kind == "ipip" && $0.isUp }) {
            let exists = node.links.values.contains { $0.kind == "ipip" }
            add(
                exists
                    ? "the IP in IP device is down"
                    : "there is no IP in IP device: the kernel module ipip is missing",
                exists ? "ip link set tunl0 up" : "modprobe ipip, or choose vxlanMode for the pools")
        }
        let devices = node.links.values.filter { $0.kind == "vxlan" && $0.name.hasPrefix("vxlan") }
        if modes.contains("vxlan"), devices.isEmpty {
            add(
                "there is no VXLAN device",
                "the log of apusd says why: the kernel module vxlan is missing (modprobe vxlan), or another device has "
                    + "the identifier or the port (ip -d link show type vxlan)")
        }
        for device in devices {
            if !device.isUp { add("\(device.name) is down", "ip link set \(device.name) up") }
            let known = Set(try node.fdb(of: device).map(\.macAddress))
            for neighbour in node.neighbours
            where neighbour.linkIndex == device.index && !known.contains(neighbour.macAddress) {
                add(
                    "\(device.name) has no forwarding entry for \(neighbour.macAddress) (\(neighbour.address))",
                    "apusd mends it within a second while it runs; if it does not: systemctl restart apusd")
            }
        }
    }

    private mutating func checkReversePath(_ node: NodeKernel) {
        for device in node.links.values.sorted(by: { $0.index < $1.index })
        where Tunnel(device) != nil && device.isUp && node.reversePathFilter(of: device) == 1 {
            let name = device.name.replacingDots
            add(
                "rp_filter of \(device.name) is strict: packets are lost while two nodes change modes",
                "sysctl -w net.ipv4.conf.\(name).rp_filter=2")
        }
    }

    private mutating func checkMTU(_ node: NodeKernel) {
        for device in node.links.values {
            guard let tunnel = Tunnel(device), device.isUp, device.mtuBytes > 0 else { continue }
            let family = device.name.contains("v6") ? AddressFamily.ipv6 : .ipv4
            let overhead = tunnel.overheadBytes(family)
            if device.mtuBytes + overhead > node.state.mtuBytes {
                add(
                    "MTU \(device.mtuBytes) of \(device.name) and \(overhead) octets of headers are more than the "
                        + "\(node.state.mtuBytes) of the node's link",
                    "remove ipipMTU or vxlanMTU of the FelixConfiguration, or ip link set \(device.name) mtu "
                        + "\(node.state.mtuBytes - min(overhead, node.state.mtuBytes))")
            }
        }
        for link in node.links.values where link.isPod && link.mtuBytes > node.state.mtuBytes {
            add(
                "MTU \(link.mtuBytes) of \(link.name) is larger than the \(node.state.mtuBytes) of the node's link",
                "remove mtu from the CNI configuration, and make the pod anew")
        }
    }

    private mutating func checkPods(_ node: NodeKernel) {
        for link in node.links.values.sorted(by: { $0.index < $1.index }) where link.isPod && !link.isUp {
            add("\(link.name) is down: its pod is cut off", "ip link set \(link.name) up")
        }
    }

    /// Somebody else who listens where BGP should.
    private mutating func checkPort(_ node: NodeKernel) {
        guard let port = ListeningPort.bgp(in: node), let owner = port.owner, owner != "apusd" else { return }
        add(
            "TCP port 179 is held by \(owner), not by apusd",
            "stop \(owner), or give BGPConfiguration another listenPort")
    }
}
