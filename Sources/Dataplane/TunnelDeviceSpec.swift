import LinuxOS
package import NetTypes
package import Netlink

/// A tunnel device as it is to be.
package struct TunnelDeviceSpec: Sendable, Hashable {
    /// Name, protocol, MTU and link-layer address.
    package var link: TunnelLink
    /// Its own address; nil where the node has no block that could give it one.
    package var address: CIDRAddress?

    /// Makes a description.
    package init(link: TunnelLink, address: CIDRAddress?) {
        self.link = link
        self.address = address
    }
}

/// What to do about one tunnel device.
package enum TunnelDeviceStep: Sendable, Hashable {
    /// Make it; then look again, since its index is not known.
    case create(TunnelLink)
    /// Delete it; if it is wanted all the same, look again.
    case delete(index: UInt32)
    /// Change what can be changed in place.
    case set(index: UInt32, LinkSettings)
    case addAddress(LinkAddress)
    case deleteAddress(LinkAddress)
}

/// Why a tunnel device cannot be had.
package enum TunnelDeviceProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// A link of another kind has the name. It is left alone.
    case foreign(name: String, kind: String)
    /// The kernel refused a step.
    case refused(NetlinkError)

    /// The reason in one line.
    package var description: String {
        switch self {
        case .foreign(let name, let kind): "conflict: the link \(name) is no tunnel of Apus', but \(kind)"
        case .refused(let error) where error.operation == .linkCreate && error.code == .EOPNOTSUPP:
            "the kernel module \(Self.module(for: error.object)) is missing"
        case .refused(let error): "\(error)"
        }
    }

    /// What to do about it.
    package var remedy: String {
        switch self {
        case .foreign(let name, _): "remove or rename that link (ip link show \(name)): apusd makes its own"
        case .refused(let error) where error.operation == .linkCreate && error.code == .EOPNOTSUPP:
            Self.module(for: error.object) == "ipip"
                ? "modprobe ipip, or choose vxlanMode for the pools"
                : "modprobe vxlan, or choose ipipMode for the pools; where there is no such module, install those of the "
                    + "running kernel"
        case .refused(let error) where error.operation == .linkCreate && error.code == .EEXIST:
            "another device has the identifier and the port (ip -d link show type vxlan): remove it, or change vxlanVNI "
                + "or vxlanPort of the FelixConfiguration on all nodes"
        case .refused: "the kernel's own words say why; apusd tries again within a minute, and when links change"
        }
    }

    private static func module(for device: String) -> String { device == "tunl0" ? "ipip" : "vxlan" }
}

extension TunnelDeviceSpec {
    /// What makes the device be as wanted. Nothing when it is.
    ///
    /// The address comes before the device is up: with loose reverse path filtering a device without an address drops
    /// what comes in by it. Link-local addresses are the kernel's.
    /// - Parameters:
    ///   - link: the link of that name; nil when there is none.
    ///   - addresses: the addresses of that link.
    package func steps(
        link: Link?, addresses: [LinkAddress],
    ) throws(TunnelDeviceProblem) -> [TunnelDeviceStep] {
        guard let found = link else { return [.create(self.link)] }
        switch self.link.kind {
        case .ipip:
            guard found.kind == "ipip" else { throw .foreign(name: found.name, kind: found.kind ?? "another link") }
        case .vxlan(let settings):
            guard found.kind == "vxlan" else { throw .foreign(name: found.name, kind: found.kind ?? "another link") }
            if found.vxlan != settings { return [.delete(index: found.index), .create(self.link)] }
        }
        var steps: [TunnelDeviceStep] = []
        let own = addresses.filter { !$0.address.address.isLinkLocal }
        if let address, !own.contains(where: { $0.address == address }) {
            steps.append(.addAddress(LinkAddress(linkIndex: found.index, address: address)))
        }
        // An earlier address of its own is another node's by now, perhaps.
        for stale in own where stale.address != address && stale.address.network.isHost {
            steps.append(.deleteAddress(stale))
        }
        var settings = LinkSettings()
        if found.mtuBytes != self.link.mtuBytes { settings.mtuBytes = self.link.mtuBytes }
        if let mac = self.link.macAddress, found.macAddress != mac { settings.macAddress = mac }
        if found.alias != TunnelLink.alias { settings.alias = TunnelLink.alias }
        if !found.isUp { settings.isUp = true }
        if settings != LinkSettings() { steps.append(.set(index: found.index, settings)) }
        return steps
    }

    /// What takes a device away that is not wanted: a VXLAN is deleted, `tunl0` loses its addresses and is down.
    ///
    /// Nothing happens to a link that Apus has not made or used.
    package static func removal(of link: Link, addresses: [LinkAddress]) -> [TunnelDeviceStep] {
        guard link.alias == TunnelLink.alias else { return [] }
        switch link.kind {
        case "vxlan":
            return [.delete(index: link.index)]
        case "ipip":
            let own = addresses.filter { $0.address.network.isHost }
            return own.map { .deleteAddress($0) } + [.set(index: link.index, LinkSettings(isUp: false, alias: ""))]
        default:
            return []
        }
    }
}
