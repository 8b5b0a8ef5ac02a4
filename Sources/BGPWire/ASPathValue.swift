import NetTypes

/// The values that hold AS numbers: AS_PATH and AGGREGATOR, whose width the session decides, and AS4_PATH and
/// AS4_AGGREGATOR, which carry the wide numbers past two-octet speakers (RFC 6793).
enum ASPathValue {
    private static let set: UInt8 = 1
    private static let sequence: UInt8 = 2
    /// The most AS numbers that one segment on the wire holds.
    private static let maximumSegment = 255

    static func decodeASPath(
        _ value: ByteCursor, into list: inout AttributeList, _ context: WireContext
    ) throws(MalformedAttribute) {
        list.attributes.asPath = try decode(value, isFourOctet: context.fourOctetAS)
    }

    static func encodeASPath(_ outbound: OutboundAttributes, _ context: WireContext) -> [UInt8]? {
        encode(outbound.attributes.asPath, isFourOctet: context.fourOctetAS)
    }

    /// AS4_PATH has no place between four-octet speakers and is discarded there (RFC 6793 §6).
    static func decodeAS4Path(
        _ value: ByteCursor, into list: inout AttributeList, _ context: WireContext
    ) throws(MalformedAttribute) {
        guard !context.fourOctetAS else { throw misplaced }
        list.as4Path = try decode(value, isFourOctet: true)
    }

    /// AS4_PATH goes to a two-octet speaker when AS_PATH cannot hold a number (RFC 6793 §4.2.2).
    static func encodeAS4Path(_ outbound: OutboundAttributes, _ context: WireContext) -> [UInt8]? {
        let path = outbound.attributes.asPath
        let isNeeded = path.segments.contains { $0.asNumbers.contains { $0.rawValue > UInt16.max } }
        guard !context.fourOctetAS, isNeeded else { return nil }
        return encode(path, isFourOctet: true)
    }

    static func decodeAggregator(
        _ value: ByteCursor, into list: inout AttributeList, _ context: WireContext
    ) throws(MalformedAttribute) {
        list.attributes.aggregator = try aggregator(value, isFourOctet: context.fourOctetAS)
    }

    static func encodeAggregator(_ outbound: OutboundAttributes, _ context: WireContext) -> [UInt8]? {
        outbound.attributes.aggregator.map { encode($0, isFourOctet: context.fourOctetAS) }
    }

    static func decodeAS4Aggregator(
        _ value: ByteCursor, into list: inout AttributeList, _ context: WireContext
    ) throws(MalformedAttribute) {
        guard !context.fourOctetAS else { throw misplaced }
        list.as4Aggregator = try aggregator(value, isFourOctet: true)
    }

    static func encodeAS4Aggregator(_ outbound: OutboundAttributes, _ context: WireContext) -> [UInt8]? {
        guard !context.fourOctetAS, let aggregator = outbound.attributes.aggregator,
            aggregator.asNumber.rawValue > UInt16.max
        else { return nil }
        return encode(aggregator, isFourOctet: true)
    }

    /// What a two-octet speaker's attributes stand for (RFC 6793 §4.2.3).
    static func mergeAS4(in list: inout AttributeList) {
        if let aggregator = list.attributes.aggregator, list.as4Aggregator != nil, aggregator.asNumber != .trans {
            return
        }
        if list.attributes.aggregator != nil, let wide = list.as4Aggregator { list.attributes.aggregator = wide }
        guard let wide = list.as4Path else { return }
        let surplus = list.attributes.asPath.length - wide.length
        guard surplus >= 0 else { return }
        list.attributes.asPath = ASPath(leading(surplus, of: list.attributes.asPath) + wide.segments)
    }

    // MARK: Steps

    private static var misplaced: MalformedAttribute {
        MalformedAttribute(UpdateSubcode.optionalAttribute, "sent by a four-octet speaker")
    }

    /// RFC 7606 §7.2, RFC 7607 §2.
    private static func decode(_ value: ByteCursor, isFourOctet: Bool) throws(MalformedAttribute) -> ASPath {
        func malformed(_ reason: String) -> MalformedAttribute {
            MalformedAttribute(UpdateSubcode.malformedASPath, reason)
        }
        var cursor = value
        var segments: [ASPath.Segment] = []
        while let type = cursor.readUInt8() {
            guard let count = cursor.readUInt8(), count > 0 else { throw malformed("a segment without ASes") }
            guard var body = cursor.readCursor(Int(count) * (isFourOctet ? 4 : 2)) else {
                throw malformed("a segment of \(count) ASes is longer than the attribute")
            }
            var numbers: [ASNumber] = []
            numbers.reserveCapacity(Int(count))
            while let number = read(&body, isFourOctet: isFourOctet) {
                guard number.rawValue != 0 else { throw malformed("AS 0") }
                numbers.append(number)
            }
            switch type {
            case set: segments.append(.set(numbers))
            case sequence: segments.append(.sequence(numbers))
            default: throw malformed("segment type \(type)")
            }
        }
        return ASPath(segments)
    }

    private static func encode(_ path: ASPath, isFourOctet: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for segment in path.segments {
            let type =
                switch segment {
                case .sequence: sequence
                case .set: set
                }
            var rest = segment.asNumbers[...]
            while !rest.isEmpty {
                let run = rest.prefix(maximumSegment)
                rest = rest.dropFirst(maximumSegment)
                bytes.append(contentsOf: [type, UInt8(run.count)])
                for number in run { append(number, isFourOctet: isFourOctet, into: &bytes) }
            }
        }
        return bytes
    }

    private static func aggregator(_ value: ByteCursor, isFourOctet: Bool) throws(MalformedAttribute) -> Aggregator {
        var cursor = value
        guard value.remaining == (isFourOctet ? 8 : 6), let number = read(&cursor, isFourOctet: isFourOctet),
            let address = cursor.readUInt32()
        else { throw .length(value.remaining) }
        guard number.rawValue != 0 else { throw MalformedAttribute(UpdateSubcode.optionalAttribute, "AS 0") }
        return Aggregator(asNumber: number, address: IPv4Address(rawValue: address))
    }

    private static func encode(_ aggregator: Aggregator, isFourOctet: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        append(aggregator.asNumber, isFourOctet: isFourOctet, into: &bytes)
        bytes.append(bigEndian: aggregator.address.rawValue)
        return bytes
    }

    private static func read(_ cursor: inout ByteCursor, isFourOctet: Bool) -> ASNumber? {
        isFourOctet ? cursor.readUInt32().map(ASNumber.init) : cursor.readUInt16().map { ASNumber(UInt32($0)) }
    }

    private static func append(_ number: ASNumber, isFourOctet: Bool, into bytes: inout [UInt8]) {
        if isFourOctet {
            bytes.append(bigEndian: number.rawValue)
        } else {
            bytes.append(bigEndian: number.twoOctets)
        }
    }

    /// The first ASes of a path, `length` of them as the decision process counts.
    private static func leading(_ length: Int, of path: ASPath) -> [ASPath.Segment] {
        var rest = length
        var segments: [ASPath.Segment] = []
        for segment in path.segments where rest > 0 {
            switch segment {
            case .set:
                segments.append(segment)
                rest -= 1
            case .sequence(let numbers):
                segments.append(.sequence(Array(numbers.prefix(rest))))
                rest -= min(rest, numbers.count)
            }
        }
        return segments
    }
}
