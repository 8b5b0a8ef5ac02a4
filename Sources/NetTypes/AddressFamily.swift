/// The two network-layer protocols Apus carries.
@frozen @usableFromInline
package enum AddressFamily: String, Sendable, Hashable, CaseIterable {
    case ipv4
    case ipv6

    /// By the case: the names, which are the raw values, are much to hash.
    @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(self == .ipv4) }

    /// The number of bits in an address of this family: 32 or 128.
    @inlinable package var bitWidth: UInt8 {
        switch self {
        case .ipv4: 32
        case .ipv6: 128
        }
    }

    /// The family of `address`.
    @inlinable package init(of address: IPAddress) {
        switch address {
        case .v4: self = .ipv4
        case .v6: self = .ipv6
        }
    }
}
