import IPAMCore
import LinuxOS
import NetTypes
import Netlink
import PodPlan

/// Carries out a pod's plan: one netlink socket in the host's namespace, one in the pod's.
struct PodKernel: ~Copyable {
    private let sandbox: NetNS
    private var hostLinks: HostLinks
    private var pod: NetlinkSocket
    /// The host's end that was made here: its name is not looked up again.
    private var made: (name: String, index: UInt32)?

    /// Opens the sockets; this thread stays in the host's namespace.
    ///
    /// - Parameters:
    ///   - home: the host's namespace, where it is at hand.
    ///   - hostSocket: a socket in it whose answers have all been read, where there is one.
    init(sandbox: consuming NetNS, home: SharedNetNS? = nil, hostSocket: consuming NetlinkSocket? = nil) throws {
        let hostLinks = try HostLinks(hostSocket)
        let pod = try sandbox.within(from: home, orThrow: { $0 as any Error }) { () throws(any Error) in
            try NetlinkSocket(isForFew: true)
        }
        self.hostLinks = hostLinks
        self.pod = pod
        self.sandbox = sandbox
    }

    /// The host's socket, for another pod: for who has had an answer to everything.
    consuming func takeHostSocket() -> NetlinkSocket { hostLinks.socket }

    /// Whether the pod has a link of this name.
    mutating func podHasLink(_ name: String) throws -> Bool {
        try pod.link(named: name) != nil
    }

    /// What has the name of the host's end.
    ///
    /// - Parameters:
    ///   - isRecorded: whether a record of this key's says that a link of that name is its own. A pair without an alias is
    ///     only if its other end is in the pod.
    ///   - podName: the name of that other end.
    mutating func observe(_ name: String, isRecorded: Bool, podName: String) throws -> ObservedLink {
        let observed = try hostLinks.observe(name, isRecorded: isRecorded)
        guard case .unmarked(let index) = observed, try pod.link(named: podName)?.lowerIndex != index else {
            return observed
        }
        return .present(index: index, alias: nil)
    }

    /// The index of the host's end.
    mutating func hostIndex(_ name: String) throws -> UInt32 {
        if let made, made.name == name { return made.index }
        let index = try Self.index(of: name, &hostLinks.socket)
        made = (name, index)
        return index
    }

    /// Deletes the link of this name, which a record of this key's has, if it is this key's: see `observe`.
    mutating func deleteRecorded(_ name: String, of alias: LinkAlias, podName: String) throws {
        try hostLinks.delete(try observe(name, isRecorded: true, podName: podName), of: alias)
    }

    /// Carries out one step; it is done wholly, or its inverse and those before it are due.
    mutating func apply(_ step: PodStep) throws {
        switch step {
        case .deleteLeftover(let index):
            try hostLinks.socket.deleteLink(index)
        case .createPair(let link):
            made = nil
            try hostLinks.socket.createVeth(
                VethPair(
                    hostName: link.hostName, podName: link.podName, podNetNS: sandbox, mtuBytes: link.mtuBytes,
                    hostMAC: link.hostMAC, podMAC: link.podMAC))
        case .configureHost(let end):
            try configureHost(end)
        case .configurePod(let end):
            if end.addresses.contains(where: { $0.family == .ipv6 }) {
                try sandbox.within(orThrow: { $0 as any Error }) { () throws(any Error) in
                    if try Self.lacksIPv6(end.name) { try Self.enableIPv6(end.name) }
                }
            }
            try configurePod(end)
        case .routeToPod(let way):
            let index = try hostIndex(way.hostName)
            try Self.execute(
                way.routes(linkIndex: index).map(NetlinkRequest.addRoute)
                    + way.neighbours(linkIndex: index).map(NetlinkRequest.setNeighbour), on: &hostLinks.socket)
        }
    }

    /// Sets whether the pod forwards packets of the families of its addresses.
    mutating func setPodForwarding(_ allows: Bool, for addresses: [IPAddress]) throws {
        try sandbox.within(orThrow: { $0 as any Error }) { () throws(any Error) in
            for family in AddressFamily.allCases where addresses.contains(where: { $0.family == family }) {
                let setting = family == .ipv4 ? ["ipv4", "ip_forward"] : ["ipv6", "conf", "all", "forwarding"]
                try Sysctl.write(["net"] + setting, allows ? "1" : "0")
            }
        }
    }

