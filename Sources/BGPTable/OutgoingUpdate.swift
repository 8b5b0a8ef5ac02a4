package import BGPWire
package import NetTypes

/// What is to be sent to one peer next. The wire encoder splits it into messages.
package enum OutgoingUpdate: Sendable, Hashable {
    /// Prefixes the peer was told of and that it may no longer use.
    case withdraw(family: AddressFamily, prefixes: [IPPrefix])
    /// Paths to prefixes that the peer was told of among several (RFC 7911), all of one identifier.
    case withdrawPaths(family: AddressFamily, prefixes: [IPPrefix], pathID: UInt32)
    /// Prefixes that share one attribute set.
    case announce(OutgoingAnnouncement)
    /// The initial feed of the family is complete (RFC 4724 §2).
    case endOfRIB(AddressFamily)
}

/// Prefixes with the attributes as this peer shall see them.
package struct OutgoingAnnouncement: Sendable, Hashable {
    /// The family of the prefixes.
    package let family: AddressFamily
    /// The attributes, made for the peer: AS_PATH prepended, ORIGINATOR_ID and CLUSTER_LIST set, and so on.
    package let attributes: PathAttributes
    /// NEXT_HOP, or the next hop of MP_REACH_NLRI.
    package let nextHop: NextHop
    /// The networks, in no particular order, none twice.
    package var prefixes: [IPPrefix]
    /// The identifier of the path to each (RFC 7911); 0 where the peer is told of one path alone.
    package let pathID: UInt32

    /// Makes the value.
    package init(
        family: AddressFamily, attributes: PathAttributes, nextHop: NextHop, prefixes: [IPPrefix], pathID: UInt32 = 0,
    ) {
        self.pathID = pathID
        self.family = family
        self.attributes = attributes
        self.nextHop = nextHop
        self.prefixes = prefixes
    }
}
