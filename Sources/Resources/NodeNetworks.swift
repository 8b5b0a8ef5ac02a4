package import NetTypes

/// Where nodes are: their addresses, and the networks that these stand in. No pod is given the one, and no node takes a
/// block out of the other by itself.
package struct NodeNetworks: Sendable, Hashable {
    /// One address of a node.
    private struct Place: Sendable, Hashable {
        /// Whose it is: `Node/name`, or a link of this node.
        var owner: String
        var address: CIDRAddress
        /// Whether it is on a link of this node.
        var isOwn: Bool
        /// Whether its network is no more than a block of this node, of which it is the gateway.
        var isGateway = false
    }

    private var places: [Place] = []

    /// Nothing is known.
    package init() {}

    /// Joins what the resources say of all nodes with what this node's links have.
    ///
    /// A Node that tells no network has that of the link which holds its address, and without one stands for its
    /// address alone.
    /// - Parameters:
    ///   - links: this node's, without those of pods and tunnels.
    ///   - gateways: the addresses that `apus-ipam` has other plugins put on links of this node.
    package init(nodes: [Node], links: [AddressDetection.Candidate], gateways: Set<IPAddress> = []) {
        let own = links.flatMap { link in
            link.addresses.map {
                Place(owner: link.link, address: $0, isOwn: true, isGateway: gateways.contains($0.address))
            }
        }.filter { $0.address.address.isUnicastHost && !$0.address.address.isLinkLocal }
        var told: Set<IPAddress> = []
        for node in nodes {
            for address in node.addresses {
                let link = own.first { $0.address.address == address.address }
                let length = address.length ?? link?.address.length ?? address.address.family.bitWidth
                told.insert(address.address)
                places.append(
                    Place(
                        owner: "Node/\(node.name)", address: CIDRAddress(address.address, length: length),
                        isOwn: link != nil))
            }
        }
        places += own.filter { !told.contains($0.address.address) }
    }

    /// The addresses that lie in one of the pools.
    package func addresses(in pools: [IPPrefix]) -> Set<IPAddress> {
        Set(places.map(\.address.address).filter { address in pools.contains { $0.contains(address) } })
    }

    /// What no block of a pool is taken from without a BlockAffinity: the networks, and the addresses that stand in
    /// none.
    ///
    /// Where the pool is a smaller part of a network, whoever made it has set that part aside: of such a network the
    /// node's address alone counts.
    package func barred(in pool: IPPrefix) -> [IPPrefix] {
        places.filter { !$0.isGateway && $0.address.network.overlaps(pool) }.map { place in
            let network = place.address.network
            guard network.length < pool.length else { return network }
            return IPPrefix(masking: place.address.address, length: pool.family.bitWidth)
        }
    }

    /// Whether a link of this node stands in a network that shares addresses with a block, and machines may live there:
    /// not where the pool is set aside in the network and no node's address is in the block.
    package func isOnLink(_ block: IPPrefix, of pool: IPPrefix) -> Bool {
        let isNodes = places.contains { !$0.isGateway && block.contains($0.address.address) }
        return places.contains {
            $0.isOwn && !$0.isGateway && !$0.address.network.isHost && $0.address.network.overlaps(block)
                && (isNodes || $0.address.network.length >= pool.length)
        }
    }

    /// Where pools and networks of nodes share addresses, one sentence for each pool that does.
    package func overlaps(with pools: [IPPool]) -> [String] {
        pools.compactMap { pool in
            let found = places.first { !$0.isGateway && $0.address.network.overlaps(pool.cidr) }
            guard let place = found else { return nil }
            return "IPPool/\(pool.name) \(pool.cidr) overlaps \(place.address.network), the network of \(place.owner) "
                + "(\(place.address.address))"
        }
    }
}
