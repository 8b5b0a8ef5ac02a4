import NetTypes

/// The readings of a scalar: each turns a node into a value or says what to write instead.
enum FieldValue {
    static func text(_ node: DocumentNode) throws(FieldError) -> String {
        guard let text = node.text else { throw FieldError(reason: "expected text, found \(node.kind)") }
        return text
    }

    static func list(_ node: DocumentNode) throws(FieldError) -> [DocumentNode] {
        guard case .sequence(let elements) = node.content else {
            throw FieldError(reason: "expected a list, found \(node.kind)")
        }
        return elements
    }

    static func texts(_ node: DocumentNode) throws(FieldError) -> [String] {
        var texts: [String] = []
        for element in try list(node) { texts.append(try text(element)) }
        return texts
    }

    static func labels(_ node: DocumentNode) throws(FieldError) -> [String: String] {
        guard case .mapping(let pairs) = node.content else {
            throw FieldError(reason: "expected a mapping of text to text, found \(node.kind)")
        }
        var labels: [String: String] = [:]
        for pair in pairs { labels[try text(pair.key)] = pair.value.isNull ? "" : try text(pair.value) }
        return labels
    }

    static func bool(_ node: DocumentNode) throws(FieldError) -> Bool {
        guard case .scalar(let text, isPlain: true) = node.content else {
            throw FieldError(reason: "expected true or false, found \(node.kind)")
        }
        switch text {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: throw FieldError(reason: "expected true or false, found \(node.kind)")
        }
    }

    static func integer<Number: FixedWidthInteger & Sendable>(
        in range: ClosedRange<Number>,
    ) -> (DocumentNode) throws(FieldError) -> Number {
        { (node: DocumentNode) throws(FieldError) -> Number in
            guard case .scalar(let text, isPlain: true) = node.content, let number = Number(text),
                range.contains(number)
            else {
                let bounds = "\(range.lowerBound) to \(range.upperBound)"
                throw FieldError(reason: "expected a whole number from \(bounds), found \(node.kind)")
            }
            return number
        }
    }

    static func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type,
    ) -> (DocumentNode) throws(FieldError) -> Word where Word.RawValue == String {
        { (node: DocumentNode) throws(FieldError) -> Word in
            guard let text = node.text, let word = Word(rawValue: text) else {
                let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
                throw FieldError(reason: "expected one of \(words), found \(node.kind)")
            }
            return word
        }
    }

    static func words<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type,
    ) -> (DocumentNode) throws(FieldError) -> [Word] where Word.RawValue == String {
        { (node: DocumentNode) throws(FieldError) -> [Word] in
            var words: [Word] = []
            for element in try list(node) { words.append(try word(type)(element)) }
            return words
        }
    }

    static func asNumber(_ node: DocumentNode) throws(FieldError) -> ASNumber {
        guard let text = node.text, let number = ASNumber(text), number.rawValue != 0 else {
            throw FieldError(reason: "expected an AS number such as 64512 or 1.10, found \(node.kind)")
        }
        return number
    }

    static func clusterID(_ node: DocumentNode) throws(FieldError) -> RouterID {
        guard let text = node.text, let identifier = RouterID(text) else {
            throw FieldError(reason: "expected a cluster ID such as 244.0.0.1, found \(node.kind)")
        }
        return identifier
    }

    static func selector(_ node: DocumentNode) throws(FieldError) -> Selector {
        let text = try text(node)
        do throws(SelectorError) {
            return try Selector(parsing: text)
        } catch {
            throw FieldError(reason: "\"\(text)\": \(error)")
        }
    }
}

extension FieldValue {
    static func prefix(_ node: DocumentNode) throws(FieldError) -> IPPrefix {
        guard let text = node.text, let parsed = CIDRAddress(text) else {
            throw FieldError(reason: "expected a network such as 10.244.0.0/16, found \(node.kind)")
        }
        guard parsed.network.address == parsed.address else {
            throw FieldError(
                reason: "\"\(text)\" has bits set beyond the prefix length; write \(parsed.network)")
        }
        return parsed.network
    }

    /// A node's address of `family`, with the length of its network or without.
    static func nodeAddress(
        of family: AddressFamily,
    ) -> (DocumentNode) throws(FieldError) -> Node.Address {
        { (node: DocumentNode) throws(FieldError) -> Node.Address in
            let address = try nodeAddress(node)
            guard address.address.family == family else {
                throw FieldError(reason: "expected an \(family.title) address, found \(node.kind)")
            }
            return address
        }
    }

    /// An address that other nodes reach the node at.
    static func ownAddress(
        of family: AddressFamily,
    ) -> (DocumentNode) throws(FieldError) -> Node.Address {
        { (node: DocumentNode) throws(FieldError) -> Node.Address in
            try usable(try nodeAddress(of: family)(node))
        }
    }

    static func ownAddress(_ node: DocumentNode) throws(FieldError) -> Node.Address {
        try usable(try nodeAddress(node))
    }

    private static func usable(_ address: Node.Address) throws(FieldError) -> Node.Address {
        guard let problem = address.problem else { return address }
        throw FieldError(reason: "\(address) is no address that a node can have: \(problem)")
    }

    static func nodeAddress(_ node: DocumentNode) throws(FieldError) -> Node.Address {
        guard let text = node.text,
            let address = CIDRAddress(text).map({ Node.Address($0.address, length: $0.length) })
                ?? IPAddress(text).map({ Node.Address($0) })
        else { throw FieldError(reason: "expected an address such as 192.168.1.1/24, found \(node.kind)") }
        guard address.address.isUnicastHost else {
            throw FieldError(reason: "\(node.kind) is no address that a node can have")
        }
        return address
    }

    static func unicastMAC(_ node: DocumentNode) throws(FieldError) -> MACAddress {
        guard let text = node.text, let address = MACAddress(text), address.isUnicast else {
            throw FieldError(reason: "expected an address such as 66:f9:37:c3:7e:94, found \(node.kind)")
        }
        return address
    }

    /// `ADDRESS`, `IPV4:PORT` or `[IPV6]:PORT`.
    static func endpoint(_ node: DocumentNode) throws(FieldError) -> (address: IPAddress, port: UInt16?) {
        let wrong = FieldError(reason: "expected an address such as 192.168.1.1 or [fd00::1]:179, found \(node.kind)")
        // It means nothing without a link. Calico names one behind a percent sign.
        let isLinkLocal = FieldError(
            reason: "\(node.kind) is link-local: write the peer's global or unique local address")
        guard let text = node.text else { throw wrong }
        if let zone = text.firstIndex(of: "%"), IPAddress(text[..<zone])?.isLinkLocal == true { throw isLinkLocal }
        let endpoint: (address: IPAddress, port: UInt16?)
        if let address = IPAddress(text) {
            endpoint = (address, nil)
        } else {
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
                port > 0, text[text.index(after: colon)...].utf8.first != UInt8(ascii: "+")
            else { throw wrong }
            let host = text[..<colon]
            if let address = IPv4Address(host) {
                endpoint = (.v4(address), port)
            } else if host.hasPrefix("["), host.hasSuffix("]"), let address = IPv6Address(host.dropFirst().dropLast()) {
                endpoint = (.v6(address), port)
            } else {
                throw wrong
            }
        }
        guard endpoint.address.isUnicastHost else {
            throw FieldError(reason: "\(node.kind) is no address that a peer can have")
        }
        if case .v6(let address) = endpoint.address, address.isLinkLocal { throw isLinkLocal }
        return endpoint
    }
}

extension AddressFamily {
    /// The family in prose.
    var title: String { self == .ipv4 ? "IPv4" : "IPv6" }
}
