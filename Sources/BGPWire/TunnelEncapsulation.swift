/// The value of the tunnel encapsulation attribute (RFC 9012 §2): tunnels to the egress of a route, in the order of the
/// attribute.
///
/// On the way in the attribute is only checked, and kept as bytes in `PathAttributes.unknown`: a reflector passes on what
/// it does not understand, unknown tunnels and sub-TLVs among it. Whoever uses a tunnel parses those bytes.
package struct TunnelEncapsulation: Sendable, Hashable {
    /// The type code of the attribute.
    package static let attributeType: UInt8 = AttributeType.tunnelEncapsulation

    /// One tunnel.
    package struct Tunnel: Sendable, Hashable {
        /// The tunnel type: `TunnelType`'s numbers.
        package var type: UInt16
        /// The sub-TLVs in the order of the attribute.
        package var subTLVs: [SubTLV]

        /// Makes a tunnel.
        package init(type: UInt16, subTLVs: [SubTLV]) {
            self.type = type
            self.subTLVs = subTLVs
        }
    }

    /// One sub-TLV, as bytes.
    package struct SubTLV: Sendable, Hashable {
        /// The sub-TLV type: `SubTLVType`'s numbers.
        package var type: UInt8
        /// The value.
        package var value: [UInt8]

        /// Makes a sub-TLV.
        package init(type: UInt8, value: [UInt8]) {
            self.type = type
            self.value = value
        }
    }

    /// The tunnels.
    package var tunnels: [Tunnel]

    /// Makes the value of an attribute.
    package init(tunnels: [Tunnel]) {
        self.tunnels = tunnels
    }

    /// Reads the value of an attribute; nil when a TLV or sub-TLV does not end where the one around it does
    /// (RFC 9012 §13).
    package init?(parsing value: some Collection<UInt8>) {
        let bytes = Array(value)
        guard let tunnels = Self.readTunnels(ByteCursor(bytes[...])) else { return nil }
        self.init(tunnels: tunnels)
    }

    /// The attribute.
    package var attribute: RawAttribute {
        RawAttribute(flags: [.optional, .transitive], type: Self.attributeType, value: bytes)
    }

    /// The bytes of the value.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for tunnel in tunnels {
            let body = tunnel.subTLVs.flatMap(\.bytes)
            bytes.append(bigEndian: tunnel.type)
            bytes.append(bigEndian: UInt16(truncatingIfNeeded: body.count))
            bytes.append(contentsOf: body)
        }
        return bytes
    }

    /// The row of the attribute table. A value whose TLVs do not nest is malformed; one without a tunnel tells nothing
    /// and is discarded (RFC 9012 §13).
    static func check(
        _ value: ByteCursor, into list: inout AttributeList, _ context: WireContext
    ) throws(MalformedAttribute) {
        guard let tunnels = readTunnels(value) else {
            throw MalformedAttribute(UpdateSubcode.optionalAttribute, "a TLV does not end with what is around it")
        }
        guard !tunnels.isEmpty else {
            throw MalformedAttribute(UpdateSubcode.optionalAttribute, "no tunnel", action: .attributeDiscard)
        }
    }

    private static func readTunnels(_ value: ByteCursor) -> [Tunnel]? {
        var cursor = value
        var tunnels: [Tunnel] = []
        while !cursor.isAtEnd {
            guard let type = cursor.readUInt16(), let length = cursor.readUInt16(),
                var body = cursor.readCursor(Int(length)), let subTLVs = readSubTLVs(&body)
            else { return nil }
            tunnels.append(Tunnel(type: type, subTLVs: subTLVs))
        }
        return tunnels
    }

    private static func readSubTLVs(_ cursor: inout ByteCursor) -> [SubTLV]? {
        var subTLVs: [SubTLV] = []
        while let type = cursor.readUInt8() {
            let length = type < SubTLV.longTypes ? cursor.readUInt8().map(Int.init) : cursor.readUInt16().map(Int.init)
            guard let length, let value = cursor.readBytes(length) else { return nil }
            subTLVs.append(SubTLV(type: type, value: Array(value)))
        }
        return subTLVs
    }
}

extension TunnelEncapsulation.SubTLV {
    /// From this type on the length has two octets (RFC 9012 §2).
    fileprivate static let longTypes: UInt8 = 128

    /// Type, length and value; a value that the length octets cannot tell is cut.
    fileprivate var bytes: [UInt8] {
        var bytes = [type]
        if type < Self.longTypes {
            let cut = value.prefix(255)
            bytes.append(UInt8(truncatingIfNeeded: cut.count))
            return bytes + cut
        }
        let cut = value.prefix(Int(UInt16.max))
        bytes.append(bigEndian: UInt16(truncatingIfNeeded: cut.count))
        return bytes + cut
    }
}

/// The tunnel types that Apus makes (IANA's BGP Tunnel Encapsulation Attribute Tunnel Types).
package enum TunnelType {
    /// IP in IP (RFC 2003).
    package static let ipInIP: UInt16 = 7
    /// VXLAN (RFC 7348).
    package static let vxlan: UInt16 = 8
}

/// The sub-TLV types that Apus reads and writes (RFC 9012 §3).
package enum SubTLVType {
    /// Encapsulation (§3.2): the header's fields, by tunnel type.
    package static let encapsulation: UInt8 = 1
    /// Tunnel Egress Endpoint (§3.1).
    package static let egressEndpoint: UInt8 = 6
    /// UDP Destination Port (§3.3.2).
    package static let udpDestinationPort: UInt8 = 8
    /// Reserved for experiments (§14.4): the tunnel's inner address, behind the letters APUS.
    package static let innerAddress: UInt8 = 126
}
