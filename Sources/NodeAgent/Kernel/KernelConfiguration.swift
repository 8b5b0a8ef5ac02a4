import ModePlugins
import NetTypes
import Resources

/// What the configuration asks of the kernel, apart from what BGP learns.
struct KernelConfiguration: Sendable, Equatable {
    /// The node's own addresses, each with the network it stands in where that is known.
    var nodeAddresses: [Node.Address]
    /// The node's blocks: each gets a blackhole, so that a packet for a free address goes no further.
    var ownBlocks: [IPPrefix]
    /// The pools: they decide by which mode a learned prefix is reached.
    var pools: [IPPool]
    /// How long routes of an earlier run are kept for peers that do not come back.
    var staleTime: Duration = BGPConfiguration.defaultMaxRestartTime
    /// Whether the configuration was read without a refusal: only then may anything be removed on its strength.
    var isWhole = true
    /// The node's name.
    var nodeName = ""
    /// The nodes of the cluster.
    var nodes: [Node] = []
    /// The settings of the tunnels.
    var felix = FelixConfiguration()
    /// The node's own address inside each tunnel, where a block gives one.
    var tunnelAddresses: [TunnelDevice: IPAddress] = [:]
    /// Whether the first ADD makes an IPv4 pool, which needs a node that forwards.
    var awaitsPool = false

    /// The pool that decides about a prefix: the narrowest that holds it. What lies in none, and is here because a
    /// filter let it in, is reached as in a pool without a tunnel.
    func pool(of prefix: IPPrefix) -> IPPool? {
        poolPlace(of: prefix).map { pools[$0] } ?? IPPool(name: "", cidr: prefix)
    }

    /// Where that pool stands; nil for a prefix that lies in none.
    func poolPlace(of prefix: IPPrefix) -> Int? {
        var best: Int?
        for place in pools.indices where pools[place].cidr.contains(prefix) {
            if let found = best, pools[found].cidr.length >= pools[place].cidr.length { continue }
            best = place
        }
        return best
    }

    /// The tunnel devices that the pools need, those of disabled pools too: their pods stay reachable.
    var tunnelDevices: Set<TunnelDevice> { TunnelDevice.needed(by: pools) }
}

extension TunnelDevice {
    /// The devices that the pools need.
    static func needed(by pools: [IPPool]) -> Set<TunnelDevice> { Set(pools.compactMap { needed(by: $0) }) }

    /// The device that a pool needs; nil for plain routes.
    static func needed(by pool: IPPool) -> TunnelDevice? {
        try? ModeRegistry.builtIn.plugin(for: pool).device(for: pool.cidr.family)
    }
}
