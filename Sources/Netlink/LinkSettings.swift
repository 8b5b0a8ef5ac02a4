package import NetTypes

/// What to change on a link, in one message; nil leaves a thing as it is.
package struct LinkSettings: Sendable, Hashable {
    /// Reverse path filtering (sysctl `rp_filter`). The larger of the link's and `all`'s is in force.
    package enum ReversePathFilter: UInt32, Sendable, Hashable {
        case off = 0
        case strict = 1
        case loose = 2
    }

    /// How a link gets its IPv6 link-local address (`IN6_ADDR_GEN_MODE_*` in linux/if_link.h).
    package enum IPv6AddressGeneration: UInt8, Sendable, Hashable {
        case eui64 = 0
        case none = 1
    }

    /// Administratively up or down.
    package var isUp: Bool?
    /// The largest packet in octets.
    package var mtuBytes: UInt32?
    /// The link-layer address.
    package var macAddress: MACAddress?
    /// The alias, at most 255 octets.
    package var alias: String?
    /// The link group.
    package var group: UInt32?
    /// Whether it answers ARP for every address the host has a route to.
    package var proxyARP: Bool?
    /// Whether IPv4 packets that come in by it are forwarded.
    package var ipv4Forwarding: Bool?
    /// IPv4 reverse path filtering.
    package var reversePathFilter: ReversePathFilter?
    /// IPv6 address generation. The kernel refuses it with EAFNOSUPPORT where IPv6 is off.
    package var ipv6AddressGeneration: IPv6AddressGeneration?

    /// Makes settings that change what is given.
    package init(
        isUp: Bool? = nil, mtuBytes: UInt32? = nil, macAddress: MACAddress? = nil, alias: String? = nil,
        group: UInt32? = nil, proxyARP: Bool? = nil, ipv4Forwarding: Bool? = nil,
        reversePathFilter: ReversePathFilter? = nil,
        ipv6AddressGeneration: IPv6AddressGeneration? = nil,
    ) {
        self.isUp = isUp
        self.mtuBytes = mtuBytes
        self.macAddress = macAddress
        self.alias = alias
        self.group = group
        self.proxyARP = proxyARP
        self.ipv4Forwarding = ipv4Forwarding
        self.reversePathFilter = reversePathFilter
        self.ipv6AddressGeneration = ipv6AddressGeneration
    }
}
