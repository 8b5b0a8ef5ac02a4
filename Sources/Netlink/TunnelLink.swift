package import NetTypes

/// What a VXLAN is made with. A link that differs in any of it is deleted and made anew: the kernel changes some of these
/// and refuses others, and none of them changes without a loss anyway.
package struct VXLANSettings: Sendable, Hashable {
    /// The network identifier, 24 bits.
    package var vni: UInt32
    /// The UDP port, for sending and receiving.
    package var port: UInt16
    /// The source address of what is sent.
    package var local: IPAddress?
    /// The link that packets leave by; nil lets the routes decide.
    package var parentIndex: UInt32?
    /// Whether it learns addresses from what it receives. A network whose members are all known must not.
    package var learns: Bool
    /// Whether it is driven by routes with metadata (`external`); such a link takes every identifier.
    package var isExternal: Bool
    /// A group or a default remote address, to which frames for unknown addresses go.
    package var remote: IPAddress?

    /// Makes settings of a VXLAN that has neither a group nor learns.
    package init(
        vni: UInt32, port: UInt16, local: IPAddress?, parentIndex: UInt32?, learns: Bool = false,
        isExternal: Bool = false, remote: IPAddress? = nil,
    ) {
        self.vni = vni
        self.port = port
        self.local = local
        self.parentIndex = parentIndex
        self.learns = learns
        self.isExternal = isExternal
        self.remote = remote
    }
}

/// A tunnel link to be made.
package struct TunnelLink: Sendable, Hashable {
    /// The protocol.
    package enum Kind: Sendable, Hashable {
        /// IP in IP to whatever gateway a route names.
        case ipip
        case vxlan(VXLANSettings)
    }

    /// What marks a device as Apus' own: its alias. `tunl0` is the kernel's, and by its alias a restarted daemon knows
    /// that the addresses on it are its own.
    package static let alias = "apus"

    /// The name.
    package var name: String
    /// The protocol and its settings.
    package var kind: Kind
    /// The largest inner packet in octets.
    package var mtuBytes: UInt32
    /// The link-layer address; a VXLAN's alone.
    package var macAddress: MACAddress?

    /// Makes a description.
    package init(name: String, kind: Kind, mtuBytes: UInt32, macAddress: MACAddress? = nil) {
        self.name = name
        self.kind = kind
        self.mtuBytes = mtuBytes
        self.macAddress = macAddress
    }
}
