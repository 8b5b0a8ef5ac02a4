package import NetTypes

/// What an UPDATE says of its routes, apart from prefixes and next hops. Equal values mean equal bytes on the wire.
package struct PathAttributes: Sendable, Hashable {
    /// ORIGIN (RFC 4271 §5.1.1).
    package var origin: Origin
    /// AS_PATH (RFC 4271 §5.1.2), AS4_PATH merged in.
    package var asPath: ASPath
    /// MULTI_EXIT_DISC (RFC 4271 §5.1.4).
    package var med: UInt32?
    /// LOCAL_PREF (RFC 4271 §5.1.5); neither sent to nor taken from an external peer.
    package var localPref: UInt32?
    /// ATOMIC_AGGREGATE (RFC 4271 §5.1.6).
    package var isAtomicAggregate: Bool
    /// Those of the others, known ones, that have passed a speaker which did not know them.
    package var partial: PartialAttributes = []
    /// AGGREGATOR (RFC 4271 §5.1.7), AS4_AGGREGATOR merged in.
    package var aggregator: Aggregator?
    /// COMMUNITIES (RFC 1997), in the order of the message.
    package var communities: [Community]
    /// EXTENDED COMMUNITIES (RFC 4360), in the order of the message.
    package var extendedCommunities: [ExtendedCommunity]
    /// LARGE_COMMUNITY (RFC 8092), in the order of the message.
    package var largeCommunities: [LargeCommunity]
    /// ORIGINATOR_ID (RFC 4456 §8); neither sent to nor taken from an external peer.
    package var originatorID: RouterID?
    /// CLUSTER_LIST (RFC 4456 §8), the nearest reflector first; neither sent to nor taken from an external peer.
    package var clusterList: [ClusterID]
    /// Optional transitive attributes that Apus does not know, by type; those received have the Partial bit set
    /// (RFC 4271 §9). The tunnel encapsulation is among them, checked and unchanged. Sent as they are.
    package var unknown: [RawAttribute]

    /// Makes the attributes of a route; the defaults are those of a route of the own AS.
    package init(
        origin: Origin = .igp,
        asPath: ASPath = ASPath(),
        med: UInt32? = nil,
        localPref: UInt32? = nil,
        isAtomicAggregate: Bool = false,
        aggregator: Aggregator? = nil,
        communities: [Community] = [],
        extendedCommunities: [ExtendedCommunity] = [],
        largeCommunities: [LargeCommunity] = [],
        originatorID: RouterID? = nil,
        clusterList: [ClusterID] = [],
        unknown: [RawAttribute] = [],
    ) {
        self.origin = origin
        self.asPath = asPath
        self.med = med
        self.localPref = localPref
        self.isAtomicAggregate = isAtomicAggregate
        self.aggregator = aggregator
        self.communities = communities
        self.extendedCommunities = extendedCommunities
        self.largeCommunities = largeCommunities
        self.originatorID = originatorID
        self.clusterList = clusterList
        self.unknown = unknown
    }
}

/// Where a route came into BGP (RFC 4271 §5.1.1). A lower value is preferred.
@frozen
package enum Origin: UInt8, Sendable, Hashable, Comparable, CustomStringConvertible {
    case igp = 0
    case egp = 1
    case incomplete = 2

    /// The words of RFC 4271 §4.3.
    package var description: String {
        switch self {
        case .igp: "IGP"
        case .egp: "EGP"
        case .incomplete: "INCOMPLETE"
        }
    }

    @inlinable package static func < (left: Origin, right: Origin) -> Bool { left.rawValue < right.rawValue }
}

/// Who aggregated a route (RFC 4271 §5.1.7).
@frozen
package struct Aggregator: Sendable, Hashable {
    /// The AS of the aggregating speaker.
    package let asNumber: ASNumber
    /// Its address.
    package let address: IPv4Address

    /// Joins the two.
    @inlinable package init(asNumber: ASNumber, address: IPv4Address) {
        self.asNumber = asNumber
        self.address = address
    }
}

/// A cluster of a route reflector and its clients (RFC 4456 §7): four octets, by custom the reflector's identifier.
@frozen
package struct ClusterID: Sendable, Hashable, CustomStringConvertible {
    /// The identifier as a number in host byte order.
    package let rawValue: UInt32

    /// Makes an identifier.
    @inlinable package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The identifier that a reflector has when none is configured.
    @inlinable package init(_ bgpID: RouterID) {
        self.rawValue = bgpID.rawValue
    }

    /// Dotted-quad text.
    package var description: String { IPv4Address(rawValue: rawValue).description }
}

/// An attribute kept as bytes.
package struct RawAttribute: Sendable, Hashable {
    /// The flags of RFC 4271 §4.3 without Extended Length, which follows from the length of the value.
    package let flags: AttributeFlags
    /// The type code.
    package let type: UInt8
    /// The value.
    package let value: [UInt8]

    /// Makes an attribute.
    package init(flags: AttributeFlags, type: UInt8, value: [UInt8]) {
        self.flags = flags.subtracting(.extendedLength)
        self.type = type
        self.value = value
    }
}

/// The known attributes that bear the Partial bit (RFC 4271 §4.3): once it is set, nobody sets it back (§5).
@frozen
package struct PartialAttributes: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    @inlinable package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The attribute of a type; none for one that is not optional transitive, or is carried with its flags as it came.
    init(type: UInt8) {
        switch type {
        case 7: rawValue = 1
        case 8: rawValue = 1 << 1
        case 16: rawValue = 1 << 2
        case 17: rawValue = 1 << 3
        case 18: rawValue = 1 << 4
        case 32: rawValue = 1 << 5
        default: rawValue = 0
        }
    }
}

/// The high bits of an attribute's first octet (RFC 4271 §4.3).
@frozen
package struct AttributeFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    @inlinable package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The attribute is optional; a well-known one otherwise.
    package static let optional = AttributeFlags(rawValue: 0x80)
    /// It is passed on by those who do not know it.
    package static let transitive = AttributeFlags(rawValue: 0x40)
    /// It has passed a speaker that did not know it.
    package static let partial = AttributeFlags(rawValue: 0x20)
    /// Its length has two octets.
    package static let extendedLength = AttributeFlags(rawValue: 0x10)
}
