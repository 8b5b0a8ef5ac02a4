package import IPAMCore
package import NetTypes

/// What an ADD wants of the store.
package struct AllocationRequest: Sendable, Hashable {
    /// The family of the address.
    package var family: AddressFamily
    /// The mode the pool must have: "bgp" and so on.
    package var mode: String
    /// The names of the pools that may be used, the preferred one first; nil is every pool of the mode.
    package var pools: [String]?
    /// This very address and no other.
    package var address: IPAddress?
    /// Whether to keep an address of the block as the gateway, as `apus-ipam` does under a bridge or ptp.
    package var wantsGateway: Bool
    /// The name of the link's host end, recorded together with the address; nil leaves the record's.
    package var hostLink: String?

    /// Makes a request.
    package init(
        family: AddressFamily, mode: String, pools: [String]? = nil, address: IPAddress? = nil,
        wantsGateway: Bool = false, hostLink: String? = nil,
    ) {
        self.family = family
        self.mode = mode
        self.pools = pools
        self.address = address
        self.wantsGateway = wantsGateway
        self.hostLink = hostLink
    }
}

/// An address that the attachment now has.
package struct Allocation: Sendable, Hashable {
    /// The address.
    package let address: IPAddress
    /// The block it is from, and whether the block is announced.
    package let block: NodeState.OwnedBlock
    /// The block's gateway, if it was asked for.
    package let gateway: IPAddress?
}

/// What became of a request.
package enum AllocationOutcome: Sendable, Equatable {
    /// It is done.
    case allocated(Allocation)
    /// No enabled pool of the family has the mode (and one of the names); these are the modes there are.
    case noPool(modes: [String])
    /// The node owns no open block in these pools: ask the daemon for one.
    case noBlock
    /// Every open block in these pools is full, or a pod has its gateway: ask the daemon for another one, naming these.
    case exhausted(full: [IPPrefix], gatewaysTaken: [BlockError] = [])
    /// The address that was asked for is not to be had, and why.
    case unavailable(BlockError)
}
