package import NetTypes

/// The pools of a cluster without an IPPool, as Calico's node makes them at its first start: from CALICO_IPV4POOL_CIDR
/// and its fellows in the environment, and what they do not say from Calico's defaults.
///
/// Calico's default of the mode is IP in IP. Here the mode is that of the network configuration that first asks for an
/// address, where the environment does not say: until then there is no IPv4 pool. There is an IPv6 pool only where the
/// environment has a network for it, and IPv4 has its mode then.
package struct DefaultPools: Sendable, Hashable {
    /// The use of tunnels in a pool; at most one of the two is not `never`.
    package struct Tunnels: Sendable, Hashable {
        /// Use of IP in IP.
        package var ipip: IPPool.TunnelUse
        /// Use of VXLAN.
        package var vxlan: IPPool.TunnelUse

        /// Joins the two.
        package init(ipip: IPPool.TunnelUse = .never, vxlan: IPPool.TunnelUse = .never) {
            self.ipip = ipip
            self.vxlan = vxlan
        }
    }

    /// What could not be read.
    package struct Refusal: Error, CustomStringConvertible {
        /// The variable, its value, and what was expected.
        package let description: String
    }

    /// What the environment says of the pool of one family; nil where it is silent.
    private struct Wishes: Sendable, Hashable {
        var cidr: IPPrefix?
        var blockSize: UInt8?
        var tunnels: Tunnels?
        var natOutgoing: Bool?
        var disableBGPExport: Bool?
    }

    /// The pool's name, as Calico has it.
    package static func name(of family: AddressFamily) -> String { "default-\(family.rawValue)-ippool" }

    private var wishes: [AddressFamily: Wishes] = [:]
    private var isOff = false

    /// What an empty environment says.
    package init() {}

    /// Reads CALICO_IPV4POOL_CIDR, _BLOCK_SIZE, _IPIP, _VXLAN, _NAT_OUTGOING, _DISABLE_BGP_EXPORT, those of IPv6, and
    /// NO_DEFAULT_POOLS.
    ///
    /// - Throws: when one of them has another value than those that Calico knows.
    package init(environment: [String: String]) throws(Refusal) {
        isOff = try Reader(environment).bool("NO_DEFAULT_POOLS") ?? false
        for family in AddressFamily.allCases { wishes[family] = try Self.wishes(family, Reader(environment)) }
        // A pool of IPv6 that is there from the start has a mode, which the first ADD cannot say any more.
        guard !isOff, wishes[.ipv6]?.cidr != nil, wishes[.ipv4]?.tunnels == nil else { return }
        let vxlan = wishes[.ipv6]?.tunnels?.vxlan ?? .never
        wishes[.ipv4]?.tunnels = Tunnels(vxlan: vxlan)
    }

    /// The variables that are read here.
    package static let variables: Set<String> = {
        let words = ["CIDR", "BLOCK_SIZE", "IPIP", "VXLAN", "NAT_OUTGOING", "DISABLE_BGP_EXPORT"]
        let prefixes = AddressFamily.allCases.map(variablePrefix)
        return Set(prefixes.flatMap { prefix in words.map { prefix + $0 } }).union(["NO_DEFAULT_POOLS"])
    }()

    private static func variablePrefix(_ family: AddressFamily) -> String {
        family == .ipv4 ? "CALICO_IPV4POOL_" : "CALICO_IPV6POOL_"
    }

    private static func wishes(_ family: AddressFamily, _ reader: Reader) throws(Refusal) -> Wishes {
        let prefix = variablePrefix(family)
        var wishes = Wishes()
        wishes.cidr = try reader.parsed(prefix + "CIDR", "an \(family.title) network") { text in
            IPPrefix(text).flatMap { $0.family == family ? $0 : nil }
        }
        let sizes = IPPool.blockSizes(of: family)
        let smallest = max(sizes.lowerBound, wishes.cidr?.length ?? 0)
        wishes.blockSize = try reader.parsed(prefix + "BLOCK_SIZE", "\(smallest) to \(sizes.upperBound)") { text in
            UInt8(text).flatMap { $0 >= smallest && $0 <= sizes.upperBound ? $0 : nil }
        }
        if let cidr = wishes.cidr, cidr.length > wishes.blockSize ?? IPPool.defaultBlockSize(of: family) {
            throw Refusal(
                description: "\(prefix)CIDR=\(cidr): smaller than one block; see \(prefix)BLOCK_SIZE")
        }
        let ipip = try reader.use(prefix + "IPIP")
        let vxlan = try reader.use(prefix + "VXLAN")
        if ipip != nil || vxlan != nil { wishes.tunnels = Tunnels(ipip: ipip ?? .never, vxlan: vxlan ?? .never) }
        if let tunnels = wishes.tunnels {
            guard tunnels.ipip == .never || tunnels.vxlan == .never, tunnels.ipip == .never || family == .ipv4 else {
                let reason = family == .ipv4 ? "and \(prefix)VXLAN are both set" : "is set, and carries IPv4 only"
                throw Refusal(description: "\(prefix)IPIP \(reason); write Never for it")
            }
        }
        wishes.natOutgoing = try reader.bool(prefix + "NAT_OUTGOING")
        wishes.disableBGPExport = try reader.bool(prefix + "DISABLE_BGP_EXPORT")
        return wishes
    }
}

