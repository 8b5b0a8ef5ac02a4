import IPAMCore
import NetTypes
import NodeLink
import NodeStore
import Resources

// Pods with addresses of another IPAM plugin.
extension NodeController {
    /// A pod in a block of the node is announced with it. One outside of them is announced by itself.
    func add(_ endpoint: Endpoint) async -> Result<JSONObject, RemoteError> {
        guard let state, let configuration = inForce.configuration else { return .success([:]) }
        let blocks = state.blocks.map(\.cidr)
        let outside = endpoint.addresses.filter { address in !blocks.contains { $0.contains(address) } }
        if let objection = ForeignEndpoints.objection(
            to: outside, node: options.nodeName, affinities: configuration.affinities)
        {
            return .failure(RemoteError(code: 101, message: objection))
        }
        if foreign.note(endpoint.key, endpoint.addresses, blocks: blocks) { await publish() }
        return .success([:])
    }

    /// What is to be announced beside the blocks, as blocks of one address each.
    func foreignAnnouncements(
        _ view: NodeView, besides blocks: [NodeState.OwnedBlock],
    ) -> [NodeState.OwnedBlock] {
        guard !foreign.isEmpty else { return [] }
        foreign.prune(isRecorded)
        return foreign.announced(pools: view.pools, blocks: blocks.map(\.cidr)).compactMap { address in
            view.pools.first { $0.cidr.contains(address) }.map { pool in
                NodeState.OwnedBlock(cidr: address, pool: pool.name, isAnnounced: true)
            }
        }
    }

    private func isRecorded(_ key: AttachmentKey) -> Bool {
        do {
            return try store.attachment(key) != nil
        } catch {
            // What cannot be read may be a live pod's.
            return true
        }
    }
}
