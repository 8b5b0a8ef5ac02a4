import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import NodeLink
import NodeStore

/// Finds addresses for one ADD: which families, of which mode, from which block.
struct AddressPlan {
    /// The addresses of the ADD, and the mode of the pools they are from.
    struct Answer: Sendable {
        /// One address for each family.
        var allocations: [Allocation]
        /// What the daemon has said of the node.
        var node: NodeState
        /// The mode of the first address' pool.
        var mode: EncapsulationMode
    }

    /// node.json, as a call has read it, and what it comes to.
    struct Basis: Sendable {
        /// What the daemon has said of the node; nil when it has said nothing.
        var node: NodeState?
        /// The families to give addresses of, each with the mode that they will be of.
        var families: [(family: AddressFamily, mode: EncapsulationMode)] = []
    }

    /// How long the daemon may take to write node.json again.
    private static let restorationTime = Duration.seconds(2)
    /// How often an address is tried for without another block than those that were full before.
    private static let fruitlessTries = 3
    /// How often in all.
    private static let maximumTries = 32

    private let call: PluginCall
    private let daemon: DaemonLine
    private let requests: PodRequests
    private let wantsGateway: Bool
    /// The node.json that was there before anybody read it for this plan; nil when it could not be seen.
    private let stamp: NodeStamp?

    /// - Parameters:
    ///   - requests: what is asked for of the addresses.
    ///   - wantsGateway: whether an address of each block is kept as a gateway.
    init(_ call: PluginCall, daemon: DaemonLine, requests: PodRequests = PodRequests(), wantsGateway: Bool) {
        self.call = call
        self.daemon = daemon
        self.requests = requests
        self.wantsGateway = wantsGateway
        stamp = try? call.store.nodeStamp()
    }

    /// The mode the addresses will be of: what the configuration demands, else that of the pool an address or a pool is
    /// asked for from, else the first pool's.
    /// - Throws: error 7 if the node has pools, and none of that mode.
    func mode(of node: NodeState?) throws -> EncapsulationMode {
        let modes = AddressFamily.allCases.flatMap { node?.modes(family: $0) ?? [] }
        guard let required = try call.requiredMode() else {
            let asked = node.flatMap(requestedPool)?.mode
            return ([asked].compactMap(\.self) + modes).lazy.compactMap(EncapsulationMode.init(rawValue:)).first ?? .bgp
        }
        guard modes.isEmpty || modes.contains(required.rawValue) else { throw mismatch(required, modes) }
        _ = try ModeRegistry.builtIn.plugin(for: required)
        return required
    }

    /// The mode the address of a family will be of. Where the configuration demands none the families need not agree:
    /// IPIP carries no IPv6.
    /// - Throws: error 7 if the node has pools, and none of the mode that is demanded.
    private func mode(_ family: AddressFamily, of node: NodeState?) throws -> EncapsulationMode {
        guard let node, call.config.mode == nil else { return try mode(of: node) }
        let asked = requestedPool(of: node, family).flatMap { EncapsulationMode(rawValue: $0.mode) }
        if let asked { return asked }
        return try node.modes(family: family).lazy.compactMap(EncapsulationMode.init(rawValue:)).first ?? mode(of: node)
    }

    /// What node.json comes to. The families to give addresses of are those with a pool (of the mode, where one is
    /// demanded) that the configuration does not turn off, and those something is asked for of; IPv4 while there is no
    /// pool at all. Before the daemon has said anything of the node there may be none.
    /// - Throws: error 7 when the configuration turns off all there are, and if the node has pools, but none of the mode
    ///   that is demanded.
    func basis(_ node: NodeState?) throws -> Basis {
        let all = try AddressFamily.allCases.map { (family: $0, mode: try mode($0, of: node)) }
        let present = all.filter { node?.hasPool($0.family, mode: $0.mode.rawValue) ?? false }
        let families = all.filter { family, _ in
            if requests.address(family) != nil { return true }
            if let assigns = call.config.assignsFamily[family] { return assigns }
            if requests.pools[family] != nil { return true }
            let named = requests.poolsOfAnyFamily.compactMap { node?.pool($0) }
            if !named.isEmpty { return named.contains { $0.cidr.family == family } }
            return present.contains { $0.family == family } || present.isEmpty && family == .ipv4
        }
        if node != nil { try Self.requireAny(families) }
        return Basis(node: node, families: families)
    }

