import BGPTable
import BGPWire
import ModePlugins
import NetTypes
import Resources

/// From learned prefixes to routes: what the table chose, what the node looks like, and what the mode plugins make of
/// the two. A pure value; whoever owns it carries its answers to the kernel.
struct ForwardingPlan: Sendable {
    /// What became of one prefix.
    enum Outcome: Sendable, Equatable {
        /// The route to have, and what it needs.
        case ready(Forwarding, mode: EncapsulationMode)
        /// No route can be had now. The one that is there stays, as long as somebody announces it (`ReplacedRoutes`).
        case notYet(RouteObstacle, reason: String, mode: EncapsulationMode?)
        /// The prefix is not to be reached any more.
        case withdrawn
    }

    private let registry: ModeRegistry
    private var configuration: KernelConfiguration?
    private var check: TunnelCheck?
    private var context: ForwardingContext?
    private var learned = LearnedRoutes()
    /// Every next hop since the context was taken: what it says of them is true still.
    private var nextHops: Set<IPAddress> = []
    /// Whether the context says what is true no more of others.
    private var isOutdated = false
    /// Whether it is to be taken anew, for a next hop that has come since.
    private(set) var needsContext = false

    init(registry: ModeRegistry = .builtIn) {
        self.registry = registry
    }

    /// Every learned prefix.
    var prefixes: [IPPrefix] { learned.learnedPrefixes }

    /// Whether the table has a way to the prefix, be it programmed or not yet.
    func isLearned(_ prefix: IPPrefix) -> Bool { learned.route(to: prefix) != nil }

    /// Whether any node still asks for packets by this device's tunnel.
    func isAnnounced(_ device: TunnelDevice) -> Bool { learned.isAnnounced(device.encapsulation, device.family) }

    /// Takes what the table chose.
    ///
    /// - Returns: the prefixes to ask `outcome` about.
    mutating func learn(_ changes: [ForwardingChange]) -> [IPPrefix] {
        let concerned = learned.learn(changes)
        for nextHop in learned.takeNewNextHops() where nextHops.insert(nextHop).inserted && isOutdated {
            needsContext = true
        }
        return concerned
    }

    /// The prefixes that lost next hops with what was learned last and have others in their place.
    var replaced: [(prefix: IPPrefix, ways: [TunnelCheck.Route])] { learned.replaced }

    /// Forgets them: what comes now has other reasons.
    mutating func forgetReplaced() { learned.forgetReplaced() }

    /// Takes a new configuration; every prefix is to be asked about when it differs.
    mutating func configure(_ new: KernelConfiguration) -> [IPPrefix] {
        guard new != configuration else { return [] }
        configuration = new
        check = TunnelCheck(nodes: new.nodes, nodeName: new.nodeName, felix: new.felix)
        return prefixes
    }

    /// Takes a new picture of the node; every prefix is to be asked about when it differs.
    mutating func observe(_ new: ForwardingContext) -> [IPPrefix] {
        defer { catchUp(with: new) }
        return new == context ? [] : prefixes
    }

    /// Takes a new picture, of which it is known that it differs for no next hop that was there before.
    mutating func catchUp(with new: ForwardingContext) {
        context = new
        nextHops = learned.nextHops
        isOutdated = false
        needsContext = false
    }

    /// Whether a changed route of the main table may lead to a next hop otherwise than before: if not, the picture need
    /// not be taken anew for it. A border router's table changes all the time, and has all the world's routes.
    mutating func isConcerned(byRouteTo destination: IPPrefix) -> Bool {
        if nextHops.contains(where: { destination.contains($0) }) { return true }
        isOutdated = true
        return false
    }

    /// What is to be done about a prefix. Of several ways those count that can be had, each as its own next hop is reached.
    func outcome(for prefix: IPPrefix) -> Outcome {
        guard let route = learned.route(to: prefix) else { return .withdrawn }
        return outcome(for: prefix, by: [route] + learned.others(of: prefix)) ?? .withdrawn
    }

    /// What would be done about a prefix that had these ways; nil without any.
    func outcome(for prefix: IPPrefix, by ways: [TunnelCheck.Route]) -> Outcome? {
        guard let first = ways.first else { return nil }
        return ways.dropFirst().reduce(outcome(for: prefix, by: first)) { outcome, other in
            outcome.joined(with: self.outcome(for: prefix, by: other))
        }
    }

    /// An answer that holds for other prefixes as well: a mode without a tunnel looks at the next hop alone.
    struct PlainAnswer {
        fileprivate let nextHop: IPAddress
        fileprivate let family: AddressFamily
        fileprivate let poolPlace: Int?
        fileprivate let route: Route
        fileprivate let mode: EncapsulationMode
    }

