import CLibNL
import LinuxOS
package import NetTypes

extension NetlinkSocket {
    /// Makes a veth pair, the host's end up.
    package mutating func createVeth(_ pair: VethPair) throws(NetlinkError) { try execute(.createVeth(pair)) }

    /// Changes a link.
    package mutating func setLink(_ index: UInt32, _ settings: LinkSettings) throws(NetlinkError) {
        try execute(.setLink(index: index, settings))
    }

    /// Sets how long proxy ARP waits before it answers on a link.
    package mutating func setProxyDelay(_ index: UInt32, milliseconds: UInt64) throws(NetlinkError) {
        try execute(.setProxyDelay(linkIndex: index, milliseconds: milliseconds))
    }

    /// Deletes a link.
    ///
    /// - Returns: false when it was gone already.
    @discardableResult
    package mutating func deleteLink(_ index: UInt32) throws(NetlinkError) -> Bool {
        do throws(NetlinkError) {
            try execute(.deleteLink(index: index))
            return true
        } catch {
            guard error.code == .ENODEV else { throw error }
            return false
        }
    }

    /// The index of the link of that name, or nil. Other than `link(named:)` it does not wait for others' work on links;
    /// it is for links that are there, see `LinkIndex`.
    package mutating func linkIndex(named name: String) throws(NetlinkError) -> UInt32? {
        do throws(SystemError) {
            return try LinkIndex.of(name, over: descriptor)
        } catch {
            throw NetlinkError(.linkGet, name, error.code)
        }
    }

    /// The link of that name, or nil.
    package mutating func link(named name: String) throws(NetlinkError) -> Link? {
        try singleLink(NetlinkQuery.link(named: name), object: name)
    }

    /// The link of that index, or nil.
    package mutating func link(index: UInt32) throws(NetlinkError) -> Link? {
        try singleLink(NetlinkQuery.link(index: index), object: "if\(index)")
    }

    /// Every link of the namespace.
    package mutating func links() throws(NetlinkError) -> [Link] {
        try dump(NetlinkQuery.links(), .linkList, "links", decode: Link.init(payload:))
    }

    /// The addresses of one link, or of all of them.
    package mutating func addresses(linkIndex: UInt32? = nil) throws(NetlinkError) -> [LinkAddress] {
        try dump(
            NetlinkQuery.addresses(linkIndex: linkIndex), .addressList, "addresses", decode: LinkAddress.init(payload:))
    }

    /// The main table's routes of one family; the kernel leaves out those of other protocols, if one is given.
    ///
    /// They are as `Route.canonical` writes them.
    package mutating func routes(
        protocolNumber: UInt8? = nil, family: AddressFamily,
    ) throws(NetlinkError) -> [Route] {
        try routes(protocolNumber, family, linkIndex: nil)
    }

    /// The main table's routes of one family over one link, without a look at all the others.
    package mutating func routes(family: AddressFamily, linkIndex: UInt32) throws(NetlinkError) -> [Route] {
        try routes(nil, family, linkIndex: linkIndex)
    }

    /// The main table's IPv6 routes that the kernel has from a router's advertisement (RTPROT_RA).
    package mutating func advertisedRoutes() throws(NetlinkError) -> [Route] {
        try routes(UInt8(RTPROT_RA), .ipv6, linkIndex: nil)
    }

    /// The main table's routes of one family apart from those of one protocol, which are not even read.
    package mutating func routes(
        family: AddressFamily, otherThan protocolNumber: UInt8,
    ) throws(NetlinkError) -> [Route] {
        try routes(nil, family, linkIndex: nil) { payload in
            Route.protocolNumber(ofPayload: payload) == protocolNumber ? nil : Route(payload: payload)
        }
    }

    private mutating func routes(
        _ protocolNumber: UInt8?, _ family: AddressFamily, linkIndex: UInt32?,
        decode: (RawSpan) -> Route? = Route.init(payload:),
    ) throws(NetlinkError) -> [Route] {
        let query = try NetlinkQuery.routes(protocolNumber: protocolNumber, family: family, linkIndex: linkIndex)
        do throws(NetlinkError) {
            let routes = try dump(query, .routeList, "\(family.rawValue) routes", decode: decode)
            return routes.filter { $0.isAskedFor(protocolNumber, family, linkIndex: linkIndex) }
        } catch {
            // A namespace that never had a route of the family has no main table for it.
            guard error.code == .ENOENT else { throw error }
            return []
        }
    }

    /// The neighbours, of both families, that have a link-layer address, of one link or of all of them.
    package mutating func neighbours(linkIndex: UInt32? = nil) throws(NetlinkError) -> [Neighbour] {
        try dump(
            NetlinkQuery.neighbours(linkIndex: linkIndex), .neighbourList, "neighbours",
            decode: Neighbour.init(payload:))
    }

    /// The entries of a VXLAN's forwarding database that name a remote address.
    package mutating func fdb(linkIndex: UInt32) throws(NetlinkError) -> [FDBEntry] {
        let entries = try dump(
            NetlinkQuery.fdb(linkIndex: linkIndex), .fdbList, "FDB of if\(linkIndex)", decode: FDBEntry.init(payload:))
        return entries.filter { $0.linkIndex == linkIndex }
    }

    private mutating func singleLink(
        _ query: consuming NetlinkMessage, object: String,
    ) throws(NetlinkError) -> Link? {
        do throws(NetlinkError) {
            return try fetch(query, .linkGet, object, decode: Link.init(payload:))
        } catch {
            guard error.code == .ENODEV else { throw error }
            return nil
        }
    }
}
