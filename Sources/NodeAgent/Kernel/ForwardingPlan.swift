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
        /// The route to have.
        case ready(Route, mode: EncapsulationMode)
        /// No route can be had now. The one that is there stays.
        case notYet(reason: String, mode: EncapsulationMode?)
        /// The prefix is not to be reached any more.
        case withdrawn
    }

    private let registry: ModeRegistry
    private var configuration: KernelConfiguration?
    private var context: ForwardingContext?
    private var nextHops: [IPPrefix: IPAddress] = [:]

    init(registry: ModeRegistry = .builtIn) {
        self.registry = registry
    }

    /// Every learned prefix.
    var prefixes: Set<IPPrefix> { Set(nextHops.keys) }

    /// Whether the table has a way to the prefix, be it programmed or not yet.
    func isLearned(_ prefix: IPPrefix) -> Bool { nextHops[prefix] != nil }

    /// Takes what the table chose.
    ///
    /// - Returns: the prefixes to ask `outcome` about.
    mutating func learn(_ changes: [ForwardingChange]) -> Set<IPPrefix> {
        for change in changes {
            switch change.best {
            case .learned(let route): nextHops[change.prefix] = route.nextHop.address
            case .local, nil: nextHops[change.prefix] = nil
            }
        }
        return Set(changes.map(\.prefix))
    }

    /// Takes a new configuration; every prefix is to be asked about when it differs.
    mutating func configure(_ new: KernelConfiguration) -> Set<IPPrefix> {
        guard new != configuration else { return [] }
        configuration = new
        return prefixes
    }

    /// Takes a new picture of the node; every prefix is to be asked about when it differs.
    mutating func observe(_ new: ForwardingContext) -> Set<IPPrefix> {
        guard new != context else { return [] }
        context = new
        return prefixes
    }

    /// What is to be done about a prefix.
    func outcome(for prefix: IPPrefix) -> Outcome {
        guard let nextHop = nextHops[prefix] else { return .withdrawn }
        guard let configuration, let context else { return .notYet(reason: "the node is not known yet", mode: nil) }
        guard let pool = configuration.pool(of: prefix) else {
            return .notYet(reason: "\(prefix) lies in no known pool", mode: nil)
        }
        do throws(ModeError) {
            let plugin = try registry.plugin(for: pool.mode)
            switch plugin.forwarding(to: prefix, via: nextHop, in: context) {
            case .ready(let forwarding): return .ready(forwarding.route, mode: pool.mode)
            case .notYet(let reason): return .notYet(reason: reason, mode: pool.mode)
            }
        } catch {
            return .notYet(reason: "\(error)", mode: pool.mode)
        }
    }

    /// The blackholes of the own blocks.
    var blackholes: [Route] { configuration?.ownBlocks.compactMap { blackholeRoute(for: $0) } ?? [] }
}