    /// What is to be done about a prefix, as above; prefixes of one next hop come together, and most are answered alike.
    ///
    /// - Parameter recent: the last answer of the same plan; nil at first.
    func outcome(for prefix: IPPrefix, recent: inout PlainAnswer?) -> Outcome {
        guard let way = learned.route(to: prefix) else { return .withdrawn }
        guard learned.others(of: prefix).isEmpty else { return outcome(for: prefix) }
        let place = configuration?.poolPlace(of: prefix)
        if let recent, recent.nextHop == way.nextHop, recent.family == prefix.family, recent.poolPlace == place {
            var route = recent.route
            route.destination = prefix
            return .ready(Forwarding(route: route), mode: recent.mode)
        }
        let outcome = outcome(for: prefix, by: way)
        recent = nil
        if case .ready(let forwarding, let mode) = outcome, let pool = configuration?.pool(of: prefix),
            TunnelDevice.needed(by: pool) == nil
        {
            recent = PlainAnswer(
                nextHop: way.nextHop, family: prefix.family, poolPlace: place, route: forwarding.route, mode: mode)
        }
        return outcome
    }

    private func outcome(for prefix: IPPrefix, by route: TunnelCheck.Route) -> Outcome {
        guard let configuration, let context else {
            return .notYet(.pending, reason: "the node is not known yet", mode: nil)
        }
        guard let pool = configuration.pool(of: prefix) else {
            return .notYet(.other, reason: "\(prefix) lies in no known pool", mode: nil)
        }
        do throws(ModeError) {
            let plugin = try registry.plugin(for: pool)
            var remote = RemoteNode(route.nextHop)
            var refusal: String?
            if let device = plugin.device(for: prefix.family) {
                switch judge(route, device) {
                case .accepted(let endpoint): remote.endpoint = endpoint
                case .refused(let reason): refusal = reason
                case .absent, nil: break
                }
            }
            switch plugin.forwarding(to: prefix, via: remote, in: context) {
            case .ready(let forwarding): return .ready(forwarding, mode: pool.mode)
            case .notYet(let obstacle, let reason):
                guard let refusal else { return .notYet(obstacle, reason: reason, mode: pool.mode) }
                return .notYet(
                    .tunnelRefused, reason: "the tunnel of \(route.nextHop) is not used: \(refusal)", mode: pool.mode)
            }
        } catch {
            return .notYet(.other, reason: "\(error)", mode: pool.mode)
        }
    }

    /// What is worth saying of a prefix that is reached all the same: that its tunnel was not told in full.
    func remark(on prefix: IPPrefix) -> String? {
        guard let route = learned.route(to: prefix), let pool = configuration?.pool(of: prefix),
            let device = TunnelDevice.needed(by: pool), device.encapsulation == .vxlan
        else { return nil }
        switch route.told {
        case nil: return "no tunnel was announced; the Node resource's tunnel fields serve"
        case let told? where told.macAddress == nil:
            return "the tunnel attribute was dropped on the way; the Node resource or the node's name serves"
        default: return nil
        }
    }

    /// Another node's address at the far end of a device's tunnel that packets reach by it.
    ///
    /// - Parameters:
    ///   - link: the device's index.
    ///   - others: addresses that are not asked for.
    ///   - start: where in the list of prefixes to begin; any number.
    func farEnd(
        of device: TunnelDevice, by link: UInt32, otherThan others: Set<IPAddress>, from start: Int,
    ) -> IPAddress? {
        let prefixes = prefixes
        for place in prefixes.indices {
            let prefix = prefixes[(place + start) % prefixes.count]
            guard prefix.family == device.family, let route = learned.route(to: prefix),
                case .accepted(let endpoint)? = judge(route, device), let inner = endpoint.innerAddress,
                prefix.contains(inner), !others.contains(inner), case .ready(let forwarding, _) = outcome(for: prefix),
                forwarding.route.hops.allSatisfy({ $0.linkIndex == link })
            else { continue }
            return inner
        }
        return nil
    }

    /// The blackholes of the own blocks.
    var blackholes: [Route] { configuration?.ownBlocks.compactMap { blackholeRoute(for: $0) } ?? [] }

    private func judge(_ route: TunnelCheck.Route, _ device: TunnelDevice) -> TunnelCheck.Finding? {
        check?.judge(
            route, device, holder: { learned.holder(of: $0) }, isOwnInner: { learned.announces(route.nextHop, $0) })
    }
}

extension ForwardingPlan.Outcome {
    /// The outcome for a prefix with one way more.
    fileprivate func joined(with other: Self) -> Self {
        guard case .ready(let more, let mode) = other else { return self }
        guard case .ready(var forwarding, _) = self else { return other }
        for hop in more.route.hops where !forwarding.route.hops.contains(hop) { forwarding.route.hops.append(hop) }
        for entry in more.neighbours where !forwarding.neighbours.contains(entry) {
            forwarding.neighbours.append(entry)
        }
        for entry in more.fdb where !forwarding.fdb.contains(entry) { forwarding.fdb.append(entry) }
        return .ready(forwarding, mode: mode)
    }
}
