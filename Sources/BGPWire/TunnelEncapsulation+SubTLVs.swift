package import NetTypes

// What the sub-TLVs of a tunnel say. Of two of one type the first counts (RFC 9012 §13); one whose value is malformed
// reads as absent, and the tunnel is the caller's to leave alone where the value is needed.
extension TunnelEncapsulation.Tunnel {
    /// The header fields of a VXLAN tunnel (RFC 9012 §3.2.1).
    package struct VXLAN: Sendable, Hashable {
        /// The network identifier, if the V bit says that there is one: 24 bits.
        package let vni: UInt32?
        /// The Ethernet address of the egress, if the M bit says that there is one.
        package let mac: MACAddress?

        /// Makes the fields; a VNI above 24 bits is none.
        package init(vni: UInt32?, mac: MACAddress?) {
            self.vni = vni.flatMap { $0 <= 0xff_ffff ? $0 : nil }
            self.mac = mac
        }
    }

    /// Where the tunnel ends: nil when there is no endpoint, or the next hop of the route is meant (family 0).
    package var egressEndpoint: IPAddress? {
        guard let value = first(SubTLVType.egressEndpoint) else { return nil }
        var cursor = ByteCursor(value[...])
        guard cursor.readUInt32() != nil, let afi = cursor.readUInt16(), let address = IPAddress(bytes: cursor.rest)
        else { return nil }
        switch (afi, address) {
        case (1, .v4), (2, .v6): return address
        default: return nil
        }
    }

    /// The fields of the encapsulation sub-TLV of a VXLAN tunnel; nil for another tunnel and without the sub-TLV.
    package var vxlan: VXLAN? {
        guard type == TunnelType.vxlan, let value = first(SubTLVType.encapsulation), value.count == 12 else {
            return nil
        }
        var cursor = ByteCursor(value[...])
        guard let head = cursor.readUInt32(), let octets = cursor.readBytes(6) else { return nil }
        return VXLAN(
            vni: head & 0x8000_0000 == 0 ? nil : head & 0xff_ffff,
            mac: head & 0x4000_0000 == 0 ? nil : MACAddress(bytes: octets))
    }

    /// The UDP port that the egress listens on; nil without the sub-TLV.
    package var udpDestinationPort: UInt16? {
        guard let value = first(SubTLVType.udpDestinationPort), value.count == 2 else { return nil }
        var cursor = ByteCursor(value[...])
        return cursor.readUInt16()
    }

    /// The address of the egress inside the tunnel, as nodes of Apus tell each other; nil without it.
    package var innerAddress: IPAddress? {
        guard let value = first(SubTLVType.innerAddress), value.starts(with: Self.mark) else { return nil }
        return IPAddress(bytes: value.dropFirst(Self.mark.count))
    }

    /// Makes a tunnel of what its sub-TLVs say; what is nil is left out.
    package init(
        type: UInt16, egressEndpoint: IPAddress, vxlan: VXLAN? = nil, udpDestinationPort: UInt16? = nil,
        innerAddress: IPAddress? = nil,
    ) {
        self.init(type: type, subTLVs: [])
        if let vxlan {
            var value: [UInt8] = []
            let flags: UInt32 = (vxlan.vni == nil ? 0 : 0x8000_0000) | (vxlan.mac == nil ? 0 : 0x4000_0000)
            value.append(bigEndian: flags | (vxlan.vni ?? 0))
            value += (vxlan.mac?.bytes ?? [UInt8](repeating: 0, count: 6)) + [0, 0]
            subTLVs.append(.init(type: SubTLVType.encapsulation, value: value))
        }
        let afi: UInt8 = egressEndpoint.family == .ipv4 ? 1 : 2
        subTLVs.append(
            .init(type: SubTLVType.egressEndpoint, value: [0, 0, 0, 0, 0, afi] + egressEndpoint.bytes))
        if let port = udpDestinationPort {
            subTLVs.append(
                .init(type: SubTLVType.udpDestinationPort, value: [UInt8(port >> 8), UInt8(port & 0xff)]))
        }
        if let address = innerAddress {
            subTLVs.append(.init(type: SubTLVType.innerAddress, value: Self.mark + address.bytes))
        }
    }

    /// The letters APUS: others may use the experimental type for something else.
    private static let mark: [UInt8] = Array("APUS".utf8)

    private func first(_ type: UInt8) -> [UInt8]? { subTLVs.first { $0.type == type }?.value }
}
