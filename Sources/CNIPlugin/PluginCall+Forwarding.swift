import LinuxOS
import NetTypes

extension PluginCall {
    /// Why the node does not forward packets of the family, in one line; nil if it does. A pod on a node that does not
    /// is cut off, and nobody would see why.
    func forwardingFault(_ family: AddressFamily) throws -> String? {
        let setting = Self.forwarding(family)
        let value = try input.server?.forwarding[family]?.read() ?? Sysctl.read(setting)
        guard value == "0" else { return nil }
        return "\(setting.joined(separator: ".")) is 0: this node does not forward; start apusd, or set it to 1"
    }

    /// The setting that turns forwarding on, as its parts below /proc/sys.
    static func forwarding(_ family: AddressFamily) -> [String] {
        ["net"] + (family == .ipv4 ? ["ipv4", "ip_forward"] : ["ipv6", "conf", "all", "forwarding"])
    }
}
