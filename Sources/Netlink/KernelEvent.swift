package import NetTypes

/// Something that changed in the kernel, by whomever.
///
/// Events alone are not enough: a link that goes down takes its routes and neighbours with it by a `link` event only,
/// and an address that is removed takes permanent neighbours by an `address` event only.
package enum KernelEvent: Sendable, Hashable {
    /// A link is new, changed or gone.
    case link(Link, deleted: Bool)
    /// An address is new, changed or gone.
    case address(LinkAddress, deleted: Bool)
    /// A route of the main table is new, changed or gone. A replaced route is announced by the new one alone, which is
    /// said to be its replacement.
    case route(Route, deleted: Bool, isReplacement: Bool = false)
    /// A neighbour with a link-layer address is new, changed or gone.
    case neighbour(Neighbour, deleted: Bool)
    /// A neighbour has no link-layer address any more: it is gone, or is being asked for. The kernel tells of a deleted
    /// neighbour without the address that it had.
    case neighbourLost(linkIndex: UInt32, address: IPAddress)
    /// An entry of a VXLAN's forwarding database is new, changed or gone.
    case fdb(FDBEntry, deleted: Bool)
    /// A next hop of its own was deleted (`NextHopObject`), and with it, without a word, all routes that named it. One that
    /// goes with its link, or with the carrier of it, is told of by the `link` event only.
    case nextHopLost(protocolNumber: UInt8)
    /// A setting of a link has another value; nil is `all` or `default` (RTM_NEWNETCONF). rp_filter is told where it is
    /// the one, and when the link is new.
    case settings(linkIndex: UInt32?, reversePathFilter: UInt32?)
    /// Rules of nftables were changed, by whomever and in whichever table.
    case ruleset
    /// Events were lost: only dumps can tell what is so.
    case overrun
}
