import IPAMCore
import Logging
import ModePlugins
import NetTypes
import NodeLink
import Resources

// The pools of a cluster without an IPPool.
extension NodeController {
    /// The configuration with the default pools, where it has none: a pool that is refused is no absence. Their network
    /// is one without nodes in it; while a node is refused, it is known only where pods have addresses of it.
    func pooled(_ decoded: DecodedResources) -> DecodedResources {
        guard !decoded.mayLackPool, decoded.configuration.pools.isEmpty else { return decoded }
        let held = (state?.blocks ?? []).map(\.cidr).filter(holdsPods)
        guard !held.isEmpty || !decoded.mayLackNode else { return decoded }
        var completed = decoded
        completed.configuration = options.defaultPools.completing(
            decoded.configuration, demanded: demandedPool.tunnels, held: held)
        return completed
    }

    /// Whether the first ADD is to say the mode of the default pool: not while a pool that was written is refused.
    var awaitsPoolMode: Bool {
        guard demandedPool.tunnels == nil, let read = addressSearch.read, read.isWhole,
            !refusals.contains(where: { $0.mayBePool })
        else { return false }
        return options.defaultPools.awaitsMode(in: read.configuration)
    }

    /// Makes the default pool of the mode that an ADD asks for, where there is none.
    ///
    /// - Returns: the refusal, error 7; nil when there is nothing to refuse.
    func definePool(for request: BlockRequest) async -> RemoteError? {
        guard awaitsPoolMode, request.family == .ipv4, let read = addressSearch.read,
            let mode = EncapsulationMode(rawValue: request.mode)
        else { return nil }
        let inner = request.encapsulation ?? "vxlan"
        guard ["ipip", "vxlan"].contains(inner) else {
            return RemoteError(code: 7, message: "encapsulation: \"\(inner)\" is neither ipip nor vxlan")
        }
        // What is remembered binds whoever asks later: not for a node that has no block to give.
        let hasBlock = read.configuration.affinities.contains {
            $0.node == options.nodeName && $0.cidr.family == .ipv4
        }
        guard hasBlock || mayClaim else {
            return RemoteError(
                code: 100,
                message: "there is no IPPool, and node \(options.nodeName) may claim no block of a default one beside "
                    + "other nodes or peers: write a BlockAffinity for it")
        }
        do {
            try demandedPool.remember(DefaultPools.Tunnels(mode, inner: inner))
        } catch {
            logger.error("the default pool's mode cannot be remembered", metadata: ["reason": "\(error)"])
        }
        logger.notice("no IPPool: the default pool has the mode that is asked for", metadata: ["mode": "\(mode)"])
        await adopt(await located(read))
        return nil
    }
}
