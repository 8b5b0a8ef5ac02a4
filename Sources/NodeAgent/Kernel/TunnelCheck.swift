import ModePlugins
import NetTypes
import Resources

/// Who may end a tunnel where: what is held against what a route tells of its tunnel before anything is sent there.
///
/// A peer that speaks for another node, by mistake or not, must not draw that node's packets to itself: the tunnel ends at
/// the node that the route's next hop is, with that node's own link-layer address and an inner address of its blocks.
struct TunnelCheck: Sendable, Equatable {
    /// What became of a route's tunnel.
    enum Finding: Sendable, Equatable {
        /// Packets may be sent there; what the route left out is filled in.
        case accepted(TunnelEndpoint)
        /// The route tells of no tunnel, and neither does the Node resource.
        case absent
        /// The tunnel is not used.
        case refused(reason: String)
    }

    /// A learned route, as far as tunnels go.
    struct Route: Sendable, Hashable {
        /// The BGP next hop.
        var nextHop: IPAddress
        /// What its origin told.
        var told: TunnelEndpoint?
    }

    /// The nodes of the cluster; none when there is no list.
    let nodes: [Node]
    /// The own node's name.
    let nodeName: String
    /// The identifier and the port that this node's own VXLAN has.
    let vni: UInt32
    let port: UInt16
    private let nodeByAddress: [IPAddress: Int]
    /// The node that a link-layer address belongs to, by resource or by derivation.
    private let nodeByMAC: [MACAddress: String]

    init(nodes: [Node], nodeName: String, felix: FelixConfiguration) {
        self.nodes = nodes
        self.nodeName = nodeName
        vni = felix.vxlanVNI ?? FelixConfiguration.defaultVNI
        port = felix.vxlanPort ?? FelixConfiguration.defaultVXLANPort
        var byAddress: [IPAddress: Int] = [:]
        var byMAC: [MACAddress: String] = [:]
        for (index, node) in nodes.enumerated() {
            for address in node.addresses { byAddress[address.address] = index }
            for family in AddressFamily.allCases { byMAC[Self.macAddress(of: node, family)] = node.name }
        }
        nodeByAddress = byAddress
        nodeByMAC = byMAC
    }

    /// The link-layer address of a node's end of a VXLAN.
    static func macAddress(of node: Node, _ family: AddressFamily) -> MACAddress {
        node.tunnelEnds.vxlanMAC[family] ?? .vtep(ofNode: node.name, over: family)
    }

    /// What the Node resource says of the tunnel that the device carries, for a route that tells of none.
    func fallback(_ route: Route, _ device: TunnelDevice) -> TunnelEndpoint? {
        guard let node = node(route.nextHop) else { return nil }
        switch device {
        case .ipip:
            return node.tunnelEnds.ipip.map { TunnelEndpoint(.ipip, innerAddress: $0) }
        case .vxlan, .vxlanV6:
            return node.tunnelEnds.vxlan[device.family].map { TunnelEndpoint(.vxlan, innerAddress: $0) }
        }
    }

    /// Judges the tunnel of a route.
    ///
    /// - Parameters:
    ///   - holder: the next hop that another route with the same link-layer address was learned with, if any.
    ///   - isOwnInner: whether the address lies in a block that the same next hop announces.
    func judge(
        _ route: Route, _ device: TunnelDevice, holder: (MACAddress) -> IPAddress?, isOwnInner: (IPAddress) -> Bool,
    ) -> Finding {
        guard var endpoint = route.told ?? fallback(route, device) else { return .absent }
        guard endpoint.encapsulation == device.encapsulation else { return .absent }
        let node = node(route.nextHop)
        let egress = endpoint.egress ?? route.nextHop
        if let reason = objection(to: egress, of: route, node, device) { return .refused(reason: reason) }
        endpoint.egress = egress
        if endpoint.encapsulation == .vxlan {
            if let other = endpoint.vni, other != vni {
                return .refused(reason: "its VNI is \(other), this node's is \(vni)")
            }
            if let other = endpoint.port, other != port {
                return .refused(reason: "its UDP port is \(other), this node's is \(port)")
            }
            endpoint.macAddress = endpoint.macAddress ?? node.map { Self.macAddress(of: $0, device.family) }
            guard let mac = endpoint.macAddress else {
                return .refused(reason: "its link-layer address was not told, and no Node is known by its address")
            }
            if let reason = objection(to: mac, of: route, node, holder(mac)) { return .refused(reason: reason) }
        }
        if route.told != nil, let inner = endpoint.innerAddress, !isOwnInner(inner) {
            return .refused(reason: "its inner address \(inner) lies in no block that \(route.nextHop) announces")
        }
        return .accepted(endpoint)
    }

    private func objection(
        to egress: IPAddress, of route: Route, _ node: Node?, _ device: TunnelDevice,
    ) -> String? {
        guard egress.family == device.family else { return "its end \(egress) is of the other family" }
        if nodes.isEmpty {
            return egress == route.nextHop ? nil : "its end \(egress) is not the next hop \(route.nextHop)"
        }
        guard let owner = nodeByAddress[egress].map({ nodes[$0] }) else {
            return "its end \(egress) is no known node's address"
        }
        guard owner.name != nodeName else { return "its end \(egress) is this node's own address" }
        guard owner.name == node?.name else {
            return "its end \(egress) is an address of node \(owner.name), the next hop \(route.nextHop) is not"
        }
        return nil
    }

    private func objection(to mac: MACAddress, of route: Route, _ node: Node?, _ holder: IPAddress?) -> String? {
        guard mac.isUnicast else { return "its link-layer address \(mac) is no unicast address" }
        if let owner = nodeByMAC[mac], owner != node?.name {
            return "its link-layer address \(mac) is that of node \(owner)"
        }
        if let holder, holder != route.nextHop {
            return "its link-layer address \(mac) is in use by \(holder)"
        }
        return nil
    }

    private func node(_ address: IPAddress) -> Node? { nodeByAddress[address].map { nodes[$0] } }
}
