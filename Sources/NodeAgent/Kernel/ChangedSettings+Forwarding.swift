import Logging
import NetTypes
import Resources

extension ChangedSettings {
    /// Turns on IP forwarding of the node, without which ADD refuses.
    func turnOnForwarding(for families: Set<AddressFamily>, logger: Logger) {
        for (family, path) in [
            (AddressFamily.ipv4, ["net", "ipv4", "ip_forward"]), (.ipv6, ["net", "ipv6", "conf", "all", "forwarding"]),
        ] where families.contains(family) {
            do {
                guard try set(path, to: "1") != nil else { continue }
                logger.notice("IP forwarding turned on", metadata: ["family": "\(family.rawValue)"])
            } catch {
                logger.error("IP forwarding cannot be turned on; ADD will refuse", metadata: ["reason": "\(error)"])
            }
        }
    }
}

extension KernelConfiguration {
    /// The families that pods have addresses of, or will.
    var forwardedFamilies: Set<AddressFamily> {
        var families = Set(pools.map(\.cidr.family))
        if awaitsPool { families.insert(.ipv4) }
        return families
    }
}
