import Logging
import ModePlugins
import NetTypes
import NodeLink
import Resources

// The pools of a cluster without an IPPool.
extension NodeController {
    /// The configuration with the default pools, where it has none and is whole: a pool that is refused is no absence.
    func pooled(_ decoded: DecodedResources) -> DecodedResources {
        guard decoded.isWhole else { return decoded }
        var completed = decoded
        completed.configuration = options.defaultPools.completing(
            decoded.configuration, demanded: demandedPool.tunnels)
        return completed
    }

    /// Whether the first ADD is to say the mode of the default pool.
    var awaitsPoolMode: Bool {
        guard demandedPool.tunnels == nil, let read = addressSearch.read, read.isWhole else { return false }
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