extension DefaultPools {
    /// Whether the IPv4 pool waits for somebody to say its mode.
    ///
    /// - Parameter configuration: the resources alone.
    package func awaitsMode(in configuration: ClusterConfiguration) -> Bool {
        !isOff && configuration.pools.isEmpty && wishes[.ipv4]?.tunnels == nil
    }

    /// The configuration with its pools; with the default ones where it has none.
    ///
    /// - Parameters:
    ///   - demanded: the tunnels of the network configuration that has asked first; nil before.
    ///   - held: blocks that pods have addresses of: their pool stays, whatever address a node has by now.
    package func completing(
        _ configuration: ClusterConfiguration, demanded: Tunnels?, held: [IPPrefix] = [],
    ) -> ClusterConfiguration {
        guard !isOff, configuration.pools.isEmpty else { return configuration }
        var copy = configuration
        copy.pools = AddressFamily.allCases.compactMap { family in
            let wishes = wishes[family] ?? Wishes()
            // IP in IP carries IPv4 only.
            let inherited = family == .ipv4 ? demanded : demanded.map { Tunnels(vxlan: $0.vxlan) } ?? Tunnels()
            guard let tunnels = wishes.tunnels ?? inherited,
                let cidr = wishes.cidr ?? Self.network(family, besides: configuration, held)
            else { return nil }
            return IPPool(
                name: Self.name(of: family), cidr: cidr, blockSize: wishes.blockSize, ipipMode: tunnels.ipip,
                vxlanMode: tunnels.vxlan, natOutgoing: wishes.natOutgoing ?? (family == .ipv4),
                disableBGPExport: wishes.disableBGPExport ?? false)
        }
        return copy
    }

    /// Calico's network for pods: the first, or the second where nodes have addresses in the first; none of IPv6.
    private static func network(
        _ family: AddressFamily, besides configuration: ClusterConfiguration, _ held: [IPPrefix],
    ) -> IPPrefix? {
        guard family == .ipv4 else { return nil }
        let networks = ["192.168.0.0/16", "172.16.0.0/16"].compactMap { IPPrefix($0) }
        let taken = configuration.nodes.flatMap(\.addresses).map(\.address)
        return networks.first { network in held.contains { network.contains($0) } }
            ?? networks.first { network in !taken.contains { network.contains($0) } }
    }
}

/// Values of the environment; an empty one is none.
private struct Reader {
    private let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    func parsed<Value>(
        _ name: String, _ expected: String, _ parse: (String) -> Value?,
    ) throws(DefaultPools.Refusal) -> Value? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let value = parse(text) else {
            throw DefaultPools.Refusal(description: "\(name)=\(text): expected \(expected)")
        }
        return value
    }

    func bool(_ name: String) throws(DefaultPools.Refusal) -> Bool? {
        try parsed(name, "true or false") { ["true": true, "false": false][$0.lowercased()] }
    }

    func use(_ name: String) throws(DefaultPools.Refusal) -> IPPool.TunnelUse? {
        try parsed(name, "Always, CrossSubnet or Never") { text in
            if text.lowercased() == "off" { return .never }
            return IPPool.TunnelUse.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
        }
    }
}
