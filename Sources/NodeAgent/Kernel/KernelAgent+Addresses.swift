import ModePlugins
import NetTypes
import Netlink
import Resources

// What the search for the node's own address asks.
extension KernelAgent {
    /// The links apart from the pods', by index, each with its addresses that are to stay.
    func addressCandidates() -> [AddressDetection.Candidate] { picture.addressCandidates(where: \.isLasting) }

    /// The node's own links, neither pods' nor tunnels', each with its addresses.
    func nodeLinks() -> [AddressDetection.Candidate] {
        picture.addressCandidates().filter { TunnelDevice(rawValue: $0.link) == nil }
    }

    /// The address from which the kernel would send to another; nil when it has no way to it.
    func sourceAddress(towards address: IPAddress) -> IPAddress? {
        (try? sockets?.lookUp(address))?.source
    }

    /// The links by which routes lead that a router has advertised; nil while the kernel cannot be asked, or no link is
    /// known yet.
    func linksOfAdvertisedRoutes() throws -> [String]? {
        guard let sockets, !picture.links.isEmpty else { return nil }
        return try sockets.advertisedRoutes().flatMap(\.hops).compactMap { picture.name(of: $0.linkIndex) }
    }
}

extension NodePicture {
    /// The addresses of the node that mean something beyond one link, tunnels' apart.
    ///
    /// - Complexity: O(links + addresses): `ptp` makes as many as there are pods.
    var ownAddresses: Set<CIDRAddress> {
        let tunnels = Set(links.lazy.filter { TunnelDevice(rawValue: $0.name) != nil }.map(\.index))
        return Set(
            addresses.lazy.filter { !tunnels.contains($0.linkIndex) && !$0.address.address.isLinkLocal }.map(\.address))
    }

    /// Every link with its addresses, by index.
    func addressCandidates(where isWanted: (LinkAddress) -> Bool = { _ in true }) -> [AddressDetection.Candidate] {
        links.sorted { $0.index < $1.index }.map { link in
            AddressDetection.Candidate(
                link: link.name, isUp: link.isUp,
                addresses: addresses.filter { $0.linkIndex == link.index && isWanted($0) }.map(\.address))
        }
    }
}
