import BGPWire
import NetTypes

/// A fast hash of attributes, for tables that compare the sets themselves when it agrees.
///
/// It is not keyed: a peer that sends sets which collide on purpose slows its own import down, as in any other speaker.
struct AttributeDigest {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The digest of what was taken in.
    var value: UInt32 {
        var value = state
        value = (value ^ (value >> 33)) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ (value >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return UInt32(truncatingIfNeeded: value >> 32)
    }

    /// Takes a number in.
    @inline(__always)
    mutating func combine(_ number: UInt64) {
        state = (state ^ number) &* 0x9fb2_1c65_1e98_df25
        state ^= state >> 29
    }

    /// Takes a number in that may be absent.
    @inline(__always)
    mutating func combine(_ number: UInt32?) { combine(number.map(UInt64.init) ?? .max) }

    /// Takes an address in.
    mutating func combine(_ address: IPAddress) {
        switch address {
        case .v4(let address): combine(UInt64(address.rawValue))
        case .v6(let address):
            combine(address.high)
            combine(address.low)
        }
    }
}

extension AttributeSet {
    /// A digest of the set. Equal sets have equal ones; fields that nearly never differ alone are left out.
    var digest: UInt32 {
        var digest = AttributeDigest()
        if let nextHop { digest.combine(nextHop.address) }
        digest.combine(UInt64(attributes.origin.rawValue) << 32 | UInt64(attributes.communities.count))
        digest.combine(attributes.med)
        digest.combine(attributes.localPref)
        digest.combine(attributes.originatorID?.rawValue)
        for segment in attributes.asPath.segments {
            switch segment {
            case .sequence(let numbers), .set(let numbers):
                for number in numbers { digest.combine(UInt64(number.rawValue)) }
            }
        }
        for community in attributes.communities { digest.combine(UInt64(community.rawValue)) }
        for community in attributes.extendedCommunities { digest.combine(community.rawValue) }
        for community in attributes.largeCommunities {
            digest.combine(UInt64(community.localData1) << 32 | UInt64(community.localData2))
        }
        for cluster in attributes.clusterList { digest.combine(UInt64(cluster.rawValue)) }
        for attribute in attributes.unknown {
            digest.combine(UInt64(attribute.type))
            for octet in attribute.value { digest.combine(UInt64(octet)) }
        }
        return digest.value
    }
}
