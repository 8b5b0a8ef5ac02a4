import NetTypes

/// The path attributes of one UPDATE on their way out.
struct OutboundAttributes: Sendable, Equatable {
    /// The attributes.
    let attributes: PathAttributes
    /// NEXT_HOP; nil where MP_REACH_NLRI holds the next hop.
    let nextHop: IPv4Address?

    /// The bytes of all of them in the order of their types, those that Apus does not know in their places.
    func encode(_ context: WireContext) -> [UInt8] {
        var bytes: [UInt8] = []
        var unknown = attributes.unknown.filter { AttributeDescriptor.row(of: $0.type)?.isKeptAsBytes ?? true }[...]
        if unknown.count > 1 { unknown.sort { $0.type < $1.type } }
        for row in AttributeDescriptor.rows where !row.isInternal || context.isIBGP {
            while let next = unknown.first, next.type < row.type {
                Self.append(next.flags, next.type, next.value, to: &bytes)
                unknown.removeFirst()
            }
            if let value = row.encode(self, context) { Self.append(flags(of: row), row.type, value, to: &bytes) }
        }
        for rest in unknown { Self.append(rest.flags, rest.type, rest.value, to: &bytes) }
        return bytes
    }

    private func flags(of row: AttributeDescriptor) -> AttributeFlags {
        if attributes.partial.isEmpty { return row.flags }
        let isPartial = !attributes.partial.isDisjoint(with: PartialAttributes(type: row.type))
        return isPartial ? row.flags.union(.partial) : row.flags
    }

    /// Appends one attribute, its length in two octets where one is too few (RFC 4271 §4.3). A value above 65535
    /// octets fits into no message: its length is cut, and the caller finds that the whole is too long.
    static func append(_ flags: AttributeFlags, _ type: UInt8, _ value: [UInt8], to bytes: inout [UInt8]) {
        if let octets = UInt8(exactly: value.count) {
            bytes.append(contentsOf: [flags.rawValue, type, octets])
        } else {
            bytes.append(contentsOf: [flags.union(.extendedLength).rawValue, type])
            bytes.append(bigEndian: UInt16(truncatingIfNeeded: value.count))
        }
        bytes.append(contentsOf: value)
    }
}