    private static func requireAny(_ families: [(family: AddressFamily, mode: EncapsulationMode)]) throws(CNIError) {
        guard families.isEmpty else { return }
        throw CNIError(.invalidConfig, "ipam: assign_ipv4 and assign_ipv6 leave no family with a pool")
    }

    private func requestedPool(of node: NodeState) -> NodeState.Pool? {
        AddressFamily.allCases.lazy.compactMap { requestedPool(of: node, $0) }.first
    }

    private func requestedPool(of node: NodeState, _ family: AddressFamily) -> NodeState.Pool? {
        if let address = requests.address(family),
            let pool = node.pools.first(where: { $0.cidr.contains(address) })
        {
            return pool
        }
        let named = (requests.pools[family] ?? requests.poolsOfAnyFamily).lazy.compactMap(node.pool)
        return named.first { $0.cidr.family == family }
    }

    /// The names of the listed pools.
    /// - Throws: error 7 for one that is not there, is of the other family or is disabled.
    func listedPools(_ family: AddressFamily, of node: NodeState) throws(CNIError) -> [String]? {
        let listed = requests.pools[family]
        let key = listed == nil ? "ipam.pools" : "ipam.\(family.rawValue)_pools"
        let references = listed ?? requests.poolsOfAnyFamily
        guard !references.isEmpty else { return nil }
        var names: [String] = []
        for reference in references {
            guard let pool = node.pool(reference) else {
                throw CNIError(.invalidConfig, "\(key): there is no IPPool \(reference) for this node")
            }
            guard pool.cidr.family == family else {
                if listed == nil { continue }
                throw CNIError(.invalidConfig, "\(key): \(reference) is no \(family.rawValue) pool")
            }
            guard !pool.isDisabled else { throw CNIError(.invalidConfig, "\(key): \(reference) is disabled") }
            names.append(pool.name)
        }
        return names
    }

    /// What the first address will be asked for with: it can be asked for with the key.
    ///
    /// - Parameters:
    ///   - basis: what this call has read.
    ///   - hostLink: the name of the link's host end.
    /// - Returns: to be called under the store's lock; nil where there is something to wait for, or to complain about,
    ///   which is done when the key is held.
    func first(_ basis: Basis, hostLink: String?) -> (() throws -> (AllocationRequest, NodeState)?)? {
        guard let known = basis.node, let (family, mode) = basis.families.first,
            let request = try? allocationRequest(family, mode, of: known, hostLink: hostLink)
        else { return nil }
        return { (request, try current(known)) }
    }

    private func allocationRequest(
        _ family: AddressFamily, _ mode: EncapsulationMode, of node: NodeState?, hostLink: String?,
    ) throws(CNIError) -> AllocationRequest {
        var pools: [String]?
        if let node { pools = try listedPools(family, of: node) }
        return AllocationRequest(
            family: family, mode: mode.rawValue, pools: pools, address: requests.address(family),
            wantsGateway: wantsGateway, hostLink: hostLink)
    }

    /// Gives the attachment its addresses.
    /// - Throws: what keeps it from having them; the addresses given so far are still the attachment's.
    ///
    /// - Parameters:
    ///   - basis: what this call has read.
    ///   - hostLink: the name of the link's host end, recorded with the first address.
    ///   - judge: what is to be looked at where the daemon says only now what the node is.
    func allocate(
        for file: inout AttachmentFile, _ basis: Basis, hostLink: String? = nil,
        judge: (Basis) throws -> Void = { _ in },
    ) throws -> Answer {
        var basis = basis
        if basis.node == nil {
            basis = try self.basis(awaitNode(basis, file.key))
            try judge(basis)
        }
        try Self.requireAny(basis.families)
        var allocations: [Allocation] = []
        var modes: [EncapsulationMode] = []
        var latest = basis.node
        for (family, mode) in basis.families {
            guard let known = latest else { break }
            let (allocation, node) = try allocate(family, mode, for: &file, known: known, hostLink: hostLink)
            allocations.append(allocation)
            modes.append(mode)
            latest = node
        }
        guard let latest, let mode = modes.first else { throw CNIError(.failed, "node.json is gone") }
        return Answer(allocations: allocations, node: latest, mode: mode)
    }

