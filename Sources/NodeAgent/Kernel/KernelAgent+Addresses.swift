import NetTypes
import Netlink
import Resources

// What the search for the node's own address asks.
extension KernelAgent {
    /// The links apart from the pods', by index, each with its addresses.
    func addressCandidates() -> [AddressDetection.Candidate] { picture.addressCandidates }

    /// The address from which the kernel would send to another; nil when it has no way to it.
    func sourceAddress(towards address: IPAddress) -> IPAddress? {
        (try? sockets?.lookUp(address))?.source
    }

    /// The links by which routes lead that a router has advertised.
    func linksOfAdvertisedRoutes() throws -> [String] {
        let routes = try sockets?.advertisedRoutes() ?? []
        return routes.flatMap(\.hops).compactMap { picture.name(of: $0.linkIndex) }
    }
}

extension NodePicture {
    /// Every link with its addresses, by index.
    var addressCandidates: [AddressDetection.Candidate] {
        links.sorted { $0.index < $1.index }.map { link in
            AddressDetection.Candidate(
                link: link.name, isUp: link.isUp,
                addresses: addresses.filter { $0.linkIndex == link.index }.map(\.address))
        }
    }
}
