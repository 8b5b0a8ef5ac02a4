import Dataplane
import NetTypes
import Resources

/// What Prometheus is told of the work with the kernel.
struct KernelNumbers: Sendable {
    /// How long it took from a peer's session coming up to the last of its routes being programmed, the last time.
    var convergence: [IPAddress: Duration] = [:]
    /// Routes that the kernel refused.
    var refusedRoutes: Int64 = 0
    /// Neighbours and forwarding entries that it refused.
    var refusedTunnelEntries: Int64 = 0
    /// Times the netlink socket had to be opened anew.
    var failures: Int64 = 0

    /// Forgets the peers that are no longer configured.
    mutating func keep(peers: Set<IPAddress>) {
        convergence = convergence.filter { peers.contains($0.key) }
    }
}

// Routes of an earlier run and the nodes they lead to.
extension KernelAgent {
    /// Tells of the peers that there are.
    func keepNumbers(of peers: Set<IPAddress>) { numbers.keep(peers: peers) }

    /// The nodes that a route leads to: its gateways or, where a gateway is an address inside a VXLAN, the node that the
    /// device sends its packets to.
    func nodes(behind route: Route) -> [IPAddress] {
        route.hops.compactMap { hop in
            hop.gateway.map { sockets?.tunnels.table.endpoint(of: $0, by: hop.linkIndex) ?? $0 }
        }
    }

    /// A node that was taken out of the configuration speaks for no route any more: those that an earlier run has left
    /// go at once, not when they are stale.
    func dropRoutes(ofNodesIn former: KernelConfiguration, missingIn new: KernelConfiguration) {
        let gone = former.addressesOfNodes.subtracting(new.addressesOfNodes)
        guard !gone.isEmpty else { return }
        drop(because: "its node is no longer configured") { route in
            nodes(behind: route).contains { gone.contains($0) }
        }
    }
}

extension KernelConfiguration {
    fileprivate var addressesOfNodes: Set<IPAddress> { Set(nodes.flatMap { $0.addresses.map(\.address) }) }
}
