package import NetTypes

/// An address family and what is said of it: AFI and SAFI (RFC 4760 §3).
@frozen
package struct AFISAFI: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The address family identifier: 1 is IPv4, 2 is IPv6.
    package let afi: UInt16
    /// The subsequent address family identifier: 1 is unicast.
    package let safi: UInt8

    /// IPv4 unicast: 1/1.
    package static let ipv4Unicast = AFISAFI(afi: 1, safi: 1)
    /// IPv6 unicast: 2/1.
    package static let ipv6Unicast = AFISAFI(afi: 2, safi: 1)

    /// Makes the pair; any numbers are representable, because a peer may name families that Apus does not carry.
    @inlinable package init(afi: UInt16, safi: UInt8) {
        self.afi = afi
        self.safi = safi
    }

    /// The unicast pair of a family.
    @inlinable package init(_ family: AddressFamily) {
        switch family {
        case .ipv4: self.init(afi: 1, safi: 1)
        case .ipv6: self.init(afi: 2, safi: 1)
        }
    }

    /// The family whose unicast prefixes this pair carries; nil for every pair that Apus does not carry.
    @inlinable package var family: AddressFamily? {
        switch (afi, safi) {
        case (1, 1): .ipv4
        case (2, 1): .ipv6
        default: nil
        }
    }

    /// `ipv4-unicast`, `ipv6-unicast`, or `afi/safi` in numbers.
    package var description: String {
        switch family {
        case .ipv4: "ipv4-unicast"
        case .ipv6: "ipv6-unicast"
        case nil: "\(afi)/\(safi)"
        }
    }

    @inlinable package static func < (left: AFISAFI, right: AFISAFI) -> Bool {
        (left.afi, left.safi) < (right.afi, right.safi)
    }
}
