import IPAMCore
import Logging
import NetTypes
import Resources

// Where nodes are, and what is kept from pods.
extension NodeController {
    /// What to do about a pool in a network of nodes.
    static let overlapRemedy =
        "give the pool another cidr, or write BlockAffinities: apusd takes no block by itself out of a node's network, "
        + "unless the pool is a smaller part of it"

    /// Looks where the nodes are by now, and says which pools are there too, each time that it is news.
    func lookAtNetworks(_ view: NodeView) async {
        let blocks = (state?.blocks.map(\.cidr) ?? []) + claims.blocks
        networks = NodeNetworks(
            nodes: view.nodes, links: await kernel.nodeLinks(), gateways: Set(blocks.compactMap(Block.gateway)))
        let overlaps = Set(networkOverlaps)
        for overlap in overlaps.subtracting(reportedOverlaps).sorted() {
            logger.warning(
                "\(overlap): no pod is given a node's address", metadata: ["remedy": "\(Self.overlapRemedy)"])
        }
        reportedOverlaps = overlaps
    }

    /// Where pools and networks of nodes share addresses.
    var networkOverlaps: [String] { networks.overlaps(with: view?.pools ?? []) }

    /// What IPReservations hold back.
    var reservations: [IPPrefix] { inForce.configuration?.reservations.flatMap(\.reservedCIDRs) ?? [] }

    /// What is kept from pods, as far as it matters for the node's blocks and pools: mostly nothing.
    func withheld(from blocks: [NodeState.OwnedBlock], _ view: NodeView) -> WithheldAddresses {
        WithheldAddresses(
            nodes: networks.addresses(in: view.pools.map(\.cidr)),
            reservations: reservations.filter { reservation in blocks.contains { $0.cidr.overlaps(reservation) } })
    }

    /// The blocks that are blackholes. One in a network of this node's own links is none: machines live there, too, and
    /// what no pod has is theirs to answer for.
    func blackholes(_ blocks: [NodeState.OwnedBlock], _ view: NodeView) -> [IPPrefix] {
        blocks.map(\.cidr).filter { block in
            !networks.isOnLink(block, of: view.pools.narrowest(around: block)?.cidr ?? block)
        }
    }

    /// The blocks whose first address can be the tunnel's: no node has it.
    func tunnelBlocks(_ blocks: [NodeState.OwnedBlock], _ view: NodeView) -> [IPPrefix] {
        let taken = networks.addresses(in: view.pools.map(\.cidr))
        return blocks.map(\.cidr).filter { !taken.contains($0.address) }
    }
}
