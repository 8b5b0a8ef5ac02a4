import Dataplane
import ModePlugins
import NetTypes
import Netlink
import Resources

/// The node as the kernel shows it, apart from what is Apus': links, addresses and the routes that a next hop may take.
struct NodePicture: Sendable {
    private(set) var links: [Link] = []
    /// The names of the links of Apus' pods.
    private(set) var podLinks: [String] = []
    private(set) var addresses: [LinkAddress] = []
    private var routes = ForeignRoutes()
    /// Whether events have left open what is true of the routes: a new picture is to be taken.
    private(set) var isDoubtful = false

    /// Nothing is known.
    init() {}

    /// What dumps show; nothing without sockets. Where the own routes are to be read as well, one dump serves for both.
    init(_ sockets: KernelSockets?) throws(NetlinkError) {
        guard let sockets else { return }
        let all = try sockets.links()
        links = all.filter { !Self.isPodLink($0.name) }
        podLinks = all.filter(Self.isOwnPodLink).map(\.name)
        addresses = try sockets.addresses()
        guard sockets.routes.needsResync else {
            routes = ForeignRoutes(try sockets.mainTable(otherThan: RouteProtocol.number))
            return
        }
        let table = try sockets.mainTable()
        routes = ForeignRoutes(table.filter { $0.protocolNumber != RouteProtocol.number })
        sockets.routes.adopt(
            table.filter { $0.protocolNumber == RouteProtocol.number },
            linksUp: Set(all.lazy.filter(\.isUp).map(\.index)))
    }

    /// Whether a link is the host end of a pod's, by its name.
    static func isPodLink(_ name: String) -> Bool { name.hasPrefix("cali") }

    /// Whether a link is the host end of one of Apus' pods, by its alias too.
    static func isOwnPodLink(_ link: Link) -> Bool { isPodLink(link.name) && link.alias?.hasPrefix("apus:") ?? false }

    /// Takes one route event.
    ///
    /// - Returns: whether the picture is another one now.
    mutating func observe(_ route: Route, deleted: Bool, isReplacement: Bool) -> Bool {
        guard route.protocolNumber != RouteProtocol.number else { return false }
        let effect = routes.observe(route, deleted: deleted, isReplacement: isReplacement)
        if effect == .doubtful { isDoubtful = true }
        return effect != .none
    }

    /// The link's name, as last seen.
    func name(of index: UInt32) -> String? { links.first { $0.index == index }?.name }

    /// The link that holds one of the addresses.
    func uplink(of own: [IPAddress]) -> Link? {
        guard let address = addresses.first(where: { own.contains($0.address.address) }) else { return nil }
        return links.first { $0.index == address.linkIndex }
    }

    /// The links by which the addresses of the other nodes are reached; a tunnel of Apus' own is none.
    ///
    /// - Complexity: O(routes + nodes)
    func ways(toNodesOf configuration: KernelConfiguration, _ family: AddressFamily? = nil) -> [Link] {
        let others = configuration.nodes.lazy.filter { $0.name != configuration.nodeName }.flatMap(\.addresses)
        let indices = routes.links(to: others.map(\.address).filter { family == nil || $0.family == family })
        return links.filter {
            indices.contains($0.index) && !$0.isLoopback && TunnelDevice(rawValue: $0.name) == nil
        }
    }

    /// The link whose MTU packets to other nodes must fit where no link counts as a NIC: the one that holds the node's
    /// address, or where that is the loopback, the narrowest by which another node is reached.
    func carrier(for configuration: KernelConfiguration) -> Link? {
        guard let uplink = uplink(of: configuration.nodeAddresses.map(\.address)) else { return nil }
        return uplink.isLoopback ? ways(toNodesOf: configuration).min { $0.mtuBytes < $1.mtuBytes } : uplink
    }

    /// Whether the address is within the network of an address of a link, be that up or not.
    func isOnLink(_ address: IPAddress) -> Bool {
        addresses.contains { own in
            own.address.address == address || own.hasPrefixRoute && own.address.network.contains(address)
        }
    }

    /// Whether a route that is not Apus' leads to the address, by a link with carrier or without.
    ///
    /// - Complexity: O(routes)
    func hasRoute(to address: IPAddress) -> Bool { routes.hasRoute(to: address) }

    /// What a mode plugin may know. An address whose network the configuration does not tell has that of the link.
    ///
    /// Left out are the tunnels: what is reached through them is no wire that carries packets between nodes.
    func context(
        nodeAddresses: [Node.Address], protocolNumber: UInt8, tunnels: [TunnelDevice: UInt32] = [:],
    ) -> ForwardingContext {
        let own = nodeAddresses.map { own in
            let length = own.length ?? addresses.first { $0.address.address == own.address }?.address.length
            return CIDRAddress(own.address, length: length ?? own.address.family.bitWidth)
        }
        return ForwardingContext(
            nodeAddresses: own,
            links: links.filter { TunnelDevice(rawValue: $0.name) == nil }.map { link in
                let own = addresses.filter { $0.linkIndex == link.index }
                return ForwardingContext.Link(
                    index: link.index, name: link.name, isUp: link.isUp, addresses: own.map(\.address),
                    connected: own.filter(\.hasPrefixRoute).map(\.address))
            },
            routes: routes.all, protocolNumber: protocolNumber, tunnels: tunnels)
    }
}
