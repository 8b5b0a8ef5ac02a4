import CNISpec
import IPAMCore
import LinuxOS
import ModePlugins
import NetTypes
import Netlink
import NodeStore

/// Addresses from an IPAM plugin that keeps books of its own.
///
/// One in a block of this node is entered in the block, so that Apus gives it to no other pod. One outside of them is
/// announced by itself where an enabled pool holds it; else only this node reaches it.
struct ForeignAddresses {
    private let call: PluginCall
    private let delegate: IPAMDelegate

    init(_ call: PluginCall, _ delegate: IPAMDelegate) {
        self.call = call
        self.delegate = delegate
    }

    /// Asks the plugin and records what it answers; on an error the plugin has its addresses back.
    ///
    /// - Parameter mayHaveSome: whether an ADD that was killed may have left addresses with the plugin.
    func obtain(for file: inout AttachmentFile, mayHaveSome: Bool) throws -> PodAddresses {
        let stamp = try call.store.nodeStamp()
        guard let node = try call.store.nodeState() else {
            throw CNIError(.tryAgainLater, "apusd has not said yet what this node is: start apusd")
        }
        let required = try call.requiredMode()
        if mayHaveSome {
            try delegate.call(.delete)
            let lock = try call.lock()
            try call.store.letGo(of: &file, under: lock)
        }
        do {
            // An answer that cannot be read, or none in time, may be of one that has given an address.
            return try record(delegate.addresses(), (node, stamp), required, for: &file)
        } catch {
            giveBack()
            throw error
        }
    }

    /// Gives the addresses back after a failure; an error of the plugin's is only logged.
    func giveBack() {
        do {
            try delegate.call(.delete)
        } catch {
            call.log.write(.warning, "ADD \(call.key): the IPAM plugin has not taken its addresses back: \(error)")
        }
    }

    /// - Throws: error 7 for what is no host's address, or one of a single link, as the pod's gateway is; 101 for an
    ///   address that this node has itself.
    private func judge(_ address: IPAddress) throws {
        guard address.isUnicastHost, !address.isLinkLocal else {
            throw CNIError(.invalidConfig, "\(delegate.type): it has given \(address), which no pod can have")
        }
        var socket = try NetlinkSocket(isForFew: true)
        guard try socket.lookUp(address).kind == .local else { return }
        throw CNIError(
            .ownershipConflict, "\(delegate.type): it has given \(address), which is an address of this node",
            details: "take the node's addresses out of what the plugin gives")
    }

    private func record(
        _ result: IPAMResult, _ known: (node: NodeState, stamp: NodeStamp), _ required: EncapsulationMode?,
        for file: inout AttachmentFile,
    ) throws -> PodAddresses {
        for address in result.addresses { try judge(address.address.address) }
        let gateways = result.addresses.compactMap { entry in entry.gateway.map { (entry.address.address, $0) } }
        var answer = PodAddresses(
            addresses: result.addresses.map(\.address.address),
            gateways: Dictionary(gateways, uniquingKeysWith: { first, _ in first }),
            destinations: result.routes.map(\.destination),
            dns: result.dns, unannounced: [], node: known.node, mode: required ?? .bgp)
        for address in answer.addresses {
            let lock = try call.lock()
            // The plugin takes its time, and a block may be given up meanwhile: under the lock it is not.
            let isSame = try call.store.nodeStamp() == known.stamp
            let node = isSame ? known.node : try call.store.nodeState() ?? known.node
            answer.node = node
            switch try call.store.adopt(address, for: &file, node: node, under: lock) {
            case .failure(let error):
                throw CNIError(.ownershipConflict, "\(delegate.type): an address that is not to be had: \(error)")
            case .success(let block?):
                if !block.isAnnounced { answer.unannounced.append(block.cidr) }
            case .success(nil): break
            }
            guard let pool = node.pools.first(where: { $0.cidr.contains(address) && !$0.isDisabled }) else {
                call.log.write(
                    .warning, "ADD \(call.key): no enabled pool holds \(address): only this node reaches it")
                continue
            }
            if let mode = EncapsulationMode(rawValue: pool.mode), required == nil { answer.mode = mode }
            guard required.map({ $0.rawValue == pool.mode }) ?? true else {
                throw CNIError(
                    .invalidConfig,
                    "mode: the configuration asks for \"\(answer.mode)\", the pool \(pool.name) of \(address) has "
                        + "\"\(pool.mode)\"")
            }
            if node.block(containing: address) == nil { answer.unannounced.append(address.hostPrefix) }
        }
        return answer
    }
}
