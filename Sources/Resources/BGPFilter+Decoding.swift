import NetTypes

extension BGPFilter {
    /// Reads a BGPFilter; nil when it is refused.
    init?(_ reader: inout FieldReader, metadata: ResourceMetadata) {
        guard let name = metadata.name else {
            reader.skip(["spec"])
            return nil
        }
        self.init(name: name)
        let filter = reader.mapping("spec") { fields in
            var filter = BGPFilter(name: name)
            filter.exportV4 = Self.rules("exportV4", of: .ipv4, &fields)
            filter.importV4 = Self.rules("importV4", of: .ipv4, &fields)
            filter.exportV6 = Self.rules("exportV6", of: .ipv6, &fields)
            filter.importV6 = Self.rules("importV6", of: .ipv6, &fields)
            return filter
        }
        if let filter { self = filter }
    }

    private static func rules(_ key: String, of family: AddressFamily, _ reader: inout FieldReader) -> [Rule] {
        reader.mappings(key) { Rule(&$0, family: family) }.compactMap { $0 }
    }
}

extension BGPFilter.Rule {
    /// Reads a rule; nil when it has no action.
    fileprivate init?(_ reader: inout FieldReader, family: AddressFamily) {
        let network = BGPFilter.NetworkMatch.read(&reader, family: family)
        let source = reader.optional("source", as: FieldValue.word(Source.self))
        let interface = reader.optional("interface", as: FieldValue.text)
        let peerType = reader.optional("peerType", as: FieldValue.word(BGPFilter.PeerType.self))
        let communities = reader.mapping("communities") { $0.required("values", as: FieldValue.communities) }
        if let values = communities ?? nil, values.count != 1 {
            reader.refuse("communities", "values must hold exactly one community, and holds \(values.count)")
        }
        let path = reader.optional("asPathPrefix", as: FieldValue.asNumbers)
        let priority = reader.optional("priority", as: FieldValue.routePriority)
        let operations = reader.mappings("operations") { BGPFilter.Operation.read(&$0) }.compactMap { $0 }
        guard let action = reader.required("action", as: FieldValue.word(BGPFilter.Action.self)) else { return nil }
        if action == .reject, reader.has("operations") {
            reader.refuse("operations", "only a rule with the action Accept may change routes")
        }
        self.init(
            network: network, isRemoteOnly: source != nil, interface: interface.flatMap { $0.isEmpty ? nil : $0 },
            peerType: peerType, community: (communities ?? nil)?.first, asPathPrefix: path ?? [], priority: priority,
            action: action, operations: operations)
    }

    private enum Source: String, CaseIterable {
        case remotePeers = "RemotePeers"
    }
}

extension BGPFilter.NetworkMatch {
    /// Reads `cidr`, `matchOperator` and `prefixLength`, which need each other.
    fileprivate static func read(_ reader: inout FieldReader, family: AddressFamily) -> BGPFilter.NetworkMatch? {
        let cidr = reader.optional("cidr", as: FieldValue.prefix)
        let comparison = reader.optional("matchOperator", as: FieldValue.word(BGPFilter.MatchOperator.self))
        let width = family.bitWidth
        let bounds = reader.mapping("prefixLength") { fields in
            (
                fields.optional("min", as: FieldValue.integer(in: UInt8(0)...width)),
                fields.optional("max", as: FieldValue.integer(in: UInt8(0)...width))
            )
        }
        if reader.has("cidr") != reader.has("matchOperator") {
            reader.refuse("matchOperator", "cidr and matchOperator must both be there, or neither")
        }
        if reader.has("prefixLength"), !reader.has("cidr") {
            reader.refuse("prefixLength", "means nothing without cidr")
        }
        guard let cidr, let comparison else { return nil }
        guard cidr.family == family else {
            reader.refuse("cidr", "\(cidr) is not of the family of the list, \(family.title)")
            return nil
        }
        let lowest = (bounds?.0 ?? nil) ?? cidr.length
        let highest = (bounds?.1 ?? nil) ?? width
        guard lowest <= highest else {
            reader.refuse("prefixLength", "no length is at least \(lowest) and at most \(highest)")
            return nil
        }
        return BGPFilter.NetworkMatch(cidr: cidr, matchOperator: comparison, lengths: lowest...highest)
    }
}

extension BGPFilter.Operation {
    /// Reads an operation, which names exactly one change; nil when it does not.
    fileprivate static func read(_ reader: inout FieldReader) -> BGPFilter.Operation? {
        let community = reader.mapping("addCommunity") { $0.required("value", as: FieldValue.community) } ?? nil
        let path = reader.mapping("prependASPath") { $0.required("prefix", as: FieldValue.asNumbers) } ?? nil
        let priority = reader.mapping("setPriority") { $0.required("value", as: FieldValue.routePriority) } ?? nil
        let named = ["addCommunity", "prependASPath", "setPriority"].filter { reader.has($0) }
        guard named.count == 1 else {
            reader.refuse(
                named.first ?? "addCommunity",
                "an operation is exactly one of addCommunity, prependASPath and setPriority")
            return nil
        }
        if let community { return .addCommunity(community) }
        if let path { return .prependASPath(path) }
        return priority.map { .setPriority($0) }
    }
}

extension FieldValue {
    static func community(_ node: DocumentNode) throws(FieldError) -> BGPCommunity {
        guard let text = node.text, let community = BGPCommunity(text) else {
            throw FieldError(reason: "expected a community such as 64512:7 or 64512:1:2, found \(node.kind)")
        }
        return community
    }

    static func communities(_ node: DocumentNode) throws(FieldError) -> [BGPCommunity] {
        var communities: [BGPCommunity] = []
        for element in try list(node) { communities.append(try community(element)) }
        return communities
    }

    /// One to ten AS numbers.
    static func asNumbers(_ node: DocumentNode) throws(FieldError) -> [ASNumber] {
        var numbers: [ASNumber] = []
        for element in try list(node) { numbers.append(try asNumber(element)) }
        guard (1...10).contains(numbers.count) else {
            throw FieldError(reason: "expected one to ten AS numbers, found \(numbers.count)")
        }
        return numbers
    }

    /// A kernel metric as Calico counts priorities.
    static func routePriority(_ node: DocumentNode) throws(FieldError) -> UInt32 {
        try integer(in: UInt32(1)...2_147_483_646)(node)
    }
}
