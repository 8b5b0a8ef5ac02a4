import LinuxOS
import Logging
import ModePlugins
import NetTypes
import Netfilter
import Resources

/// What the tables `apus` of nftables are to be, and the words about what became of them.
///
/// A kernel without nftables leaves IPv4's sources to rp_filter; pods are added all the same.
struct FilterUpkeep: Sendable {
    private var rules: FilterRules?
    private var known = FilterListing()
    private var pace = FilterPace()
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Before any configuration is known: a node without the table gets what holds for every node. A table that is there
    /// stays until it is known what it should be, or a restart would leave pods without translation meanwhile.
    mutating func begin() {
        do throws(NetfilterError) {
            guard try FilterTable.current() == nil else { return }
            report(try FilterTable.apply(FilterRules(), known: &known))
            rules = FilterRules()
        } catch {
            report(error)
        }
    }

    /// Takes what the configuration asks for; until one is read whole, nothing is taken out of the tables.
    ///
    /// - Parameter tunnels: the devices that may receive: those wanted, and those that are kept for a while.
    mutating func configure(_ configuration: KernelConfiguration, tunnels: Set<TunnelDevice>) {
        var new = FilterRules(
            masquerade: Masquerade(
                sources: configuration.pools.filter(\.natOutgoing).map(\.cidr),
                pools: configuration.pools.map(\.cidr),
                vxlanPort: configuration.felix.vxlanPort ?? FelixConfiguration.defaultVXLANPort),
            tunnels: TunnelGuard(configuration, tunnels))
        do throws(NetfilterError) {
            // What is absent from a configuration that could not be read whole may be meant to be there.
            if !configuration.isWhole { new = new.widened(by: try former()) }
            guard new != rules else { return }
            let isKnown = rules != nil
            rules = new
            let change = try FilterTable.apply(new, known: &known)
            // The table of a configuration that has just been changed differs for a good reason.
            if isKnown { logger.info("nftables tables apus follow the configuration") } else { report(change) }
        } catch {
            report(error)
        }
    }

    /// What was written last, by an earlier run if not by this one.
    private func former() throws(NetfilterError) -> FilterRules {
        if let rules { return rules }
        return FilterRules(listing: try FilterTable.current() ?? "")
    }

    /// When `mendDue` has something to do; nil while no rules were changed.
    var due: MonotonicTime? { pace.due }

    /// Takes the news that rules, whosever they are, may have been changed.
    mutating func suspect() { pace.suspect() }

    /// Makes the table what it should be if rules have been changed and it is time to look.
    mutating func mendDue(at now: MonotonicTime) {
        guard pace.takeDue(at: now) else { return }
        let change = mend()
        pace.looked(until: BootClock.now())
        guard change != FilterTable.Change.none, pace.mended(at: now), change != nil else { return }
        logger.warning(
            "conflict: another program alters the nftables tables apus again and again; answered ever more rarely",
            metadata: ["remedy": "let it flush and write its own tables alone, not the whole ruleset"])
    }

    /// Makes the table what it should be if somebody has altered or removed it.
    ///
    /// - Returns: what was needed; nil when it is not to be had.
    @discardableResult
    mutating func mend() -> FilterTable.Change? {
        guard let rules else { return FilterTable.Change.none }
        do throws(NetfilterError) {
            let change = try FilterTable.apply(rules, known: &known)
            report(change)
            return change
        } catch {
            report(error)
            return nil
        }
    }

    private func report(_ change: FilterTable.Change) {
        switch change {
        case .none: break
        case .made: logger.notice("nftables tables apus written")
        case .replaced: logger.warning("nftables tables apus were not as they should be; written anew")
        }
    }

    private func report(_ error: NetfilterError) {
        logger.error(
            "nftables: pods may send with others' IPv6 addresses, and natOutgoing is not carried out",
            metadata: ["reason": "\(error)"])
    }
}

extension TunnelGuard {
    /// Guards the devices for the nodes of the configuration.
    init(_ configuration: KernelConfiguration, _ devices: Set<TunnelDevice>) {
        let felix = configuration.felix
        self.init(
            nodes: devices.isEmpty ? [] : configuration.nodes.flatMap { $0.addresses.map(\.address) },
            vxlanPort: devices.contains { $0.encapsulation == .vxlan }
                ? felix.vxlanPort ?? FelixConfiguration.defaultVXLANPort : nil,
            hasIPIP: devices.contains(.ipip), podsMaySendVXLAN: felix.allowVXLANPacketsFromWorkloads ?? false,
            podsMaySendIPIP: felix.allowIPIPPacketsFromWorkloads ?? false)
    }
}
