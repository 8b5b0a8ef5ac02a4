package import NetTypes

/// A network link, as RTM_NEWLINK describes it (rtnetlink(7)).
package struct Link: Sendable, Hashable {
    /// RFC 2863's operational state (`IF_OPER_*` in linux/if.h).
    package enum OperState: UInt8, Sendable, Hashable {
        case unknown = 0
        case notPresent = 1
        case down = 2
        case lowerLayerDown = 3
        case testing = 4
        case dormant = 5
        case up = 6
    }

    /// The index, which names the link for as long as it lives.
    package let index: UInt32
    /// The name, which others may change.
    package let name: String
    /// The link-layer address; nil when it is not Ethernet's (a tunnel's, for one).
    package let macAddress: MACAddress?
    /// The largest packet in octets.
    package let mtuBytes: UInt32
    /// The flags (`IFF_*` in linux/if.h).
    package let flags: UInt32
    /// The operational state.
    package var operState: OperState
    /// The driver's name (IFLA_INFO_KIND): `veth`, `vxlan`; nil for hardware and the loopback.
    package let kind: String?
    /// The alias; nil when there is none.
    package let alias: String?
    /// The link group.
    package let group: UInt32
    /// The bridge, bond or VRF it belongs to.
    package let masterIndex: UInt32?
    /// The link beneath it, or a veth's other end (IFLA_LINK): an index in the namespace `peerNetNSID` names.
    package let lowerIndex: UInt32?
    /// The number this namespace knows the other end's by (IFLA_LINK_NETNSID); nil when it is this one.
    package let peerNetNSID: Int32?
    /// What a VXLAN was made with; nil for another kind.
    package var vxlan: VXLANSettings?
}
