/// A network: an address whose bits beyond the length are zero, and the length.
@frozen @usableFromInline
package struct IPPrefix: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first address of the network.
    @usableFromInline package let address: IPAddress
    /// The number of leading bits that are fixed: 0...32 or 0...128.
    @usableFromInline package let length: UInt8

    /// The network that `address` lies in, its host bits cleared. A length above the family's width is cut to it.
    @inlinable package init(masking address: IPAddress, length: UInt8) {
        let length = min(length, AddressFamily(of: address).bitWidth)
        self.length = length
        switch address {
        case .v4(let address):
            self.address = .v4(IPv4Address(rawValue: address.rawValue & Self.mask32(length)))
        case .v6(let address):
            self.address = .v6(
                IPv6Address(
                    high: address.high & Self.mask64(length),
                    low: address.low & Self.mask64(length > 64 ? length - 64 : 0),
                ))
        }
    }

    /// The network of `length` bits whose address this is, for whoever has taken both from one: no bit beyond the length is
    /// set, which is not looked at again.
    @inlinable package init(stored address: IPv4Address, length: UInt8) {
        self.address = .v4(address)
        self.length = length
    }

    /// Parses `ADDRESS/LENGTH`. Host bits that are set are refused: `CIDRAddress` is the type that keeps them.
    @inlinable package init?(_ text: some StringProtocol) { self.init(parsing: String(text)) }

    @usableFromInline init?(parsing text: String) {
        guard let parsed = CIDRAddress(text), parsed.network.address == parsed.address else { return nil }
        self = parsed.network
    }

    /// The family of the network.
    @inlinable package var family: AddressFamily { address.family }

    /// Whether the network holds one address only.
    @inlinable package var isHost: Bool { length == family.bitWidth }

    /// `ADDRESS/LENGTH`.
    @usableFromInline package var description: String { "\(address)/\(length)" }

    /// Whether `other` lies in the network.
    @inlinable package func contains(_ other: IPAddress) -> Bool {
        other.family == family && IPPrefix(masking: other, length: length).address == address
    }

    /// Whether `other` is the network or a part of it.
    @inlinable package func contains(_ other: IPPrefix) -> Bool {
        other.length >= length && contains(other.address)
    }

    /// Whether the two share an address.
    @inlinable package func overlaps(_ other: IPPrefix) -> Bool {
        contains(other) || other.contains(self)
    }

    /// One number for IPv4: what is hashed most is hashed in one go.
    @inlinable package func hash(into hasher: inout Hasher) {
        switch address {
        case .v4(let address):
            hasher.combine(UInt64(address.rawValue) << 8 | UInt64(length))
        case .v6(let address):
            hasher.combine(address.high)
            hasher.combine(address.low)
            hasher.combine(length)
        }
    }

    @inlinable package static func < (left: IPPrefix, right: IPPrefix) -> Bool {
        (left.address, left.length) < (right.address, right.length)
    }

    @inlinable static func mask32(_ length: UInt8) -> UInt32 {
        length == 0 ? 0 : UInt32.max << UInt32(32 - min(length, 32))
    }

    @inlinable static func mask64(_ length: UInt8) -> UInt64 {
        length == 0 ? 0 : UInt64.max << UInt64(64 - min(length, 64))
    }
}

extension IPPrefix {
    /// The number of addresses, at most `UInt64.max`.
    package var addressCount: UInt64 {
        let hostBits = family.bitWidth - length
        return hostBits >= 64 ? .max : 1 << UInt64(hostBits)
    }

    /// The address at `ordinal`, counted from the first; nil beyond the last.
    package func address(at ordinal: UInt64) -> IPAddress? {
        guard ordinal < addressCount else { return nil }
        switch address {
        case .v4(let first):
            return .v4(IPv4Address(rawValue: first.rawValue + UInt32(ordinal)))
        case .v6(let first):
            return .v6(IPv6Address(high: first.high, low: first.low + ordinal))
        }
    }

    /// The place of `other` in the network, counted from the first address; nil outside of it.
    package func ordinal(of other: IPAddress) -> UInt64? {
        guard contains(other) else { return nil }
        switch (address, other) {
        case (.v4(let first), .v4(let other)): return UInt64(other.rawValue - first.rawValue)
        case (.v6(let first), .v6(let other)): return other.high == first.high ? other.low - first.low : nil
        default: return nil
        }
    }
}
