import NetTypes

/// The values of the attributes that need no more than a few lines each: reading and writing, by row of the table.
enum AttributeValue {
    // MARK: RFC 4271 §5.1

    static func decodeOrigin(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        var cursor = value
        guard value.remaining == 1, let code = cursor.readUInt8() else { throw .length(value.remaining) }
        guard let origin = Origin(rawValue: code) else {
            throw MalformedAttribute(UpdateSubcode.invalidOrigin, "value \(code)")
        }
        list.attributes.origin = origin
    }

    static func encodeOrigin(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        [outbound.attributes.origin.rawValue]
    }

    static func decodeNextHop(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        let address = IPv4Address(rawValue: try only32(value))
        guard address.isUnicastHost else {
            throw MalformedAttribute(UpdateSubcode.invalidNextHop, "\(address) is not a host")
        }
        list.nextHop = address
    }

    static func encodeNextHop(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        outbound.nextHop?.bytes
    }

    static func decodeMED(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        list.attributes.med = try only32(value)
    }

    static func encodeMED(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        outbound.attributes.med.map(octets)
    }

    static func decodeLocalPref(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        list.attributes.localPref = try only32(value)
    }

    static func encodeLocalPref(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        outbound.attributes.localPref.map(octets)
    }

    static func decodeAtomicAggregate(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        guard value.isAtEnd else { throw .length(value.remaining) }
        list.attributes.isAtomicAggregate = true
    }

    static func encodeAtomicAggregate(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        outbound.attributes.isAtomicAggregate ? [] : nil
    }

    // MARK: RFC 1997, RFC 4360, RFC 8092

    static func decodeCommunities(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        list.attributes.communities = try all32(value).map(Community.init(rawValue:))
    }

    static func encodeCommunities(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        listed(outbound.attributes.communities.lazy.map(\.rawValue))
    }

    static func decodeExtendedCommunities(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        guard !value.isAtEnd, value.remaining.isMultiple(of: 8) else { throw .length(value.remaining) }
        var cursor = value
        var communities: [ExtendedCommunity] = []
        while let number = cursor.readUInt64() { communities.append(ExtendedCommunity(rawValue: number)) }
        list.attributes.extendedCommunities = communities
    }

    /// Those that are not transitive stay inside the AS (RFC 4360 §6).
    static func encodeExtendedCommunities(_ outbound: OutboundAttributes, _ context: WireContext) -> [UInt8]? {
        listed(
            outbound.attributes.extendedCommunities.lazy.filter { context.isIBGP || $0.isTransitive }.map(\.rawValue))
    }

    static func decodeLargeCommunities(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        guard !value.isAtEnd, value.remaining.isMultiple(of: 12) else { throw .length(value.remaining) }
        var cursor = value
        var communities: [LargeCommunity] = []
        while let first = cursor.readUInt32(), let second = cursor.readUInt32(), let third = cursor.readUInt32() {
            communities.append(LargeCommunity(first, second, third))
        }
        list.attributes.largeCommunities = communities
    }

    static func encodeLargeCommunities(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        listed(
            outbound.attributes.largeCommunities.lazy.flatMap {
                [$0.globalAdministrator, $0.localData1, $0.localData2]
            })
    }

    // MARK: RFC 4456 §8

    static func decodeOriginatorID(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        guard let originator = RouterID(rawValue: try only32(value)) else {
            throw MalformedAttribute(UpdateSubcode.optionalAttribute, "0.0.0.0")
        }
        list.attributes.originatorID = originator
    }

    static func encodeOriginatorID(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        outbound.attributes.originatorID.map { octets($0.rawValue) }
    }

    static func decodeClusterList(
        _ value: ByteCursor, into list: inout AttributeList, _: WireContext
    ) throws(MalformedAttribute) {
        list.attributes.clusterList = try all32(value).map(ClusterID.init(rawValue:))
    }

    static func encodeClusterList(_ outbound: OutboundAttributes, _: WireContext) -> [UInt8]? {
        listed(outbound.attributes.clusterList.lazy.map(\.rawValue))
    }

    // MARK: Steps

    private static func only32(_ value: ByteCursor) throws(MalformedAttribute) -> UInt32 {
        var cursor = value
        guard value.remaining == 4, let number = cursor.readUInt32() else { throw .length(value.remaining) }
        return number
    }

    private static func all32(_ value: ByteCursor) throws(MalformedAttribute) -> [UInt32] {
        guard !value.isAtEnd, value.remaining.isMultiple(of: 4) else { throw .length(value.remaining) }
        var cursor = value
        var numbers: [UInt32] = []
        while let number = cursor.readUInt32() { numbers.append(number) }
        return numbers
    }

    private static func octets(_ number: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: number)
        return bytes
    }

    /// The numbers one after the other; nil for none, because an empty list is not a valid attribute.
    private static func listed<Number: FixedWidthInteger & UnsignedInteger>(
        _ numbers: some Sequence<Number>
    ) -> [UInt8]? {
        var bytes: [UInt8] = []
        for number in numbers { bytes.append(bigEndian: number) }
        return bytes.isEmpty ? nil : bytes
    }
}
