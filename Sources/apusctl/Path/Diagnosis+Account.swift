import NetTypes
import NodeLink

// What the daemon itself knows to be wrong.
extension Diagnosis {
    /// What the daemon answers.
    struct Account {
        var status: StatusAnswer
        var sessions: [BGPPeerRow] = []
        var nodes: [NodeRow]
        var pools: [PoolRow]
        var blocks: [BlockRow]
        var routes: [RouteRow]
        /// The time of day, in seconds since 1970.
        var now: Int64

        /// The addresses of the other nodes.
        var otherAddresses: [IPAddress] {
            nodes.filter { $0.name != status.node.name }.flatMap { [$0.ipv4, $0.ipv6] }
                .compactMap { $0?.split(separator: "/").first.flatMap { IPAddress($0) } }
        }

        /// The node that has the address, by name, or the address.
        func node(at address: String) -> String {
            nodes.first { node in
                [node.ipv4, node.ipv6].contains { $0?.split(separator: "/").first.map(String.init) == address }
            }?.name ?? address
        }
    }

    /// A daemon keeps what was good before; one that has just started has the rest.
    mutating func checkConfiguration(_ status: StatusAnswer) {
        for refusal in status.refusals {
            add(
                "the configuration is refused: \(refusal)",
                "put it right: apusd reads it at once. Until then the last good configuration stays in force, or after "
                    + "a start what else could be read")
        }
    }

    /// Pods and nodes that share a network cut each other off.
    mutating func checkOverlaps(_ status: StatusAnswer) {
        for overlap in status.overlaps {
            add(
                "\(overlap): what is a pod's of it cannot be a machine's",
                "make a pool with another cidr, disable this one and make its pods anew; until then no address of a "
                    + "node is given to a pod, and no block of its network is taken without a BlockAffinity, unless the "
                    + "pool is a smaller part of it")
        }
    }

    /// Programs that were replaced under a daemon that runs on.
    mutating func checkVersion(_ node: NodeStatus) {
        guard node.version != ProgramVersion.current else { return }
        let other = node.version.isEmpty ? "of another version" : node.version
        add(
            "apusd is \(other), and apusctl \(ProgramVersion.current)",
            "systemctl restart apusd, if the programs were replaced: neither pods nor peers notice")
    }

    /// What is in force and surely not meant so.
    mutating func checkDoubts(_ status: StatusAnswer) {
        for warning in status.warnings {
            add("the configuration is doubtful: \(warning)", "put it right, or take it out: apusd reads it at once")
        }
    }

    mutating func checkKeys(_ status: StatusAnswer) {
        guard let shortage = status.keyShortage else { return }
        let limit = shortage.limitBytes.map { ", which net.core.optmem_max (\($0)) has no room for" } ?? ""
        let needed = shortage.neededBytes.map(String.init)
        add(
            "\(shortage.peers) BGP peers are refused, \(shortage.first) first: their keys cannot be set "
                + "(\(shortage.reason))\(limit)",
            shortage.limitBytes == nil
                ? "the log of apusd says why; a kernel without TCP MD5 has no room for any key"
                : "sysctl -w net.core.optmem_max=\(needed ?? "MORE"); apusd tries again every second")
    }

    mutating func checkSessions(_ account: Account) {
        for peer in account.status.peers where peer.state != "up" {
            let name = peer.node.isEmpty ? peer.address : "\(peer.address) (\(peer.node))"
            let since = SinceTime.text(peer.since, now: account.now)
            add(
                "no BGP session with \(name) since \(since): \(peer.info)",
                "see that \(peer.address) answers, that TCP port 179 is open both ways, and that both sides agree on "
                    + "the AS numbers (apusctl node status there)")
        }
    }

    /// Routes outlive their session for a time that the two sides have agreed on: packets may go nowhere meanwhile.
    mutating func checkStaleRoutes(_ account: Account) {
        for session in account.sessions where session.stale > 0 {
            let lost = session.downSince == 0 ? session.since : session.downSince
            let since = SinceTime.text(lost, now: account.now)
            let name = account.node(at: session.address)
            add(
                "\(session.stale) routes of \(name) are kept from a session that was lost at \(since), "
                    + "\(max(account.now - lost, 0)) s ago: nobody speaks for them",
                "start the daemon of \(name), or wait: they go when its restart time is over (maxRestartTime, "
                    + "nodeMeshMaxRestartTime, 120 s by default); with BFD they go when it falls silent")
        }
    }

    /// A node announces its blocks with the tunnel that its own configuration asks for.
    mutating func checkModes(_ account: Account) {
        var told: Set<String> = []
        for route in account.routes where !route.nextHop.isEmpty {
            guard let pool = account.pools.first(where: { $0.cidr.contains(route.prefix) }),
                let wanted = Self.mismatch(mode: pool.mode, announced: route.announced, isReached: route.isReached)
            else { continue }
            let name = account.node(at: route.nextHop)
            let announced = route.announced.isEmpty ? "no tunnel" : "the tunnel \(route.announced)"
            let problem =
                "the modes differ: \(name) announces its blocks with \(announced), and here pool \(pool.name) has "
                + "mode \(pool.mode), which needs \(wanted)"
            guard told.insert(problem).inserted else { continue }
            add(
                problem,
                "give the pool one ipipMode and one vxlanMode on all nodes (apusctl get ippools on \(name)); until "
                    + "then packets take the way that both nodes know")
        }
    }

    /// What a mode needs to be announced where it is not; nil when the two agree. A route that is programmed though no
    /// tunnel was told of has it from the Node resource.
    private static func mismatch(mode: String, announced: String, isReached: Bool) -> String? {
        switch mode {
        case "bgp": announced.isEmpty ? nil : "none"
        case "ipip", "vxlan": announced == mode || announced.isEmpty && isReached ? nil : mode
        // Over which of the two the pool does not say here.
        case "crosssubnet": announced.isEmpty && !isReached ? "one" : nil
        default: nil
        }
    }
}