    /// Takes a step back.
    mutating func undo(_ inverse: PodUndo) throws {
        switch inverse {
        case .deleteLink(let name, let alias):
            // By now the name may be that of another sandbox's link.
            guard let made, made.name == name else {
                return try deleteRecorded(name, of: alias, podName: alias.key.ifName)
            }
            try hostLinks.delete(hostLinks.observe(made.index), of: alias)
        }
    }

    private mutating func configurePod(_ end: PodEnd) throws {
        let index = try Self.index(of: end.name, &pod)
        let operations = end.operations(linkIndex: index)
        let failures = try attempt(operations, linkIndex: index)
        guard let first = failures.first else { return }
        // Another network has given the pod routes: only then is it looked at which.
        guard first.error.code == .EEXIST, case .route = operations[first.index] else { throw first.error }
        let rest = failures.map { operations[$0.index].besideAnother }
        guard let failure = try attempt(rest, linkIndex: index).first else { return }
        guard failure.error.code == .EEXIST, case .route(let route) = rest[failure.index] else { throw failure.error }
        throw PodPlanError.routeTaken(route.destination, by: try linkName(ofPodRoute: route) ?? "another link")
    }

    private mutating func attempt(_ operations: [PodOperation], linkIndex: UInt32) throws -> [NetlinkFailure] {
        try pod.execute(
            NetlinkBatch(operations.map { Self.request($0, linkIndex: linkIndex) }), acknowledgeEach: false)
    }

    private mutating func linkName(ofPodRoute route: Route) throws -> String? {
        let other = try pod.routes(family: route.destination.family).first {
            $0.destination == route.destination && $0.effectiveMetric == route.effectiveMetric
        }
        return try other?.hops.first.flatMap { try pod.link(index: $0.linkIndex)?.name }
    }

    /// The alias first and with the settings, in one message: from then on the link says whose it is.
    private mutating func configureHost(_ end: HostEnd) throws {
        let index = try hostIndex(end.name)
        var requests: [NetlinkRequest] = [
            .setLink(
                index: index,
                LinkSettings(
                    alias: end.alias.description, proxyARP: HostSetting.proxyARP.required != 0,
                    ipv4Forwarding: HostSetting.forwarding.required != 0,
                    reversePathFilter: LinkSettings.ReversePathFilter(rawValue: HostSetting.reversePathFilter.required),
                    ipv6AddressGeneration: end.hasIPv6 ? LinkSettings.IPv6AddressGeneration.none : nil)),
            .setProxyDelay(linkIndex: index, milliseconds: end.proxyDelayMilliseconds),
        ]
        if let gateway = end.gatewayAddress {
            if try Self.lacksIPv6(end.name) {
                // The settings first: the link is not to make itself an address when it gets IPv6.
                try Self.execute(requests, on: &hostLinks.socket)
                requests = []
                try Self.enableIPv6(end.name)
            }
            requests.append(.addAddress(LinkAddress(linkIndex: index, address: gateway)))
        }
        try Self.execute(requests, on: &hostLinks.socket)
    }

    /// Whether IPv6 is turned off for the link, by itself or by its namespace's default, as Docker leaves it. A kernel
    /// without IPv6 has no such setting, and refuses the address.
    private static func lacksIPv6(_ link: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try Sysctl.read(ipv6Switch(link)) != "0"
        } catch {
            guard error.code == .ENOENT else { throw error }
            return false
        }
    }

    private static func enableIPv6(_ link: String) throws(SystemError) { try Sysctl.write(ipv6Switch(link), "0") }

    private static func ipv6Switch(_ link: String) -> [String] { ["net", "ipv6", "conf", link, "disable_ipv6"] }

    private static func request(_ operation: PodOperation, linkIndex: UInt32) -> NetlinkRequest {
        switch operation {
        case .linkUp: .setLink(index: linkIndex, LinkSettings(isUp: true))
        case .route(let route): .addRoute(route)
        case .neighbour(let neighbour): .setNeighbour(neighbour)
        case .address(let address): .addAddress(LinkAddress(linkIndex: linkIndex, address: address))
        }
    }

    private static func index(of name: String, _ socket: inout NetlinkSocket) throws -> UInt32 {
        guard let index = try socket.linkIndex(named: name) else { throw NetlinkError(.linkGet, name, .ENODEV) }
        return index
    }

    private static func execute(_ requests: [NetlinkRequest], on socket: inout NetlinkSocket) throws {
        // Each answer is a call to fetch it; of what went well nobody wants to hear.
        let failures = try socket.execute(NetlinkBatch(requests), acknowledgeEach: false)
        if let first = failures.first { throw first.error }
    }
}
