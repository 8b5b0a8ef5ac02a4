import JSONKit
import LinuxOS
import ModePlugins
import NetTypes
import Resources

/// The mode that the first ADD has asked for where there was no IPPool: `default-pool-NODE.json` in the state directory.
///
/// A boot ends it, as it ends every pod: the network configuration may say another mode afterwards.
struct DemandedPool: Sendable {
    private let path: String
    private let bootID: String
    /// What was asked for; nil before.
    private(set) var tunnels: DefaultPools.Tunnels?

    /// Reads the record. One that cannot be read, or of another boot, counts as none: the next ADD asks again.
    init(stateDirectory: String, node: String, bootID: String) {
        path = "\(stateDirectory)/default-pool-\(node).json"
        self.bootID = bootID
        guard let bytes = try? Files.readIfPresent(path, limit: 1 << 16),
            let record = try? JSONText.parse(bytes).object,
            record["v"]?.int == 1, record["bootID"]?.string == bootID,
            let ipip = record["ipipMode"]?.string.flatMap(IPPool.TunnelUse.init(rawValue:)),
            let vxlan = record["vxlanMode"]?.string.flatMap(IPPool.TunnelUse.init(rawValue:))
        else { return }
        tunnels = DefaultPools.Tunnels(ipip: ipip, vxlan: vxlan)
    }

    /// Remembers what was asked for.
    mutating func remember(_ new: DefaultPools.Tunnels) throws {
        tunnels = new
        let record: JSONValue = [
            "v": 1, "bootID": .string(bootID), "ipipMode": .string(new.ipip.rawValue),
            "vxlanMode": .string(new.vxlan.rawValue),
        ]
        try Files.replace(path, with: Array(JSONText.serialize(record, pretty: false).utf8))
    }
}

extension DefaultPools.Tunnels {
    /// The tunnels that come to a mode; crosssubnet is over `inner`.
    init(_ mode: EncapsulationMode, inner: String) {
        switch mode {
        case .bgp: self.init()
        case .ipip: self.init(ipip: .always)
        case .vxlan: self.init(vxlan: .always)
        case .crosssubnet where inner == "ipip": self.init(ipip: .crossSubnet)
        case .crosssubnet: self.init(vxlan: .crossSubnet)
        }
    }
}
