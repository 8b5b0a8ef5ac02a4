import IPAMCore
import Logging
import ModePlugins
import NetTypes
import NodeLink
import NodeStore
import Resources

// Pods with addresses of another IPAM plugin.
extension NodeController {
    /// A pod in a block of the node is announced with it. One outside of them is announced by itself: now, or with the
    /// first configuration.
    func add(_ endpoint: Endpoint) async -> Result<JSONObject, RemoteError> {
        let blocks = state?.blocks.map(\.cidr) ?? []
        let outside = endpoint.addresses.filter { address in !blocks.contains { $0.contains(address) } }
        if let objection = ForeignEndpoints.objection(
            to: outside, node: options.nodeName, affinities: configuration?.affinities ?? [])
        {
            return .failure(RemoteError(code: 101, message: objection))
        }
        await announce(foreign.note(endpoint.key, endpoint.addresses, blocks: blocks))
        return .success([:])
    }

    /// A pod, or its link, has gone: what was announced for it alone is withdrawn.
    func withdraw(_ key: AttachmentKey) async {
        await announce(foreign.forget(key))
    }

    /// What is to be announced beside the blocks, each address by itself.
    func foreignAnnouncements(_ view: NodeView, besides blocks: [NodeState.OwnedBlock]) -> [BlockAnnouncement] {
        guard !foreign.isEmpty else {
            noteWithheld(view, besides: blocks)
            return []
        }
        foreign.prune(isRecorded)
        noteWithheld(view, besides: blocks)
        return foreign.announced(pools: view.pools, blocks: blocks.map(\.cidr)).compactMap { address in
            hostAnnouncement(of: address, view)
        }
    }

    /// Tells the speaker what differs, and looks at nothing else.
    private func announce(_ change: ForeignEndpoints.Change) async {
        guard !change.isEmpty, let view else { return }
        noteWithheld(view, besides: state?.blocks ?? [])
        let blocks = state?.blocks.map(\.cidr) ?? []
        let came = change.came.filter { ForeignEndpoints.isAnnounced($0, pools: view.pools, blocks: blocks) }
        // A block that has come since is announced as such, and stays.
        await speaker.change(
            announcing: came.compactMap { hostAnnouncement(of: $0, view) },
            withdrawing: change.went.filter { !blocks.contains($0) })
    }

    /// The disabled pool for whose sake an address of another IPAM plugin is not announced; nil where none is.
    func disabledPool(of address: IPPrefix) -> String? {
        guard let view, !foreign.isEmpty else { return nil }
        let withheld = foreign.withheld(pools: view.pools, blocks: state?.blocks.map(\.cidr) ?? [])
        return withheld.first { $0.value.contains(address) }?.key
    }

    private func noteWithheld(_ view: NodeView, besides blocks: [NodeState.OwnedBlock]) {
        let withheld = foreign.withheld(pools: view.pools, blocks: blocks.map(\.cidr))
        for (pool, count) in withheldRemarks.takeNews(withheld) {
            logger.warning(
                "pods' addresses of another IPAM plugin are not announced: their pool is disabled",
                metadata: ["pool": "\(pool)", "addresses": "\(count)"])
        }
    }

    private func hostAnnouncement(of address: IPPrefix, _ view: NodeView) -> BlockAnnouncement? {
        guard let pool = view.pools.first(where: { $0.cidr.contains(address) }) else { return nil }
        let block = NodeState.OwnedBlock(cidr: address, pool: pool.name, isAnnounced: true)
        guard case .nextHop(let nextHop) = announcement(of: block, view) else { return nil }
        return BlockAnnouncement(
            block: address, nextHop: nextHop, tunnel: tunnelEndpoint(of: address, view, ready: readyDevices))
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
