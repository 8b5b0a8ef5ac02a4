import Logging
import ModePlugins
import NetTypes
import Resources

// What this node tells the others of its tunnels.
extension NodeController {
    /// The own address in each tunnel.
    func chooseTunnelAddresses(_ blocks: [IPPrefix], _ view: NodeView) -> [TunnelDevice: IPAddress] {
        do {
            try tunnelAddresses.choose(blocks: blocks, pools: view.pools, isWhole: inForce.isWhole)
        } catch {
            logger.error("the tunnel addresses cannot be remembered", metadata: ["reason": "\(error)"])
        }
        return tunnelAddresses.addresses
    }

    /// Where the tunnel ends by which others reach a block of this node; nil for plain routes, and as long as the device
    /// is not ready: to announce it is to say that packets in it are accepted.
    func tunnelEndpoint(of block: IPPrefix, _ view: NodeView, ready: Set<TunnelDevice>) -> TunnelEndpoint? {
        let pool = view.pools.filter { $0.cidr.contains(block) }.max { $0.cidr.length < $1.cidr.length }
        guard let device = pool.flatMap({ TunnelDevice.needed(by: $0) }), ready.contains(device),
            let egress = view.node.address(device.family)?.address
        else { return nil }
        var endpoint = TunnelEndpoint(
            device.encapsulation, egress: egress, innerAddress: tunnelAddresses.addresses[device])
        if device.encapsulation == .vxlan {
            endpoint.macAddress = TunnelCheck.macAddress(of: view.node, device.family)
            endpoint.vni = view.felix.vxlanVNI ?? FelixConfiguration.defaultVNI
            endpoint.port = view.felix.vxlanPort ?? FelixConfiguration.defaultVXLANPort
        }
        return endpoint
    }

    /// The MTU of the pods' links: the smallest that any enabled pool's mode leaves them, so that a pod outlives a change
    /// of its pool's mode.
    func podMTUBytes(hostMTUBytes: UInt32, _ view: NodeView) -> UInt32 {
        let left = view.pools.lazy.filter { !$0.isDisabled }.compactMap { pool -> UInt32? in
            guard let device = TunnelDevice.needed(by: pool) else { return nil }
            if let set = view.felix.mtuBytes(device.encapsulation, over: device.family) { return set }
            return hostMTUBytes > device.overheadBytes ? hostMTUBytes - device.overheadBytes : nil
        }
        return min(hostMTUBytes, left.min() ?? hostMTUBytes)
    }
}