    /// node.json, where there was none. Which families the node has nobody knows before.
    ///
    /// Where somebody has emptied the run directory, and there are pods, a daemon that is there writes it again at once. Any
    /// other is asked for a block: it answers when its configuration is in force.
    /// - Throws: error 11 when there is none all the same; the daemon's refusal, if that says nothing of families.
    private func awaitNode(_ basis: Basis, _ key: AttachmentKey) throws -> NodeState {
        let hasPods = try call.store.attachments().contains { $0.key != key && $0.state == .complete }
        if hasPods, let node = try awaitNode() { return node }
        var guess = basis.families
        if guess.isEmpty, let family = AddressFamily.allCases.first(where: { call.config.assignsFamily[$0] ?? true }) {
            guess = [(family, try mode(family, of: nil))]
        }
        try Self.requireAny(guess)
        var refusal: RemoteError?
        do {
            for (family, mode) in guess.prefix(1) { try requestBlock(family, mode) }
        } catch let error as RemoteError where error.code != CNIErrorCode.tryAgainLater.rawValue {
            refusal = error
        }
        if let node = try awaitNode() { return node }
        guard let refusal else {
            throw CNIError(.tryAgainLater, "apusd has not said yet what this node is: see its log; then try again")
        }
        guard refusal.code == CNIErrorCode.invalidConfig.rawValue else { throw refusal }
        throw CNIError(.tryAgainLater, refusal.message, details: "apusd has not said yet what this node is; try again")
    }

    /// Waits for the daemon to write node.json.
    /// - Throws: error 11 when the call is to be given up.
    private func awaitNode() throws -> NodeState? {
        let deadline = BootClock.now() + Self.restorationTime
        while true {
            if let node = try call.store.nodeState() { return node }
            try call.checkIsWanted()
            guard BootClock.now() < deadline else { return nil }
            _ = try Poll.readable([], until: BootClock.now() + .milliseconds(5), name: "node.json")
        }
    }

    /// One address. When the blocks are full the daemon is asked for another one; a block it answers with may be full
    /// again before the lock is taken: there is another try as long as there are blocks that were not known before.
    private func allocate(
        _ family: AddressFamily, _ mode: EncapsulationMode, for file: inout AttachmentFile, known: NodeState,
        hostLink: String?,
    ) throws -> (Allocation, NodeState) {
        var request = try allocationRequest(family, mode, of: nil, hostLink: hostLink)
        var full: [IPPrefix] = []
        var gatewaysTaken: [BlockError] = []
        var node = known
        var seen: Set<IPPrefix> = []
        var (fruitless, rounds) = (0, 0)
        while true {
            request.pools = try listedPools(family, of: node)
            let claimed = file.takeOutcome(of: request)
            switch try claimed ?? attempt(request, for: &file, node) {
            case .allocated(let allocation): return (allocation, node)
            case .noPool(let modes) where !modes.isEmpty: throw noPool(request, mode, modes)
            case .noPool: full = []
            case .noBlock:
                if let address = request.address, !node.blocks.isEmpty { throw notOurs(address, node) }
                full = []
            case .exhausted(let blocks, let taken): (full, gatewaysTaken) = (blocks, taken)
            case .unavailable(let error): throw unavailable(error)
            }
            rounds += 1
            fruitless = seen.isSuperset(of: full) ? fruitless + 1 : 1
            seen.formUnion(full)
            if fruitless == Self.fruitlessTries || rounds == Self.maximumTries { break }
            try call.checkIsWanted()
            do {
                try requestBlock(family, mode, full: full, pools: try poolsForBlock(family, mode, of: node))
            } catch {
                var error = CNIError(error)
                error.message += Self.remark(gatewaysTaken)
                throw error
            }
            // The daemon may answer of what it remembers, and node.json be gone.
            guard let latest = try awaitNode() else {
                throw CNIError(.tryAgainLater, "node.json is gone, and apusd has not written it again: see its log")
            }
            node = latest
        }
        let blocks = full.map(\.description).joined(separator: ", ")
        throw CNIError(
            .poolExhausted,
            "no free address of mode \(mode)" + (full.isEmpty ? "" : ": \(blocks) full") + Self.remark(gatewaysTaken))
    }

    private func requestBlock(
        _ family: AddressFamily, _ mode: EncapsulationMode, full: [IPPrefix] = [], pools: [String] = [],
    ) throws {
        try daemon.requestBlock(
            BlockRequest(
                family: family, mode: mode.rawValue, full: full, pools: pools,
                encapsulation: call.config.encapsulation))
    }

