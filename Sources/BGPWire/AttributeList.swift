import NetTypes

/// The path attributes of one UPDATE on their way in: what has been read, and what was wrong with it.
struct AttributeList: Sendable {
    /// The attributes as far as they are read.
    var attributes = PathAttributes()
    /// NEXT_HOP.
    var nextHop: IPv4Address?
    /// MP_REACH_NLRI, when its prefixes could be read.
    var reach: (family: AFISAFI, paths: NLRI.Paths)?
    /// The next hop of MP_REACH_NLRI, when it is a usable one.
    var reachNextHop: NextHop?
    /// Whether MP_REACH_NLRI has prefixes of a family that Apus does not carry.
    var hasForeignReach = false
    /// MP_UNREACH_NLRI.
    var unreach: UpdateMessage.Unreach?
    /// AS4_PATH of a two-octet speaker.
    var as4Path: ASPath?
    /// AS4_AGGREGATOR of a two-octet speaker.
    var as4Aggregator: Aggregator?
    /// The errors that the session survives.
    private(set) var errors: [AttributeError] = []
    private var seen = TypeSet()

    /// Reads the Path Attributes field of an UPDATE.
    ///
    /// - Throws: `BGPError` where the prefixes cannot be told apart any more.
    init(_ bytes: ArraySlice<UInt8>, context: WireContext) throws(BGPError) {
        var cursor = ByteCursor(bytes)
        while !cursor.isAtEnd {
            let start = cursor.rest
            guard let head = Self.readHead(&cursor), let value = cursor.readCursor(head.length) else {
                record(
                    nil, .treatAsWithdraw, UpdateSubcode.malformedAttributeList,
                    "an attribute is longer than the list")
                break
            }
            try take(head, value, raw: start.prefix(start.count - cursor.remaining), context)
        }
        attributes.unknown.sort { $0.type < $1.type }
        if !context.fourOctetAS { ASPathValue.mergeAS4(in: &self) }
    }

    /// Whether MP_REACH_NLRI or MP_UNREACH_NLRI is in the list.
    var isMultiprotocol: Bool { seen.contains(AttributeType.mpReach) || seen.contains(AttributeType.mpUnreach) }

    /// Whether nothing but MP_UNREACH_NLRI is in the list.
    var isUnreachOnly: Bool { seen.subtracting(AttributeType.mpUnreach).isEmpty }

    /// Whether the routes of the UPDATE are to be taken as withdrawn.
    var isTreatedAsWithdraw: Bool { errors.contains { $0.action == .treatAsWithdraw } }

    /// Notes that a well-known mandatory attribute is missing (RFC 7606 §3 d), for each of `types` that is.
    mutating func requireMandatory(_ types: [UInt8]) {
        for type in types where !seen.contains(type) {
            record(type, .treatAsWithdraw, UpdateSubcode.missingWellKnownAttribute, "missing")
        }
    }

    /// Forgets NEXT_HOP and what was wrong with it: it has no meaning beside MP_REACH_NLRI alone (RFC 4760 §3).
    mutating func ignoreNextHop() {
        nextHop = nil
        errors.removeAll { $0.type == AttributeType.nextHop }
    }

    private struct Head {
        let flags: AttributeFlags
        let type: UInt8
        let length: Int
    }

    private static func readHead(_ cursor: inout ByteCursor) -> Head? {
        guard let octet = cursor.readUInt8(), let type = cursor.readUInt8() else { return nil }
        let flags = AttributeFlags(rawValue: octet)
        let length =
            flags.contains(.extendedLength) ? cursor.readUInt16().map(Int.init) : cursor.readUInt8().map(Int.init)
        return length.map { Head(flags: flags, type: type, length: $0) }
    }

    private mutating func take(
        _ head: Head, _ value: ByteCursor, raw: ArraySlice<UInt8>, _ context: WireContext
    ) throws(BGPError) {
        let isMultiprotocol = head.type == AttributeType.mpReach || head.type == AttributeType.mpUnreach
        guard seen.insert(head.type) else {
            // RFC 7606 §3 g.
            if isMultiprotocol {
                throw BGPError(
                    NotificationCode.updateMessage, UpdateSubcode.malformedAttributeList,
                    "attribute \(head.type) stands twice in an UPDATE")
            }
            record(head.type, .attributeDiscard, UpdateSubcode.malformedAttributeList, "stands twice")
            return
        }
        guard let row = AttributeDescriptor.row(of: head.type) else {
            takeUnknown(head, value)
            return
        }
        if row.isInternal && !context.isIBGP {
            record(head.type, .attributeDiscard, UpdateSubcode.optionalAttribute, "sent by an external peer")
            return
        }
        if head.flags.intersection([.optional, .transitive]) != row.flags {
            record(head.type, row.flagsAction, UpdateSubcode.attributeFlags, "flags \(head.flags.rawValue)")
            // The prefixes are needed all the same: they are what is withdrawn.
            if !isMultiprotocol { return }
        }
        do {
            try row.decode(value, &self, context)
            if row.isKeptAsBytes { keep(head, value, adding: []) }
            if head.flags.contains(.partial) { attributes.partial.formUnion(PartialAttributes(type: head.type)) }
        } catch {
            let action = error.action ?? row.action
            if action == .sessionReset {
                throw BGPError(
                    NotificationCode.updateMessage, error.subcode, data: Array(raw), "\(row.name): \(error.reason)")
            }
            record(head.type, action, error.subcode, error.reason)
        }
    }

    /// RFC 4271 §9: an optional transitive attribute that is not known is kept and marked, another one is ignored.
    private mutating func takeUnknown(_ head: Head, _ value: ByteCursor) {
        guard head.flags.contains(.optional) else {
            record(
                head.type, .treatAsWithdraw, UpdateSubcode.unrecognizedWellKnownAttribute,
                "well-known and not recognized")
            return
        }
        if head.flags.contains(.transitive) { keep(head, value, adding: .partial) }
    }

    private mutating func keep(_ head: Head, _ value: ByteCursor, adding mark: AttributeFlags) {
        let flags = head.flags.intersection([.optional, .transitive, .partial]).union(mark)
        attributes.unknown.append(RawAttribute(flags: flags, type: head.type, value: Array(value.rest)))
    }

    private mutating func record(_ type: UInt8?, _ action: ErrorAction, _ subcode: UInt8, _ reason: String) {
        errors.append(AttributeError(type: type, action: action, subcode: subcode, reason: reason))
    }
}

/// A set of attribute types: one bit for each.
private struct TypeSet: Sendable {
    private var words: SIMD4<UInt64> = .zero

    var isEmpty: Bool { words == .zero }

    func contains(_ type: UInt8) -> Bool { words[Int(type >> 6)] & bit(type) != 0 }

    /// Adds a type; false when it was there.
    mutating func insert(_ type: UInt8) -> Bool {
        if contains(type) { return false }
        words[Int(type >> 6)] |= bit(type)
        return true
    }

    func subtracting(_ type: UInt8) -> TypeSet {
        var rest = self
        rest.words[Int(type >> 6)] &= ~bit(type)
        return rest
    }

    private func bit(_ type: UInt8) -> UInt64 { 1 << UInt64(type & 63) }
}
