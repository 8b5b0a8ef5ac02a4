package import NetTypes

/// A next hop that stands for itself in the kernel (ip-nexthop(8), linux/nexthop.h), and that routes name by its number.
///
/// A route that has its hop in itself costs the kernel a look-up of the gateway and per-processor memory each time, which
/// it gives back when it finds that it has the like already; one that names its hop costs a half of that.
package struct NextHopObject: Sendable, Hashable, CustomStringConvertible {
    /// The number by which routes name it, in the network namespace.
    package let id: UInt32
    /// The router.
    package let gateway: IPAddress
    /// The link to it.
    package let linkIndex: UInt32
    /// Who made it (`RTPROT_*`).
    package let protocolNumber: UInt8

    /// Joins the parts.
    package init(id: UInt32, gateway: IPAddress, linkIndex: UInt32, protocolNumber: UInt8) {
        self.id = id
        self.gateway = gateway
        self.linkIndex = linkIndex
        self.protocolNumber = protocolNumber
    }

    /// `nexthop 1627389952 via 192.168.1.2 dev if3`.
    package var description: String { "nexthop \(id) via \(gateway) dev if\(linkIndex)" }
}
