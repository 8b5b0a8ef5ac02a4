package import NetTypes

/// The message that carries routes (RFC 4271 §4.3), in one shape for all families.
///
/// The NLRI and NEXT_HOP of IPv4 and the contents of MP_REACH_NLRI are both a `Reach`. Where RFC 7606 says
/// treat-as-withdraw, the prefixes stand in `unreachable` and `malformed` says why; the attributes are of no use then.
/// Withdrawals are to be applied before announcements: a prefix in both is announced (RFC 4271 §4.3).
package struct UpdateMessage: Sendable, Hashable {
    /// Prefixes of one family that are withdrawn; none at all in an End-of-RIB.
    package struct Unreach: Sendable, Hashable {
        /// The family of the prefixes.
        package let family: AFISAFI
        /// The prefixes.
        package let prefixes: [IPPrefix]
        /// The path identifier of each prefix (RFC 7911 §3); none where the session has not agreed on them.
        package let pathIDs: [UInt32]

        /// Joins the three.
        package init(family: AFISAFI, prefixes: [IPPrefix], pathIDs: [UInt32] = []) {
            self.family = family
            self.prefixes = prefixes
            self.pathIDs = pathIDs
        }
    }

    /// Prefixes of one family that are reached through one next hop.
    package struct Reach: Sendable, Hashable {
        /// The family of the prefixes.
        package let family: AFISAFI
        /// Where packets go.
        package let nextHop: NextHop
        /// The prefixes.
        package let prefixes: [IPPrefix]
        /// The path identifier of each prefix (RFC 7911 §3); none where the session has not agreed on them.
        package let pathIDs: [UInt32]

        /// Joins the four.
        package init(family: AFISAFI, nextHop: NextHop, prefixes: [IPPrefix], pathIDs: [UInt32] = []) {
            self.family = family
            self.nextHop = nextHop
            self.prefixes = prefixes
            self.pathIDs = pathIDs
        }
    }

    /// What is withdrawn.
    package let unreachable: [Unreach]
    /// What is announced.
    package let reachable: [Reach]
    /// The attributes of what is announced; the defaults when nothing is.
    package let attributes: PathAttributes
    /// The errors that the session survives.
    package let malformed: [AttributeError]

    /// Makes an UPDATE.
    package init(
        unreachable: [Unreach] = [],
        reachable: [Reach] = [],
        attributes: PathAttributes = PathAttributes(),
        malformed: [AttributeError] = [],
    ) {
        self.unreachable = unreachable
        self.reachable = reachable
        self.attributes = attributes
        self.malformed = malformed
    }

    /// The End-of-RIB marker of a family (RFC 4724 §2).
    package static func endOfRIB(_ family: AFISAFI) -> UpdateMessage {
        UpdateMessage(unreachable: [Unreach(family: family, prefixes: [])])
    }

    /// The family whose End-of-RIB marker this is; nil when it is none.
    package var endOfRIB: AFISAFI? {
        guard reachable.isEmpty, malformed.isEmpty, unreachable.count == 1, let only = unreachable.first,
            only.prefixes.isEmpty
        else { return nil }
        return only.family
    }
}

/// Where the packets of a route go (RFC 4271 §5.1.3, RFC 2545 §3).
@frozen
package struct NextHop: Sendable, Hashable, CustomStringConvertible {
    /// The address; the link-local one when the peer gave no global address.
    package let address: IPAddress
    /// The link-local address that RFC 2545 puts beside a global IPv6 address for peers on the same link.
    package let linkLocal: IPv6Address?

    /// Makes a next hop.
    @inlinable package init(_ address: IPAddress, linkLocal: IPv6Address? = nil) {
        self.address = address
        self.linkLocal = linkLocal
    }

    /// The address, and the link-local address after a comma.
    package var description: String { "\(address)" + (linkLocal.map { ",\($0)" } ?? "") }
}
