package import NetTypes

/// One step towards a pod's link.
package enum PodStep: Sendable, Equatable {
    /// Delete what an ADD that was killed has left.
    case deleteLeftover(linkIndex: UInt32)
    /// Make the pair, the pod's end in the pod's namespace, the host's end up.
    case createPair(PodLink)
    /// Set up the host's end.
    case configureHost(HostEnd)
    /// Set up the pod's end, from inside of its namespace.
    case configurePod(PodEnd)
    /// Lead packets for the pod to it.
    case routeToPod(RouteToPod)

    /// What the step does, for a log.
    package var name: StaticString {
        switch self {
        case .deleteLeftover: "deleting a leftover link"
        case .createPair: "making the link"
        case .configureHost: "setting up the host's end"
        case .configurePod: "setting up the pod's end"
        case .routeToPod: "routing to the pod"
        }
    }

    /// What takes the step back; nil where the link's deletion takes it along.
    package var inverse: PodUndo? {
        switch self {
        case .createPair(let link): .deleteLink(name: link.hostName, alias: link.alias)
        case .deleteLeftover, .configureHost, .configurePod, .routeToPod: nil
        }
    }
}

/// What takes a step back.
package enum PodUndo: Sendable, Equatable {
    /// Delete the link of this name, if it bears this alias or none yet: between its creation and its first setting a
    /// link of ours has none.
    case deleteLink(name: String, alias: LinkAlias)
}

/// The settings of the host's end.
package struct HostEnd: Sendable, Equatable {
    /// The name of the link.
    package let name: String
    /// Its alias.
    package let alias: LinkAlias
    /// Whether the link has IPv6: where the host has not, or the MTU is too small, the kernel refuses IPv6 settings.
    package let hasIPv6: Bool
    /// The link-local address that is the pod's IPv6 gateway; nil for a pod without an IPv6 address.
    package let gatewayAddress: CIDRAddress?
    /// How long proxy ARP waits, in milliseconds: not at all, or the first packet of a pod takes up to 0.8 s.
    package let proxyDelayMilliseconds: UInt64 = 0

    /// The settings of the link that packets of the pod depend on.
    package var settings: [HostSetting] {
        HostSetting.allCases.filter { $0 != .ipv6Forwarding || gatewayAddress != nil }
    }
}

/// One thing to do in the pod.
package enum PodOperation: Sendable, Equatable {
    /// Bring the link up.
    case linkUp
    /// Add a route.
    case route(Route)
    /// Add a permanent neighbour.
    case neighbour(Neighbour)
    /// Add an address.
    case address(CIDRAddress)

    /// The same in a pod that another network of Apus' has given its gateway already: all gateways have one address. A
    /// route through a gateway names its link, and the kernel looks for the gateway on that one.
    package var besideAnother: PodOperation {
        guard case .route(var route) = self, let link = route.hops.first?.linkIndex,
            route.destination == PodPlan.gateway(route.destination.family).hostPrefix, route.hops.first?.gateway == nil
        else { return self }
        route.metric = PodPlan.furtherMetric(linkIndex: link)
        return .route(route)
    }
}

/// The content of the pod.
package struct PodEnd: Sendable, Equatable {
    /// The name of the link.
    package let name: String
    /// The addresses.
    package let addresses: [IPAddress]
    /// Where the routes through the gateways lead.
    package let destinations: [IPPrefix]
    /// The link-layer address of the gateway.
    package let gatewayMAC: MACAddress

    /// What to do, in order. A route may go in before the address: so the pod never has an address that leads nowhere.
    ///
    /// The gateways' neighbours are permanent because proxy ARP alone answers only where the host has a route that
    /// covers 169.254.1.1.
    package func operations(linkIndex: UInt32) -> [PodOperation] {
        var operations: [PodOperation] = [.linkUp]
        for family in AddressFamily.allCases where addresses.contains(where: { $0.family == family }) {
            let gateway = PodPlan.gateway(family)
            let ways = destinations.filter { $0.family == family }.map { destination in
                PodOperation.route(
                    Route(
                        to: destination, hops: [Route.Hop(linkIndex: linkIndex, gateway: gateway)],
                        protocolNumber: PodPlan.podRouteProtocol))
            }
            operations.append(
                .route(
                    Route(
                        to: gateway.hostPrefix, hops: [Route.Hop(linkIndex: linkIndex)],
                        scope: family == .ipv4 ? .link : .universe, protocolNumber: PodPlan.podRouteProtocol)))
            operations += ways
            operations.append(.neighbour(Neighbour(linkIndex: linkIndex, address: gateway, macAddress: gatewayMAC)))
        }
        return operations + addresses.map { .address(CIDRAddress($0, length: $0.family.bitWidth)) }
    }
}

/// The way from the host to the pod.
package struct RouteToPod: Sendable, Equatable {
    /// The name of the host's end.
    package let hostName: String
    /// The pod's addresses.
    package let addresses: [IPAddress]
    /// The pod's link-layer address.
    package let podMAC: MACAddress

    /// The way to the pod at the other end of `link`.
    package init(_ link: PodLink) {
        hostName = link.hostName
        addresses = link.addresses
        podMAC = link.podMAC
    }

    /// `<pod>/32 dev cali… scope link proto apus`, for each address.
    package func routes(linkIndex: UInt32) -> [Route] {
        addresses.map { address in
            Route(
                to: address.hostPrefix, hops: [Route.Hop(linkIndex: linkIndex)],
                scope: address.family == .ipv4 ? .link : .universe, protocolNumber: PodPlan.routeProtocol)
        }
    }

    /// The pod's permanent neighbours, so that no packet waits for ARP.
    package func neighbours(linkIndex: UInt32) -> [Neighbour] {
        addresses.map { address in
            Neighbour(
                linkIndex: linkIndex, address: address, macAddress: podMAC, protocolNumber: PodPlan.routeProtocol)
        }
    }
}
