package import NetTypes

/// Which learned routes may be used and passed on where no filter of the peer says more. A refused route stays in the
/// Adj-RIB-In with its reason, so that a change of the policy takes effect in place, without a session reset or a route
/// refresh.
package struct ImportPolicy: Sendable, Hashable {
    /// By which link packets to a pool leave, as far as the pool's mode tells.
    package struct PoolLink: Sendable, Hashable {
        /// The pool.
        package var pool: IPPrefix
        /// The tunnel device of the pool's mode.
        package var tunnel: String
        /// Where the next hop is reached without the tunnel; nil: nowhere.
        package var directSubnet: IPPrefix?

        /// Makes a row.
        package init(pool: IPPrefix, tunnel: String, directSubnet: IPPrefix? = nil) {
            self.pool = pool
            self.tunnel = tunnel
            self.directSubnet = directSubnet
        }
    }

    /// The networks inside which a prefix is accepted: the known pools. `0.0.0.0/0` accepts every IPv4 prefix but the
    /// default route.
    package var pools: [IPPrefix]
    /// Addresses of nodes. A prefix that covers one would draw the sessions' own packets into the overlay.
    package var nodeAddresses: Set<IPAddress>
    /// The ASes of nodes. What came into BGP in one of them was announced by a node.
    package var nodeASes: Set<ASNumber>
    /// The pools that are not passed on to others (`disableBGPExport`).
    package var unexportedPools: [IPPrefix]
    /// The pools whose packets leave by a tunnel.
    package var tunnels: [PoolLink]

    /// Makes a policy.
    package init(
        pools: [IPPrefix], nodeAddresses: Set<IPAddress> = [], nodeASes: Set<ASNumber> = [],
        unexportedPools: [IPPrefix] = [], tunnels: [PoolLink] = [],
    ) {
        self.pools = pools
        self.nodeAddresses = nodeAddresses
        self.nodeASes = nodeASes
        self.unexportedPools = unexportedPools
        self.tunnels = tunnels
    }

    /// Why `prefix` is refused; nil when it is accepted.
    ///
    /// - Complexity: O(pools + node addresses)
    func refusal(of prefix: IPPrefix) -> Ineligibility? {
        if prefix.length == 0 { return .defaultRoute }
        guard pools.contains(where: { $0.contains(prefix) }) else { return .outsidePools }
        return danger(of: prefix)
    }

    /// Why `prefix` is not even accepted by a rule that does not name it; nil when it is harmless.
    func danger(of prefix: IPPrefix) -> Ineligibility? {
        if prefix.length == 0 { return .defaultRoute }
        return nodeAddresses.contains { prefix.contains($0) } ? .coversNodeAddress : nil
    }

    /// Whether a learned route to `prefix` is passed on to others.
    func isExported(_ prefix: IPPrefix) -> Bool {
        pools.contains { $0.contains(prefix) } && !unexportedPools.contains { $0.contains(prefix) }
    }

    /// The tunnel that packets to a prefix leave by; nil when they use none, or it is not known.
    func link(of prefix: IPPrefix, nextHop: IPAddress?) -> String? {
        guard let row = tunnels.first(where: { $0.pool.contains(prefix) }) else { return nil }
        if let nextHop, let direct = row.directSubnet, direct.contains(nextHop) { return nil }
        return row.tunnel
    }
}
