import Dataplane
import ModePlugins
import NetTypes
import Netlink
import PodPlan
import Resources

/// The tunnel devices as they are to be, from the configuration and the picture of the node.
struct TunnelPlan: Sendable, Equatable {
    /// What a device is to be, or why it cannot be.
    enum Wish: Sendable, Equatable {
        case device(TunnelDeviceSpec, parent: String)
        case impossible(reason: String)
    }

    /// The wishes; a device that is not among them is not needed.
    let wishes: [TunnelDevice: Wish]
    /// The links by which other nodes' IPv4 addresses are reached: what these send comes in by them, too, whichever link
    /// holds the node's own.
    private let ways: [String]

    /// Plans. `hostMTUBytes` is that of the smallest NIC: what leaves by another one must fit, too.
    init(_ configuration: KernelConfiguration, _ picture: NodePicture, hostMTUBytes: UInt32) {
        var wishes: [TunnelDevice: Wish] = [:]
        for device in configuration.tunnelDevices {
            wishes[device] = Self.wish(device, configuration, picture, hostMTUBytes)
        }
        self.wishes = wishes
        let isFiltered = wishes.keys.contains { $0.family == .ipv4 }
        ways = isFiltered ? picture.ways(toNodesOf: configuration, .ipv4).map(\.name) : []
    }

    /// The links whose reverse path filtering is to be loose before a node says that it takes packets by the device; none
    /// for IPv6, which the kernel does not filter so.
    func looseLinks(for device: TunnelDevice) -> [String] {
        guard device.family == .ipv4, case .device(_, let parent)? = wishes[device] else { return [] }
        return [parent] + ways.filter { $0 != parent } + [device.name]
    }

    private static func wish(
        _ device: TunnelDevice, _ configuration: KernelConfiguration, _ picture: NodePicture, _ hostMTUBytes: UInt32,
    ) -> Wish {
        guard let local = configuration.nodeAddresses.map(\.address).first(where: { $0.family == device.family })
        else { return .impossible(reason: "the node has no \(device.family.rawValue) address") }
        guard let parent = picture.uplink(of: [local]) else {
            return .impossible(reason: "no link has the node's address \(local)")
        }
        let felix = configuration.felix
        let carried = min(parent.mtuBytes, hostMTUBytes)
        let fitting = carried > device.overheadBytes ? carried - device.overheadBytes : carried
        let mtu = felix.mtuBytes(device.encapsulation, over: device.family)
        let address = configuration.tunnelAddresses[device]
            .map { CIDRAddress($0, length: device.family.bitWidth) }
        let link: TunnelLink
        switch device {
        case .ipip:
            link = TunnelLink(name: device.name, kind: .ipip, mtuBytes: mtu ?? fitting)
        case .vxlan, .vxlanV6:
            guard let mtuBytes = vxlanMTUBytes(device, parent, wanted: mtu ?? fitting, fitting: fitting) else {
                return .impossible(
                    reason: "the MTU \(parent.mtuBytes) of \(parent.name) leaves \(device) less than the "
                        + "\(PodPlan.minimumIPv6MTUBytes) octets that IPv6 needs: give it "
                        + "\(PodPlan.minimumIPv6MTUBytes + device.overheadBytes) at least")
            }
            let settings = VXLANSettings(
                vni: felix.vxlanVNI ?? FelixConfiguration.defaultVNI,
                port: felix.vxlanPort ?? FelixConfiguration.defaultVXLANPort, local: local,
                parentIndex: parent.index)
            let own = configuration.nodes.first { $0.name == configuration.nodeName }
            let mac = own.map { TunnelCheck.macAddress(of: $0, device.family) }
            link = TunnelLink(
                name: device.name, kind: .vxlan(settings), mtuBytes: mtuBytes,
                macAddress: mac ?? .vtep(ofNode: configuration.nodeName, over: device.family))
        }
        return .device(TunnelDeviceSpec(link: link, address: address), parent: parent.name)
    }

    /// The MTU of a VXLAN device; nil where its parent cannot carry what its family needs. The kernel refuses more than the
    /// parent can carry, and on a link of less than 1280 octets there is no IPv6.
    private static func vxlanMTUBytes(
        _ device: TunnelDevice, _ parent: Link, wanted: UInt32, fitting: UInt32,
    ) -> UInt32? {
        let mtuBytes = min(wanted, max(fitting, 576))
        guard device.family == .ipv6, mtuBytes < PodPlan.minimumIPv6MTUBytes else { return mtuBytes }
        let least = PodPlan.minimumIPv6MTUBytes
        return parent.mtuBytes >= least + device.overheadBytes ? least : nil
    }
}
