import NetTypes

/// MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760 §3, §4) with the next hops of RFC 2545 §3.
enum MultiprotocolValue {
    static func decodeReach(
        _ value: ByteCursor, into list: inout AttributeList, _ context: WireContext
    ) throws(MalformedAttribute) {
        var cursor = value
        guard let family = readFamily(&cursor), let octets = cursor.readUInt8(),
            let nextHop = cursor.readBytes(Int(octets)), cursor.readUInt8() != nil
        else { throw truncated(value) }
        guard let addressFamily = family.family else {
            list.hasForeignReach = !cursor.isAtEnd
            throw notCarried(family)
        }
        guard let paths = NLRI.decode(cursor.rest, family: addressFamily, context: context) else {
            throw badPrefix(family)
        }
        list.reach = (family, paths)
        // RFC 8950 §3: the length of the next hop tells its family.
        let isForeign = addressFamily == .ipv4 && context.ipv6NextHopsForIPv4 && nextHop.count >= 16
        list.reachNextHop = try decodeNextHop(nextHop, family: isForeign ? .ipv6 : addressFamily)
    }

    static func decodeUnreach(
        _ value: ByteCursor, into list: inout AttributeList, _ context: WireContext
    ) throws(MalformedAttribute) {
        var cursor = value
        guard let family = readFamily(&cursor) else { throw truncated(value) }
        if cursor.isAtEnd {
            list.unreach = UpdateMessage.Unreach(family: family, prefixes: [])
            return
        }
        guard let addressFamily = family.family else { throw notCarried(family) }
        guard let paths = NLRI.decode(cursor.rest, family: addressFamily, context: context) else {
            throw badPrefix(family)
        }
        list.unreach = UpdateMessage.Unreach(family: family, prefixes: paths.prefixes, pathIDs: paths.ids)
    }

    /// What stands before the prefixes in MP_REACH_NLRI.
    static func reachHead(_ family: AFISAFI, _ nextHop: NextHop) -> [UInt8] {
        let octets = nextHop.address.bytes + (nextHop.linkLocal?.bytes ?? [])
        return unreachHead(family) + [UInt8(octets.count)] + octets + [0]
    }

    /// What stands before the prefixes in MP_UNREACH_NLRI.
    static func unreachHead(_ family: AFISAFI) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: family.afi)
        bytes.append(family.safi)
        return bytes
    }

    /// A wrong length ends the session, because the prefixes behind it cannot be trusted (RFC 7606 §7.11); a wrong
    /// address concerns its routes alone.
    private static func decodeNextHop(
        _ octets: ArraySlice<UInt8>, family: AddressFamily
    ) throws(MalformedAttribute) -> NextHop {
        let width = Int(family.bitWidth) / 8
        guard octets.count == width || family == .ipv6 && octets.count == 2 * width,
            let first = IPAddress(bytes: octets.prefix(width))
        else {
            throw MalformedAttribute(UpdateSubcode.optionalAttribute, "next hop of \(octets.count) octets")
        }
        var linkLocal: IPv6Address?
        if case .v6(let second)? = IPAddress(bytes: octets.dropFirst(width)), second.isLinkLocal { linkLocal = second }
        // Speakers without a global address on the link send :: or the link-local address twice.
        if let second = linkLocal, first == .v6(IPv6Address(high: 0, low: 0)) || first == .v6(second) {
            return NextHop(.v6(second))
        }
        guard first.isUnicastHost else {
            throw MalformedAttribute(
                UpdateSubcode.invalidNextHop, "next hop \(first) is not a host", action: .treatAsWithdraw)
        }
        return NextHop(first, linkLocal: linkLocal)
    }

    private static func readFamily(_ cursor: inout ByteCursor) -> AFISAFI? {
        guard let afi = cursor.readUInt16(), let safi = cursor.readUInt8() else { return nil }
        return AFISAFI(afi: afi, safi: safi)
    }

    private static func truncated(_ value: ByteCursor) -> MalformedAttribute {
        MalformedAttribute(UpdateSubcode.optionalAttribute, "\(value.remaining) octets do not hold its fields")
    }

    private static func badPrefix(_ family: AFISAFI) -> MalformedAttribute {
        MalformedAttribute(UpdateSubcode.optionalAttribute, "malformed prefix of \(family)")
    }

    private static func notCarried(_ family: AFISAFI) -> MalformedAttribute {
        MalformedAttribute(UpdateSubcode.optionalAttribute, "\(family) is not carried", action: .afiSafiDisable)
    }
}
