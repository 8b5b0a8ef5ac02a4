import NetTypes

extension PodPlan {
    /// What of the plan's outcome is not so.
    ///
    /// Each step says what must be after it, from the same values that the step is carried out from. Whatever else
    /// there is counts for nothing: later plugins may have added it.
    ///
    /// - Parameters:
    ///   - observed: the link as it is.
    ///   - changes: what later plugins have made of the pod's end.
    /// - Returns: the differences in the order of the steps; none if all is as it must be.
    package func differences(from observed: ObservedPod, after changes: LaterChanges = LaterChanges())
        -> [PodDifference]
    {
        steps.flatMap { step -> [PodDifference] in
            switch step {
            case .deleteLeftover: []
            case .createPair(let link): Self.differences(link, observed, changes)
            case .configureHost(let end): Self.differences(end, observed)
            case .configurePod(let end): Self.differences(end, observed)
            case .routeToPod(let way): Self.differences(way, observed)
            }
        }
    }

    /// The pair itself.
    private static func differences(
        _ link: PodLink, _ observed: ObservedPod, _ changes: LaterChanges,
    ) -> [PodDifference] {
        var found: [PodDifference] = []
        let (hostName, podName) = (hostEnd(link.hostName), podEnd(link.podName))
        if let host = observed.host {
            compare("MTU of \(hostName)", host.mtuBytes, link.mtuBytes, &found)
            compare("MAC of \(hostName)", host.macAddress, link.hostMAC, &found)
            if let master = host.masterIndex {
                found.append(.altered("master of \(hostName)", expected: "none", found: "link \(master)"))
            }
            if !host.isUp { found.append(.altered("state of \(hostName)", expected: "up", found: "down")) }
        } else {
            found.append(.missing(hostName))
        }
        if let pod = observed.pod {
            compare("MTU of \(podName)", pod.mtuBytes, changes.mtuBytes ?? link.mtuBytes, &found)
            compare("MAC of \(podName)", pod.macAddress, changes.macAddress ?? link.podMAC, &found)
        } else {
            found.append(.missing(podName))
        }
        if let host = observed.host, let pod = observed.pod,
            host.peerIndex != pod.index || pod.peerIndex != host.index
        {
            found.append(.altered("the other end of \(hostName)", expected: podName, found: "another link"))
        }
        return found
    }

    private static func differences(_ end: HostEnd, _ observed: ObservedPod) -> [PodDifference] {
        guard let host = observed.host else { return [] }
        var found: [PodDifference] = []
        let name = hostEnd(end.name)
        compare("alias of \(name)", host.alias, end.alias.description, &found)
        for setting in end.settings {
            guard let value = observed.settings[setting] else {
                found.append(.missing("\(setting.rawValue) of \(name)"))
                continue
            }
            compare("\(setting.rawValue) of \(name)", value, setting.required, &found)
        }
        if let gateway = end.gatewayAddress, !host.addresses.contains(gateway) {
            found.append(.missing("address \(gateway) of \(name)"))
        }
        return found
    }

    private static func differences(_ end: PodEnd, _ observed: ObservedPod) -> [PodDifference] {
        guard let pod = observed.pod else { return [] }
        let name = podEnd(end.name)
        return end.operations(linkIndex: pod.index).compactMap { operation in
            switch operation {
            case .linkUp: pod.isUp ? nil : .altered("state of \(name)", expected: "up", found: "down")
            case .route(let route): difference(route, in: pod, "pod route", link: end.name)
            case .neighbour(let neighbour): difference(neighbour, in: pod, "pod neighbour", link: end.name)
            case .address(let address):
                pod.addresses.contains(address) ? nil : .missing("address \(address) of \(name)")
            }
        }
    }

    private static func differences(_ way: RouteToPod, _ observed: ObservedPod) -> [PodDifference] {
        guard let host = observed.host else {
            return way.addresses.map { .missing("host route \($0.hostPrefix) dev \(way.hostName)") }
        }
        return way.routes(linkIndex: host.index).flatMap { route in
            [difference(route, in: host, "host route", link: way.hostName)].compactMap { $0 }
                + [bypass(of: route, observed, link: way.hostName)].compactMap { $0 }
        }
            + way.neighbours(linkIndex: host.index).compactMap {
                difference($0, in: host, "host neighbour", link: way.hostName)
            }
    }

    /// A route counts as there when it leads to the same by the same way; metric and preferred source are nobody's
    /// concern here, as long as no other route to the same takes the packets.
    private static func difference(
        _ route: Route, in end: ObservedPod.End, _ kind: String, link: String,
    ) -> PodDifference? {
        let thing = "\(kind) \(words(route, link: link))"
        let rivals = end.routes.enumerated().filter { $0.element.destination == route.destination }
        guard let own = rivals.first(where: { route.leadsAsDoes($0.element) }) else { return .missing(thing) }
        // The gateway has one address in all networks, and this is not the pod's first.
        if own.element.metric == PodPlan.furtherMetric(linkIndex: end.index) { return nil }
        // Of two IPv4 routes of one metric the kernel takes the one that it lists first.
        let better = rivals.first { place, other in
            other.effectiveMetric < own.element.effectiveMetric
                || other.effectiveMetric == own.element.effectiveMetric && place < own.offset
                    && route.destination.family == .ipv4
        }
        guard let better else { return nil }
        return .bypassed(thing, by: better.element.text { $0 == end.index ? link : end.otherLinks[$0] })
    }

    /// What leads packets from the host to the pod's address elsewhere, though it has its route: one of the same
    /// destination that is preferred, a rule that names another table, the address on the host itself. What takes them
    /// for want of the route alone is no matter of its own.
    private static func bypass(of route: Route, _ observed: ObservedPod, link: String) -> PodDifference? {
        guard let host = observed.host, let way = observed.ways[route.destination.address],
            way.linkIndex != host.index
        else { return nil }
        let isThere = host.routes.contains { route.leadsAsDoes($0) }
        guard isThere || way.destination == route.destination else { return nil }
        return .bypassed("host route \(words(route, link: link))", by: way.words)
    }

    private static func words(_ route: Route, link: String) -> String {
        let gateway = route.hops.first?.gateway.map { " via \($0)" } ?? ""
        return "\(route.destination)\(gateway) dev \(link)"
    }

    private static func difference(
        _ neighbour: Neighbour, in end: ObservedPod.End, _ kind: String, link: String,
    ) -> PodDifference? {
        let thing = "\(kind) \(neighbour.address) dev \(link)"
        guard let other = end.neighbours.first(where: { $0.address == neighbour.address }) else {
            return .missing(thing)
        }
        guard other.macAddress == neighbour.macAddress, other.isPermanent else {
            return .altered(thing, expected: words(neighbour), found: words(other))
        }
        return nil
    }

    private static func words(_ neighbour: Neighbour) -> String {
        "\(neighbour.macAddress)\(neighbour.isPermanent ? " permanent" : "")"
    }

    private static func compare<Value: Equatable & CustomStringConvertible>(
        _ thing: String, _ found: Value?, _ expected: Value, _ differences: inout [PodDifference],
    ) {
        guard found != expected else { return }
        differences.append(
            .altered(thing, expected: expected.description, found: found.map(\.description) ?? "none"))
    }

    private static func hostEnd(_ name: String) -> String { "host link \(name)" }

    private static func podEnd(_ name: String) -> String { "pod link \(name)" }
}

extension Route {
    /// Whether the other leads to the same by the same way.
    fileprivate func leadsAsDoes(_ other: Route) -> Bool {
        other.destination == destination && other.kind == kind && other.hops == hops
    }
}
