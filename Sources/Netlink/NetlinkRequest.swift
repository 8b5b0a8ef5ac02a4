package import NetTypes

/// One change asked of the kernel. Routes are those of the main table. What is large and rare lies elsewhere, so that a
/// hundred thousand routes lie close together.
package enum NetlinkRequest: Sendable, Hashable, CustomStringConvertible {
    /// Makes a pair of links; EEXIST when either name is taken, and then nothing is left on either side.
    indirect case createVeth(VethPair)
    /// Makes a tunnel, down; EEXIST when its name is taken, or for a VXLAN its identifier.
    indirect case createTunnel(TunnelLink)
    /// Changes a link.
    indirect case setLink(index: UInt32, LinkSettings)
    /// Sets how long proxy ARP waits before it answers on a link; it cannot be set by `LinkSettings`.
    case setProxyDelay(linkIndex: UInt32, milliseconds: UInt64)
    /// Deletes a link; both ends go.
    case deleteLink(index: UInt32)
    /// Deletes every link of the group at once. ENODEV when it has none; EOPNOTSUPP, and nothing is deleted, when one of
    /// them cannot be deleted.
    case deleteGroup(UInt32)
    /// Adds an address; EEXIST when the link has it.
    case addAddress(LinkAddress)
    /// Removes an address.
    case deleteAddress(LinkAddress)
    /// Adds a route; EEXIST when one of the same destination and metric is there, whoever made it.
    case addRoute(Route)
    /// Adds a route in place of one of the same destination and metric, be it another's: only for what is known as own.
    case replaceRoute(Route)
    /// Deletes a route of this destination, protocol, kind, metric (0: any) and, if it has one hop without a gateway, link;
    /// else ESRCH.
    case deleteRoute(Route)
    /// Makes a next hop of its own, which routes can name; EEXIST when its number is taken.
    case addNextHop(NextHopObject)
    /// Deletes such a next hop and every route that names it; ENOENT when it is gone.
    case deleteNextHop(NextHopObject)
    /// Adds a neighbour or replaces it.
    case setNeighbour(Neighbour)
    /// Deletes a neighbour; ENOENT when there is none.
    case deleteNeighbour(Neighbour)
    /// Adds an entry of a VXLAN's forwarding database or replaces it.
    case setFDB(FDBEntry)
    /// Deletes such an entry; ENOENT when there is none.
    case deleteFDB(FDBEntry)

    /// The verb, for errors.
    package var operation: NetlinkOperation {
        switch self {
        case .createVeth, .createTunnel: .linkCreate
        case .setLink: .linkSet
        case .setProxyDelay: .proxyDelaySet
        case .deleteLink, .deleteGroup: .linkDelete
        case .addAddress: .addressAdd
        case .deleteAddress: .addressDelete
        case .addRoute: .routeAdd
        case .replaceRoute: .routeReplace
        case .deleteRoute: .routeDelete
        case .addNextHop: .nextHopAdd
        case .deleteNextHop: .nextHopDelete
        case .setNeighbour: .neighbourSet
        case .deleteNeighbour: .neighbourDelete
        case .setFDB: .fdbSet
        case .deleteFDB: .fdbDelete
        }
    }

    /// The thing the request is about, for errors.
    package var object: String {
        switch self {
        case .createVeth(let pair): "\(pair.hostName) with \(pair.podName)"
        case .createTunnel(let tunnel): tunnel.name
        case .setLink(let index, _), .deleteLink(let index), .setProxyDelay(let index, _): "if\(index)"
        case .deleteGroup(let group): "group \(group)"
        case .addAddress(let address), .deleteAddress(let address): address.description
        case .addRoute(let route), .replaceRoute(let route), .deleteRoute(let route): route.description
        case .addNextHop(let object), .deleteNextHop(let object): object.description
        case .setNeighbour(let neighbour), .deleteNeighbour(let neighbour): neighbour.description
        case .setFDB(let entry), .deleteFDB(let entry): entry.description
        }
    }

    /// Verb and thing.
    package var description: String { "\(operation.rawValue) \(object)" }
}

/// Requests that go to the kernel together, in order. One that fails does not keep the later ones from being tried.
package struct NetlinkBatch: Sendable, Hashable {
    /// The requests in order.
    package var requests: [NetlinkRequest]

    /// Makes a batch.
    package init(_ requests: [NetlinkRequest] = []) { self.requests = requests }

    /// The number of requests.
    package var count: Int { requests.count }

    /// Whether there is nothing to do.
    package var isEmpty: Bool { requests.isEmpty }

    /// Adds a request at the end.
    package mutating func append(_ request: NetlinkRequest) { requests.append(request) }
}
