/// One path attribute that Apus knows: a row of the table that decoding, encoding and error handling go by.
struct AttributeDescriptor: Sendable {
    /// The type code (RFC 4271 §4.3).
    let type: UInt8
    /// The name of the RFC that defines it.
    let name: String
    /// The Optional and Transitive bits that it must have (RFC 7606 §3 c).
    let flags: AttributeFlags
    /// What is done when its flags are wrong: treat-as-withdraw, unless its RFC says otherwise (RFC 7606 §3 c).
    let flagsAction: ErrorAction
    /// What is done when it is malformed (RFC 7606 §7).
    let action: ErrorAction
    /// Whether it is discarded when an external peer sends it (RFC 7606 §7.5, §7.9, §7.10), and not sent to one.
    let isInternal: Bool
    /// Whether it is checked here and otherwise carried as bytes, in `PathAttributes.unknown`.
    let isKeptAsBytes: Bool
    /// Reads the value into the list.
    let decode: @Sendable (ByteCursor, inout AttributeList, WireContext) throws(MalformedAttribute) -> Void
    /// The value to send; nil when there is nothing to send.
    let encode: @Sendable (OutboundAttributes, WireContext) -> [UInt8]?

    /// The row of a type code; nil for an attribute that Apus does not know.
    static func row(of type: UInt8) -> AttributeDescriptor? {
        byType[Int(type)]
    }

    private init(
        _ type: UInt8, _ name: String, _ flags: AttributeFlags, _ action: ErrorAction, isInternal: Bool = false,
        flagsAction: ErrorAction = .treatAsWithdraw, isKeptAsBytes: Bool = false,
        decode: @escaping @Sendable (ByteCursor, inout AttributeList, WireContext) throws(MalformedAttribute) -> Void,
        encode: @escaping @Sendable (OutboundAttributes, WireContext) -> [UInt8]?
    ) {
        (self.type, self.name, self.flags, self.action, self.isInternal) = (type, name, flags, action, isInternal)
        (self.flagsAction, self.isKeptAsBytes) = (flagsAction, isKeptAsBytes)
        (self.decode, self.encode) = (decode, encode)
    }

    private static let wellKnown: AttributeFlags = [.transitive]
    private static let optional: AttributeFlags = [.optional]
    private static let optionalTransitive: AttributeFlags = [.optional, .transitive]

    /// The rows in the order of their types, which is the order of sending (RFC 4271 §5). The multiprotocol
    /// attributes hold prefixes: `UpdateEncoder` writes them, before all others (RFC 7606 §5.1).
    static let rows: [AttributeDescriptor] = [
        .init(
            1, "ORIGIN", wellKnown, .treatAsWithdraw,
            decode: AttributeValue.decodeOrigin, encode: AttributeValue.encodeOrigin),
        .init(
            2, "AS_PATH", wellKnown, .treatAsWithdraw,
            decode: ASPathValue.decodeASPath, encode: ASPathValue.encodeASPath),
        .init(
            3, "NEXT_HOP", wellKnown, .treatAsWithdraw,
            decode: AttributeValue.decodeNextHop, encode: AttributeValue.encodeNextHop),
        .init(
            4, "MULTI_EXIT_DISC", optional, .treatAsWithdraw,
            decode: AttributeValue.decodeMED, encode: AttributeValue.encodeMED),
        .init(
            5, "LOCAL_PREF", wellKnown, .treatAsWithdraw, isInternal: true,
            decode: AttributeValue.decodeLocalPref, encode: AttributeValue.encodeLocalPref),
        .init(
            6, "ATOMIC_AGGREGATE", wellKnown, .attributeDiscard,
            decode: AttributeValue.decodeAtomicAggregate, encode: AttributeValue.encodeAtomicAggregate),
        .init(
            7, "AGGREGATOR", optionalTransitive, .attributeDiscard,
            decode: ASPathValue.decodeAggregator, encode: ASPathValue.encodeAggregator),
        .init(
            8, "COMMUNITIES", optionalTransitive, .treatAsWithdraw,
            decode: AttributeValue.decodeCommunities, encode: AttributeValue.encodeCommunities),
        .init(
            9, "ORIGINATOR_ID", optional, .treatAsWithdraw, isInternal: true,
            decode: AttributeValue.decodeOriginatorID, encode: AttributeValue.encodeOriginatorID),
        .init(
            10, "CLUSTER_LIST", optional, .treatAsWithdraw, isInternal: true,
            decode: AttributeValue.decodeClusterList, encode: AttributeValue.encodeClusterList),
        .init(
            14, "MP_REACH_NLRI", optional, .sessionReset,
            decode: MultiprotocolValue.decodeReach, encode: { _, _ in nil }),
        .init(
            15, "MP_UNREACH_NLRI", optional, .sessionReset,
            decode: MultiprotocolValue.decodeUnreach, encode: { _, _ in nil }),
        .init(
            16, "EXTENDED COMMUNITIES", optionalTransitive, .treatAsWithdraw,
            decode: AttributeValue.decodeExtendedCommunities, encode: AttributeValue.encodeExtendedCommunities),
        .init(
            17, "AS4_PATH", optionalTransitive, .attributeDiscard,
            decode: ASPathValue.decodeAS4Path, encode: ASPathValue.encodeAS4Path),
        .init(
            18, "AS4_AGGREGATOR", optionalTransitive, .attributeDiscard,
            decode: ASPathValue.decodeAS4Aggregator, encode: ASPathValue.encodeAS4Aggregator),
        .init(
            AttributeType.tunnelEncapsulation, "TUNNEL_ENCAPSULATION", optionalTransitive, .treatAsWithdraw,
            flagsAction: .attributeDiscard, isKeptAsBytes: true,
            decode: TunnelEncapsulation.check, encode: { _, _ in nil }),
        .init(
            32, "LARGE_COMMUNITY", optionalTransitive, .treatAsWithdraw,
            decode: AttributeValue.decodeLargeCommunities, encode: AttributeValue.encodeLargeCommunities),
    ]

    private static let byType: [AttributeDescriptor?] = {
        var table = [AttributeDescriptor?](repeating: nil, count: 256)
        for row in rows { table[Int(row.type)] = row }
        return table
    }()
}

/// The type codes that the code speaks of outside their rows.
enum AttributeType {
    static let origin: UInt8 = 1
    static let asPath: UInt8 = 2
    static let nextHop: UInt8 = 3
    static let mpReach: UInt8 = 14
    static let mpUnreach: UInt8 = 15
    static let tunnelEncapsulation: UInt8 = 23
}

/// Why the value of an attribute cannot be taken.
struct MalformedAttribute: Error {
    /// The subcode of UPDATE Message Error.
    let subcode: UInt8
    /// What was found.
    let reason: String
    /// What is done, where it is not what the row of the attribute says.
    var action: ErrorAction?

    init(_ subcode: UInt8, _ reason: String, action: ErrorAction? = nil) {
        (self.subcode, self.reason, self.action) = (subcode, reason, action)
    }

    /// Attribute Length Error.
    static func length(_ octets: Int) -> MalformedAttribute {
        MalformedAttribute(UpdateSubcode.attributeLength, "length \(octets)")
    }
}
