import NetTypes

extension ClusterConfiguration {
    /// Two resources that contradict each other, or one that needs another which is not there.
    package struct Conflict: Sendable, Hashable, CustomStringConvertible {
        /// One of the two, as `Kind/name`.
        package var resource: String
        /// The other.
        package var other: String
        /// What the contradiction is and what follows from it; it names the other.
        package var reason: String
        /// Whether the resource is refused; else both stay in force, and what they dispute is given to nobody.
        package var isRefused = false

        /// The first, then the reason.
        package var description: String { "\(resource): \(reason)" }
    }

    /// Pools that overlap and affinities that overlap, each pair once; nodes with one address; peers without a filter of
    /// theirs.
    package var conflicts: [Conflict] {
        overlappingPools + overlappingAffinities + sharedAddresses + missingFilters
    }

    private var overlappingPools: [Conflict] {
        pools.enumerated().flatMap { index, pool in
            pools[(index + 1)...].filter { $0.cidr.overlaps(pool.cidr) }.map { other in
                Conflict(
                    resource: "IPPool/\(pool.name)", other: "IPPool/\(other.name)",
                    reason: "\(pool.cidr) overlaps IPPool/\(other.name) \(other.cidr); "
                        + "no address is given out where they overlap")
            }
        }
    }

    /// Sorted by block, an affinity overlaps those that follow it until the first that begins beyond its end.
    private var overlappingAffinities: [Conflict] {
        affinities.enumerated().flatMap { index, affinity in
            affinities[(index + 1)...].prefix { $0.cidr.overlaps(affinity.cidr) }.map { other in
                Conflict(
                    resource: "BlockAffinity/\(affinity.name)", other: "BlockAffinity/\(other.name)",
                    reason: "\(affinity.cidr) of node \(affinity.node) overlaps BlockAffinity/\(other.name) "
                        + "\(other.cidr) of node \(other.node); no address is given out from either")
            }
        }
    }

    /// Both nodes would answer for the address, and nobody can say which of the two is meant.
    private var sharedAddresses: [Conflict] {
        var owners: [IPAddress: String] = [:]
        var found: [Conflict] = []
        for node in nodes {
            for address in node.addresses.map(\.address) {
                guard let owner = owners[address] else {
                    owners[address] = node.name
                    continue
                }
                found += [(node.name, owner), (owner, node.name)].map { name, other in
                    Conflict(
                        resource: "Node/\(name)", other: "Node/\(other)",
                        reason: "Node/\(other) has the address \(address) too; neither is used", isRefused: true)
                }
            }
        }
        return found
    }

    /// A session without its filter would let through what the filter is there to stop.
    private var missingFilters: [Conflict] {
        let known = Set(filters.map(\.name))
        return peers.flatMap { peer in
            Set(peer.policy.filters).subtracting(known).sorted().map { filter in
                Conflict(
                    resource: "BGPPeer/\(peer.name)", other: "BGPFilter/\(filter)",
                    reason: "there is no BGPFilter/\(filter), which its filters name, and without it there is no "
                        + "session; write the filter, or take its name out", isRefused: true)
            }
        }
    }
}
