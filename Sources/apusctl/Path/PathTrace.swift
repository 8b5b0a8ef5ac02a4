import IPAMCore
import NetTypes
import Netlink

/// The way of a packet from pod to pod, asked of the kernels of the nodes that it passes, one after the other.
struct PathTrace {
    /// How it ends.
    enum Outcome: Equatable {
        /// It arrives.
        case arrives
        /// It is lost, and why.
        case lost(String)
        /// It goes to a machine that cannot be asked from here.
        case leaves(String)
    }

    /// No packet passes more nodes: more is a loop.
    private static let limit = 8

    let nodes: [NodeKernel]
    let source: IPAddress
    let destination: IPAddress
    /// What was seen, a line each; those of a node are indented below its name.
    private(set) var lines: [String] = []
    /// The largest packet that no link on the way refuses.
    private(set) var mtuBytes = UInt32.max

    init(from source: IPAddress, to destination: IPAddress, over nodes: [NodeKernel]) {
        self.nodes = nodes
        self.source = source
        self.destination = destination
    }

    /// Walks the way.
    mutating func walk() throws -> Outcome {
        guard source.family == destination.family else { return .lost("the two addresses are not of one family") }
        for address in [source, destination] where !address.isUnicastHost {
            return .lost("\(address) is no address that a packet between pods can have")
        }
        var place = try start()
        guard place.node != nil else { return .lost("before its way begins: \(place.reason)") }
        for _ in 0..<Self.limit {
            guard let node = place.node else { return .leaves(place.reason) }
            lines.append(node.name)
            if let reason = try arrival(at: node, by: place.link) { return .lost("at \(node.name): \(reason)") }
            switch try pass(node) {
            case .next(let next): place = next
            case .end(let outcome): return outcome
            }
        }
        return .lost("after \(Self.limit) nodes: the routes make a loop")
    }

    /// Where the packet is: at a node, having come by a link, or beyond what can be asked.
    private struct Place {
        var node: NodeKernel?
        var link: Link?
        var reason = ""
    }

    private enum Step {
        case next(Place)
        case end(Outcome)
    }

    private mutating func say(_ text: String) { lines.append("  " + text) }

    /// The node that the source's pod is on, or whose own the source is.
    private func start() throws -> Place {
        for node in nodes {
            let found = try node.lookUp(source)
            if let link = node.links[found.linkIndex], link.isPod { return Place(node: node, link: link) }
            if found.kind == .local { return Place(node: node) }
        }
        return Place(reason: "no pod of \(nodes.map(\.name).joined(separator: ", ")) has the address \(source)")
    }

    /// What a node does with a packet that comes in by a link; nil when it takes it.
    private mutating func arrival(at node: NodeKernel, by link: Link?) throws -> String? {
        guard let link else { return nil }
        say("comes in by \(link.name)\(link.isPod ? ", the link of the pod \(source)" : "")")
        mtuBytes = min(mtuBytes, link.mtuBytes)
        guard link.isUp else { return "\(link.name) is down (ip link set \(link.name) up)" }
        guard node.forwards(source.family) || node.owns(destination) else {
            return "IP forwarding is off (sysctl -w \(source.family.forwardingSetting)=1)"
        }
        guard source.family == .ipv4, node.reversePathFilter(of: link) == 1 else { return nil }
        let back = try node.lookUp(source)
        guard back.linkIndex != link.index else { return nil }
        let other = node.links[back.linkIndex]?.name ?? "no link"
        return "rp_filter of \(link.name) is strict, and the way back to \(source) is \(other) "
            + "(sysctl -w net.ipv4.conf.\(link.name.replacingDots).rp_filter=2)"
    }

