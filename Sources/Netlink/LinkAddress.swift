import CLibNL
package import NetTypes

/// An address on a link (RTM_NEWADDR).
package struct LinkAddress: Sendable, Hashable, CustomStringConvertible {
    /// The link's index.
    package var linkIndex: UInt32
    /// The address and its prefix length.
    package var address: CIDRAddress
    /// How far the address is valid.
    package var scope: Route.Scope
    /// The flags (`IFA_F_*` in linux/if_addr.h).
    package var flags: UInt32

    /// Makes an address. An IPv6 one gets IFA_F_NODAD: it works at once, and the links Apus makes have two ends only.
    ///
    /// - Parameter scope: the kernel derives IPv6 scopes itself and ignores this one.
    package init(linkIndex: UInt32, address: CIDRAddress, scope: Route.Scope = .universe) {
        self.init(
            linkIndex: linkIndex, address: address, scope: scope,
            flags: address.address.family == .ipv6 ? UInt32(IFA_F_NODAD) : 0)
    }

    /// Makes an address with the flags given.
    package init(linkIndex: UInt32, address: CIDRAddress, scope: Route.Scope, flags: UInt32) {
        self.linkIndex = linkIndex
        self.address = address
        self.scope = scope
        self.flags = flags
    }

    /// Whether duplicate address detection still goes on: the address does not work yet.
    package var isTentative: Bool { flags & UInt32(IFA_F_TENTATIVE) != 0 }

    /// Whether it may be a node's own: not one of IPv6 that does not work yet, or is soon to be gone.
    package var isLasting: Bool {
        let passing = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TEMPORARY
        return address.address.family == .ipv4 || flags & UInt32(passing) == 0
    }

    /// Whether the kernel has made a route to the address' network of it. Network managers often say that it shall not:
    /// they write that route themselves, with a metric, or leave it to a router's advertisement.
    package var hasPrefixRoute: Bool { flags & UInt32(IFA_F_NOPREFIXROUTE) == 0 }

    /// The address in the words of `ip addr`.
    package var description: String { "\(address) dev if\(linkIndex)" }
}
