/// A key whose own hash is good enough for a table of this process: every bit of it depends on every bit of the key.
/// It costs a few instructions where Swift's `Hasher` costs a hundred.
@usableFromInline
package protocol SpreadKey: Equatable, Sendable {
    /// The hash.
    var spread: UInt32 { get }
}

extension IPPrefix: SpreadKey {
    /// A hash of address and length.
    @inlinable @inline(__always)
    package var spread: UInt32 {
        switch address {
        case .v4(let address):
            return UInt32(truncatingIfNeeded: (UInt64(address.rawValue) << 8 | UInt64(length)).mixed >> 32)
        case .v6(let address):
            return UInt32(truncatingIfNeeded: (address.high ^ (address.low ^ UInt64(length)).mixed).mixed >> 32)
        }
    }
}

extension UInt64 {
    /// A number every bit of which depends on every bit of this one (the finalizer of MurmurHash3).
    @inlinable @inline(__always)
    package var mixed: UInt64 {
        var value = self
        value = (value ^ (value >> 33)) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ (value >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ (value >> 33)
    }
}
