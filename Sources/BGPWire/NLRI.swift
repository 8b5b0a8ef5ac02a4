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
        var cursor = ByteCursor(bytes)
        while let length = cursor.readUInt8() {
            guard length <= family.bitWidth, let octets = cursor.readBytes((Int(length) + 7) / 8) else { return nil }
            prefixes.append(IPPrefix(masking: address(octets, family: family), length: length))
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
        var value: UInt64 = 0
        var shift: UInt64 = 64
        for octet in octets {
            shift -= 8
            value |= UInt64(octet) << shift
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
