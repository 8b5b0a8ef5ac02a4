import LinuxOS
import NetTypes

extension PluginCall {
    /// Why the node does not forward packets of the family, in one line; nil if it does. A pod on a node that does not
    /// is cut off, and nobody would see why.
    func forwardingFault(_ family: AddressFamily) throws -> String? {
        let setting = ["net"] + (family == .ipv4 ? ["ipv4", "ip_forward"] : ["ipv6", "conf", "all", "forwarding"])
        guard try Sysctl.read(setting) == "0" else { return nil }
        return "\(setting.joined(separator: ".")) is 0: this node does not forward; start apusd, or set it to 1"
    }
}