    /// What a node does with the packet.
    private mutating func pass(_ node: NodeKernel) throws -> Step {
        let route = try node.lookUp(destination)
        switch route.kind {
        case .local:
            say("\(destination) is the node's own")
            return .end(.arrives)
        case .refused(let reason):
            let isOwn = node.state.blocks.contains { $0.cidr.contains(destination) }
            return lost(
                node, isOwn ? "no pod has \(destination), which is of a block of the node" : "no way: \(reason)")
        case .unicast: break
        }
        guard let link = node.links[route.linkIndex] else { return lost(node, "the route's link is gone") }
        let gateway = route.gateway.map { "via \($0) " } ?? ""
        say("route to \(destination): \(gateway)dev \(link.name), MTU \(link.mtuBytes)")
        guard link.isUp else { return lost(node, "\(link.name) is down (ip link set \(link.name) up)") }
        guard link.operState != .down, link.operState != .lowerLayerDown else {
            return lost(node, "\(link.name) has no carrier")
        }
        mtuBytes = min(mtuBytes, route.mtuBytes ?? link.mtuBytes)
        if link.isPod { return deliver(node, link) }
        guard let tunnel = Tunnel(link) else { return .next(plainNext(route.gateway ?? destination)) }
        return try encapsulate(node, link, tunnel, gateway: route.gateway ?? destination)
    }

    private mutating func deliver(_ node: NodeKernel, _ link: Link) -> Step {
        guard let mac = node.macAddress(of: destination, on: link) else {
            say("\(destination) has no neighbour entry: the pod must answer ARP")
            return .end(.arrives)
        }
        say("neighbour \(destination) is \(mac)")
        return .end(.arrives)
    }

    private mutating func encapsulate(
        _ node: NodeKernel, _ link: Link, _ tunnel: Tunnel, gateway: IPAddress,
    ) throws -> Step {
        let outer: IPAddress
        switch tunnel {
        case .ipip:
            outer = gateway
            say("IP in IP, outer destination \(outer)")
        case .vxlan(let settings):
            guard let mac = node.macAddress(of: gateway, on: link) else {
                return lost(node, "\(link.name) has no neighbour entry for \(gateway), and nobody answers there")
            }
            guard let entry = try node.fdb(of: link).first(where: { $0.macAddress == mac }) else {
                return lost(node, "\(link.name) has no forwarding entry for \(mac): it is not known which node has it")
            }
            outer = entry.destination
            say("VXLAN \(settings.vni), UDP \(settings.port), \(gateway) is \(mac), outer destination \(outer)")
        }
        let route = try node.lookUp(outer)
        guard case .unicast = route.kind, let under = node.links[route.linkIndex] else {
            return lost(node, "no way to the outer destination \(outer)")
        }
        let via = route.gateway.map { "via \($0) " } ?? ""
        say("route to \(outer): \(via)dev \(under.name), MTU \(under.mtuBytes)")
        guard under.isUp, under.operState != .down else { return lost(node, "\(under.name) is down") }
        let room = under.mtuBytes - min(under.mtuBytes, tunnel.overheadBytes(outer.family))
        if link.mtuBytes > room {
            say("MTU \(link.mtuBytes) of \(link.name) is too large: \(under.name) has room for \(room)")
        }
        mtuBytes = min(mtuBytes, room)
        return try receive(at: outer, tunnel)
    }

    /// The end of a tunnel.
    private mutating func receive(at outer: IPAddress, _ tunnel: Tunnel) throws -> Step {
        guard let next = nodes.first(where: { $0.owns(outer) }) else {
            return .end(.leaves("to \(outer), encapsulated; give that node's run directory by --also to go on there"))
        }
        guard let link = next.links.values.first(where: { Tunnel($0)?.matches(tunnel) ?? false }), link.isUp else {
            return lost(next, "there is no \(tunnel.name) device that is up and takes it")
        }
        return .next(Place(node: next, link: link))
    }

    /// A packet that is not encapsulated goes to a node, or through a router to the node that the pod is on.
    private mutating func plainNext(_ gateway: IPAddress) -> Place {
        if let next = nodes.first(where: { $0.owns(gateway) }) {
            return Place(node: next, link: next.link(with: gateway))
        }
        let holder = nodes.first { node in node.state.blocks.contains { $0.cidr.contains(destination) } }
        guard let holder else {
            return Place(reason: "to \(gateway), which is no node that can be asked from here (see --also)")
        }
        lines.append("\(gateway)")
        say("a router, which is not asked; the block of \(destination) is at \(holder.name)")
        let uplink = holder.addresses.first { $0.scope == .universe && !(holder.links[$0.linkIndex]?.isInner ?? true) }
        return Place(node: holder, link: uplink.flatMap { holder.links[$0.linkIndex] })
    }

    private func lost(_ node: NodeKernel, _ reason: String) -> Step { .end(.lost("at \(node.name): \(reason)")) }
}
