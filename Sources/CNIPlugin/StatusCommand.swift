import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import NodeLink
import NodeStore
import PodPlan

/// STATUS: whether an ADD would succeed now, and whether those that did are cut off. It changes nothing and, the
/// runtime asking every few seconds, waits for nobody long.
struct StatusCommand {
    /// What the daemon has to say.
    private enum DaemonReport {
        case status(StatusAnswer)
        /// An ADD can do without it, in a block that is announced.
        case absent
        /// An ADD would be refused, too.
        case unfit(String)
    }

    /// How many peers an error names.
    private static let namedPeers = 10

    private let call: PluginCall
    private let role: CNIPlugin.Role

    init(_ call: PluginCall, _ role: CNIPlugin.Role) {
        self.call = call
        self.role = role
    }

    /// - Throws: error 50 if an ADD would fail, 51 if no BGP session is up though there are peers, 7 for a mode that is
    ///   none.
    func run() throws {
        _ = try call.requiredMode()
        let daemon = try call.daemonLine()
        let report = report(of: daemon)
        if let fault = try fault(report, plan(daemon)) {
            throw CNIError(.notAvailable, fault)
        }
        if case .status(let status) = report, status.peerCounts.configured > 0, status.peerCounts.up == 0 {
            let named = status.peers.prefix(Self.namedPeers)
            let others = status.peerCounts.configured - named.count
            let peers = named.map { "\($0.address) \($0.info)" } + (others > 0 ? ["and \(others) more"] : [])
            throw CNIError(.notAvailableLimited, "no BGP session is up: \(peers.joined(separator: ", "))")
        }
    }

    /// The plan of an ADD without a wish of its own but the network's.
    private func plan(_ daemon: DaemonLine) throws -> AddressPlan {
        AddressPlan(call, daemon: daemon, requests: try call.requests(), wantsGateway: role == .addressesOnly)
    }

    private func report(of daemon: DaemonLine) -> DaemonReport {
        do throws(NodeLinkError) {
            return .status(try daemon.status())
        } catch {
            return error.isAbsence ? .absent : .unfit(error.description)
        }
    }

    /// Why an ADD would fail; nil if nothing speaks against it.
    private func fault(_ report: DaemonReport, _ plan: AddressPlan) throws -> String? {
        do throws(StoreError) {
            try call.store.checkIsFit()
        } catch {
            return error.description
        }
        guard let node = try call.store.nodeState() else {
            return "apusd has said nothing of this node since it booted: start apusd, or see its log"
        }
        if case .unfit(let reason) = report, role == .network { return reason }
        do {
            if role == .network, let delegate = try IPAMDelegate(call) {
                try delegate.call(.status)
                _ = try plan.mode(of: node)
                // Which families it gives is its own affair: one that is forwarded may be.
                let families = Set(node.pools.map(\.cidr.family))
                let faults = try families.compactMap { try call.forwardingFault($0) }
                return faults.count == families.count ? faults.first : nil
            }
            let families = try plan.basis(node).families
            let mtuBytes = call.podMTUBytes(node)
            let hasIPv6 = families.contains { $0.family == .ipv6 }
            if role == .network, hasIPv6, mtuBytes < PodPlan.minimumIPv6MTUBytes {
                return PodPlanError.mtuTooSmall(mtuBytes).description
            }
            for (family, mode) in families {
                if role == .network, let fault = try call.forwardingFault(family) { return fault }
                if let fault = try addressFault(family, mode, node, report, plan) { return fault }
            }
            return nil
        } catch {
            let error = CNIError(error)
            // Another IPAM plugin says that the pods that are there may be cut off, too.
            if error.code == .notAvailableLimited { throw error }
            return error.message
        }
    }

    /// Why there is no address of the family.
    private func addressFault(
        _ family: AddressFamily, _ mode: EncapsulationMode, _ node: NodeState, _ report: DaemonReport,
        _ plan: AddressPlan,
    ) throws -> String? {
        let eligible = try plan.eligiblePools(family, mode, of: node)
        let pools = eligible.map(\.name)
        let open = node.blocks.filter { $0.cidr.family == family && pools.contains($0.pool) && !$0.isClosed }
        var gatewaysTaken: [BlockError] = []
        if let block = try open.first(where: {
            try hasFreeAddress($0, sparing: node.withheld, gatewaysTaken: &gatewaysTaken)
        }) {
            guard case .absent = report, role == .network, !block.isAnnounced else { return nil }
            return "block \(block.cidr) is not announced, and apusd does not answer: start apusd, or see its log"
        }
        if let fault = plan.sizeFault(of: eligible) { return fault }
        let need =
            open.isEmpty
            ? "this node has no open block of \(family.rawValue) addresses of mode \(mode)"
            : "every block of this node is full (\(open.map(\.cidr.description).joined(separator: ", ")))"
                + AddressPlan.remark(gatewaysTaken)
        guard case .status(let status) = report else { return "\(need), and apusd does not answer: start apusd" }
        let wanted = StatusAnswer.Claimable(family: family, mode: mode.rawValue)
        if status.claimable.contains(wanted) { return nil }
        return "\(need), and " + (status.claimFault ?? "apusd may claim none")
    }

    private func hasFreeAddress(
        _ owned: NodeState.OwnedBlock, sparing withheld: WithheldAddresses, gatewaysTaken: inout [BlockError],
    ) throws -> Bool {
        // A block without a record is one that nobody has an address of yet, unless somebody moved the record away.
        let record = try call.store.block(owned.cidr)
        var block = try record ?? Block(cidr: owned.cidr, bootID: call.store.bootID)
        if role == .addressesOnly {
            do throws(BlockError) {
                _ = try block.reserveGateway()
            } catch {
                if case .taken = error { gatewaysTaken.append(error) }
                return false
            }
        }
        return block.freeCount(sparing: withheld) > 0
    }
}