    /// The pools that an address without a wish of its own is given from.
    func eligiblePools(
        _ family: AddressFamily, _ mode: EncapsulationMode, of node: NodeState,
    ) throws(CNIError) -> [NodeState.Pool] {
        let listed = try listedPools(family, of: node)
        return node.pools(family: family, mode: mode.rawValue).filter { listed?.contains($0.name) ?? !$0.isManual }
    }

    /// Why no block of these pools gives an address; nil if one does, or none is there.
    func sizeFault(of pools: [NodeState.Pool]) -> String? {
        guard let pool = pools.first, !pools.contains(where: hasRoom) else { return nil }
        let largest = pool.cidr.family.bitWidth - 2
        return "IPPool \(pool.name): a block of blockSize \(pool.blockSize) has no address beside its gateway's, which "
            + "apus-ipam keeps: use a pool of blockSize \(largest) or less"
    }

    /// A block's first address is the tunnel's, the last one or two the gateway's.
    private func hasRoom(_ pool: NodeState.Pool) -> Bool {
        !wantsGateway || Int(pool.blockSize) + 2 <= pool.cidr.family.bitWidth
    }

    /// The pools that a block is asked for of, by name; none where all will do.
    /// - Throws: error 7 where every new block would be as useless as the one before.
    private func poolsForBlock(
        _ family: AddressFamily, _ mode: EncapsulationMode, of node: NodeState,
    ) throws -> [String] {
        let eligible = try eligiblePools(family, mode, of: node)
        if let fault = sizeFault(of: eligible) { throw CNIError(.invalidConfig, fault) }
        let roomy = eligible.filter(hasRoom)
        return try roomy.count < eligible.count ? roomy.map(\.name) : listedPools(family, of: node) ?? []
    }

    /// Blocks may have free addresses and give none: the pod is named whose address would have to be the gateway.
    static func remark(_ gatewaysTaken: [BlockError]) -> String {
        guard !gatewaysTaken.isEmpty else { return "" }
        let holders = gatewaysTaken.map(\.description).joined(separator: ", ")
        return "; a block gives no address while a pod has the gateway's: \(holders)"
    }

    /// The store's lock is held here and no longer.
    private func attempt(
        _ request: AllocationRequest, for file: inout AttachmentFile, _ node: NodeState,
    ) throws -> AllocationOutcome {
        let lock = try call.lock()
        return try call.store.allocate(request, for: &file, node: current(node), under: lock)
    }

    /// node.json, as it is under the store's lock.
    ///
    /// The daemon closes a block in node.json before it gives its record up under the lock: what was read without the
    /// lock may be a block that is nobody's by now.
    private func current(_ node: NodeState) throws -> NodeState {
        let isSame = try stamp != nil && call.store.nodeStamp() == stamp
        return isSame ? node : try call.store.nodeState() ?? node
    }

    private func mismatch(_ required: EncapsulationMode, _ modes: [String]) -> CNIError {
        CNIError(
            .invalidConfig,
            "mode: the configuration asks for \"\(required)\", the pools of this node have "
                + modes.map { "\"\($0)\"" }.joined(separator: ", "))
    }

    private func noPool(_ request: AllocationRequest, _ mode: EncapsulationMode, _ modes: [String]) -> CNIError {
        guard let pools = request.pools, modes.contains(mode.rawValue) else { return mismatch(mode, modes) }
        return CNIError(
            .invalidConfig,
            "ipam: none of \(pools.joined(separator: ", ")) is an enabled \(request.family.rawValue) pool of mode "
                + "\(mode) for this node")
    }

    private func notOurs(_ address: IPAddress, _ node: NodeState) -> CNIError {
        let blocks = node.blocks.filter { $0.cidr.family == address.family && !$0.isClosed }.map(\.cidr.description)
        return CNIError(
            .invalidConfig, "the address \(address) was asked for and is in no open block of this node",
            details: "this node gives addresses of " + blocks.joined(separator: ", "))
    }

    private func unavailable(_ error: BlockError) -> CNIError {
        let message = "the address that was asked for is not to be had: \(error)"
        if case .taken = error { return CNIError(.ownershipConflict, message) }
        return CNIError(.invalidConfig, message)
    }
}

extension NodeState {
    /// The pool that is meant, enabled or not.
    fileprivate func pool(_ reference: PoolReference) -> Pool? {
        switch reference {
        case .name(let name): pools.first { $0.name == name }
        case .network(let prefix): pools.first { $0.cidr == prefix }
        }
    }
}
