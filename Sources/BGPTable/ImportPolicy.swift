package import NetTypes

/// Which learned routes may be used. A refused route stays in the Adj-RIB-In with its reason, so that a change of the
/// policy takes effect in place, without a session reset or a route refresh.
package struct ImportPolicy: Sendable, Hashable {
    /// The networks inside which a prefix is accepted: the known pools. `0.0.0.0/0` accepts every IPv4 prefix but the
    /// default route.
    package var pools: [IPPrefix]
    /// Addresses of nodes. A prefix that covers one would draw the sessions' own packets into the overlay.
    package var nodeAddresses: Set<IPAddress>

    /// Makes a policy.
    package init(pools: [IPPrefix], nodeAddresses: Set<IPAddress> = []) {
        self.pools = pools
        self.nodeAddresses = nodeAddresses
    }

    /// Why `prefix` is refused; nil when it is accepted.
    ///
    /// - Complexity: O(pools + node addresses)
    func refusal(of prefix: IPPrefix) -> Ineligibility? {
        if prefix.length == 0 { return .defaultRoute }
        guard pools.contains(where: { $0.contains(prefix) }) else { return .outsidePools }
        if nodeAddresses.contains(where: { prefix.contains($0) }) { return .coversNodeAddress }
        return nil
    }
}
