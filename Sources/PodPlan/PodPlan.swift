package import NetTypes

/// The steps from what is there to a pod's link, in order.
package struct PodPlan: Sendable, Equatable {
    /// The route protocol number of whatever Apus puts on the host.
    package static let routeProtocol: UInt8 = 97

    /// The route protocol number inside of a pod: RTPROT_BOOT, which is what `ip route add` leaves, and no mark.
    package static let podRouteProtocol: UInt8 = 3

    /// The steps.
    package let steps: [PodStep]

    /// Plans a link.
    ///
    /// - Parameters:
    ///   - link: what is to be.
    ///   - observed: what has the host end's name now.
    ///   - hostHasIPv6: whether the host's kernel has IPv6.
    /// - Throws: `nameTaken` when the name belongs to somebody else, `mtuTooSmall`: nothing may be done then.
    package init(_ link: PodLink, observed: ObservedLink, hostHasIPv6: Bool) throws(PodPlanError) {
        try Self.judge(observed, named: link.hostName, for: link.alias)
        var steps: [PodStep] = []
        switch observed {
        case .absent: break
        case .unmarked(let index), .present(let index, _): steps.append(.deleteLeftover(linkIndex: index))
        }
        let hasIPv6Address = link.addresses.contains { $0.family == .ipv6 }
        let carriesIPv6 = link.mtuBytes >= Self.minimumIPv6MTUBytes
        guard carriesIPv6 || !hasIPv6Address else { throw .mtuTooSmall(link.mtuBytes) }
        self.steps =
            steps + [
                .createPair(link),
                .configureHost(
                    HostEnd(
                        name: link.hostName, alias: link.alias, hasIPv6: hostHasIPv6 && carriesIPv6,
                        gatewayAddress: hasIPv6Address ? CIDRAddress(Self.gateway(.ipv6), length: 64) : nil)),
                .configurePod(
                    PodEnd(
                        name: link.podName, addresses: link.addresses, destinations: link.destinations,
                        gatewayMAC: link.hostMAC)),
                .routeToPod(RouteToPod(link)),
            ]
    }

    /// Judges whose the link is that has the name now. A record may name a host link only after this: what leads a DEL
    /// to a link must not lead it to another's.
    ///
    /// - Throws: `nameTaken`.
    package static func judge(
        _ observed: ObservedLink, named name: String, for alias: LinkAlias,
    ) throws(PodPlanError) {
        guard case .present(_, let text) = observed else { return }
        guard let text, LinkAlias(parsing: text) == alias else { throw .nameTaken(name, alias: text) }
    }

    /// The gateway of every pod: 169.254.1.1, or the link-local address that belongs to ee:ee:ee:ee:ee:ee.
    package static func gateway(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4: .v4(IPv4Address(169, 254, 1, 1))
        case .ipv6: .v6(IPv6Address(high: 0xfe80_0000_0000_0000, low: 0xecee_eeff_feee_eeee))
        }
    }

    /// The metric of the gateway's own route where another network of Apus' has given the pod one already: worse than what
    /// either family's have by themselves.
    package static func furtherMetric(linkIndex: UInt32) -> UInt32 { Route.defaultIPv6Metric &+ linkIndex }

    /// The smallest MTU in octets of a link that has IPv6 (RFC 8200 §5): below it the kernel takes IPv6 off the link.
    package static let minimumIPv6MTUBytes: UInt32 = 1280

    /// The destination of a default route.
    package static func defaultDestination(_ family: AddressFamily) -> IPPrefix {
        IPPrefix(masking: gateway(family), length: 0)
    }
}

/// Why there is no plan.
package enum PodPlanError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A link that is not this pod's has the name; its alias.
    case nameTaken(String, alias: String?)
    /// A link of this MTU, in octets, has no IPv6, and the pod is to have an IPv6 address.
    case mtuTooSmall(UInt32)
    /// The pod has a route to there already, by the link of this name.
    case routeTaken(IPPrefix, by: String)

    /// The reason in one line.
    package var description: String {
        switch self {
        case .nameTaken(let name, let alias):
            if let owner = alias.flatMap(LinkAlias.init(parsing:))?.key {
                "link \(name) belongs to \(owner)"
            } else {
                "link \(name) is there and not made by Apus" + (alias.map { " (alias \"\($0)\")" } ?? "")
            }
        case .routeTaken(let destination, let link):
            "ipam.routes: the container has a route to \(destination) by \(link) already, and one link alone can have it; "
                + "list in ipam.routes of one of the two networks where else it leads"
        case .mtuTooSmall(let mtuBytes):
            "mtu: a pod with an IPv6 address needs at least \(PodPlan.minimumIPv6MTUBytes), not \(mtuBytes) (RFC 8200)"
        }
    }
}
