import NetTypes

/// Network layer reachability information: prefixes as a length in bits and as many octets as hold them
/// (RFC 4271 §4.3, RFC 4760 §5).
enum NLRI {
    /// Prefixes with the path identifier of each (RFC 7911 §3), or without any.
    struct Paths: Sendable {
        var prefixes: [IPPrefix] = []
        var ids: [UInt32] = []
    }

    /// The most octets that a prefix of the family takes, a path identifier with it.
    static func maximumOctets(_ family: AddressFamily) -> Int { pathIDOctets + 1 + Int(family.bitWidth) / 8 }

    /// The octets of a path identifier.
    static let pathIDOctets = 4

    /// Reads all prefixes; nil when a length is above the family's width or beyond the end (RFC 7606 §5.3). Bits
    /// beyond a prefix's length are of no account (RFC 4271 §4.3).
    static func decode(_ bytes: ArraySlice<UInt8>, family: AddressFamily) -> [IPPrefix]? {
        var prefixes: [IPPrefix] = []
        prefixes.reserveCapacity(bytes.count / 4)
        // Without a cursor and its slices: each takes a reference to the bytes, and there is one prefix after the other.
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let length = bytes[place]
            let octets = (Int(length) + 7) / 8
            guard length <= family.bitWidth, octets < bytes.endIndex - place else { return nil }
            let high = leading(bytes, place + 1, min(octets, 8))
            let address: IPAddress =
                switch family {
                case .ipv4: .v4(IPv4Address(rawValue: UInt32(truncatingIfNeeded: high >> 32)))
                case .ipv6: .v6(IPv6Address(high: high, low: leading(bytes, place + 9, octets - 8)))
                }
            prefixes.append(IPPrefix(masking: address, length: length))
            place += 1 + octets
        }
        return prefixes
    }

    /// Reads all prefixes, each behind a path identifier where `context` says so; nil as above.
    static func decode(_ bytes: ArraySlice<UInt8>, family: AddressFamily, context: WireContext) -> Paths? {
        guard context.pathIDsIn.contains(family) else {
            return decode(bytes, family: family).map { Paths(prefixes: $0) }
        }
        var paths = Paths()
        var cursor = ByteCursor(bytes)
        while !cursor.isAtEnd {
            guard let id = cursor.readUInt32(), let length = cursor.readUInt8(), length <= family.bitWidth,
                let octets = cursor.readBytes((Int(length) + 7) / 8)
            else { return nil }
            paths.ids.append(id)
            paths.prefixes.append(IPPrefix(masking: address(octets, family: family), length: length))
        }
        return paths
    }

    /// Appends a prefix.
    static func encode(_ prefix: IPPrefix, into bytes: inout [UInt8]) {
        bytes.append(prefix.length)
        // What a cluster announces nearly always.
        if case .v4(let address) = prefix.address, prefix.length > 24 {
            let value = address.rawValue
            bytes.append(UInt8(truncatingIfNeeded: value >> 24))
            bytes.append(UInt8(truncatingIfNeeded: value >> 16))
            bytes.append(UInt8(truncatingIfNeeded: value >> 8))
            bytes.append(UInt8(truncatingIfNeeded: value))
            return
        }
        var octets = (Int(prefix.length) + 7) / 8
        switch prefix.address {
        case .v4(let address):
            append(UInt64(address.rawValue) << 32, octets: octets, into: &bytes)
        case .v6(let address):
            append(address.high, octets: min(octets, 8), into: &bytes)
            octets -= min(octets, 8)
            append(address.low, octets: octets, into: &bytes)
        }
    }

    private static func address(_ octets: ArraySlice<UInt8>, family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4:
            return .v4(IPv4Address(rawValue: UInt32(truncatingIfNeeded: leading(octets) >> 32)))
        case .ipv6:
            return .v6(IPv6Address(high: leading(octets.prefix(8)), low: leading(octets.dropFirst(8))))
        }
    }

    /// Up to eight octets as the most significant ones of a number.
    private static func leading(_ octets: ArraySlice<UInt8>) -> UInt64 {
        leading(octets, octets.startIndex, octets.count)
    }

    /// So many octets, eight at most and none if it is below zero, from a place that they reach to.
    private static func leading(_ octets: ArraySlice<UInt8>, _ place: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 64
        var place = place
        while shift > 64 - 8 * UInt64(max(0, count)) {
            shift -= 8
            value |= UInt64(octets[place]) << shift
            place += 1
        }
        return value
    }

    private static func append(_ value: UInt64, octets: Int, into bytes: inout [UInt8]) {
        var rest = value
        for _ in 0..<octets {
            bytes.append(UInt8(truncatingIfNeeded: rest >> 56))
            rest <<= 8
        }
    }
}
