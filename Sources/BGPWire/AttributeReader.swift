/// Reads the path attributes of one connection's UPDATEs. Most are the octets of the UPDATE before, with other prefixes:
/// those are not read again.
struct AttributeReader: Sendable {
    /// What was read last.
    private struct Last: Sendable {
        let octets: [UInt8]
        let context: WireContext
        let list: AttributeList
    }

    /// One or none: apart from the connection's other state, which moves with every message.
    private var last: [Last] = []

    /// Reads the Path Attributes field of an UPDATE.
    ///
    /// - Throws: `BGPError` where the prefixes cannot be told apart any more.
    mutating func read(_ octets: ArraySlice<UInt8>, _ context: WireContext) throws(BGPError) -> AttributeList {
        if octets.isEmpty { return try AttributeList(octets, context: context) }
        if let last = last.first, last.context == context, last.octets == octets { return last.list }
        let list = try AttributeList(octets, context: context)
        // Prefixes are other ones each time, and what is wrong is looked at each time.
        if !list.isMultiprotocol, list.errors.isEmpty {
            let read = Last(octets: Array(octets), context: context, list: list)
            if last.isEmpty { last.append(read) } else { last[0] = read }
        }
        return list
    }
}

extension [UInt8] {
    fileprivate static func == (left: [UInt8], right: ArraySlice<UInt8>) -> Bool {
        left.count == right.count && left.elementsEqual(right)
    }
}
