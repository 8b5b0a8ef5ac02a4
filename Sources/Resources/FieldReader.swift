/// Why a field's value is none; the reader adds the place.
struct FieldError: Error, Sendable, Hashable {
    let reason: String
}

/// Takes the fields of one mapping, one after the other, and collects what is wrong with them.
///
/// A wrong field is a finding and reads as absent: all that is wrong with a resource is said at once. What nobody has
/// asked for when the reader is closed is an unknown field.
struct FieldReader {
    /// Something found in the mapping.
    struct Finding: Sendable, Hashable {
        let severity: Diagnostic.Severity
        let line: Int
        let field: String?
        let reason: String
    }

    /// What was found so far.
    private(set) var findings: [Finding] = []
    private var pairs: [DocumentNode.Pair] = []
    private let line: Int
    /// The path of the mapping with a dot at its end, or nothing at the root.
    private let path: String
    private var asked: Set<String> = []
    private var isMapping = true

    /// Reads `node`, whose fields' paths begin with `path`. Anything but a mapping is a finding.
    init(_ node: DocumentNode, path: String) {
        line = node.line
        self.path = path
        guard case .mapping(let pairs) = node.content else {
            let field = path.isEmpty ? nil : String(path.dropLast())
            let reason = "expected a mapping, found \(node.kind)"
            findings.append(Finding(severity: .error, line: node.line, field: field, reason: reason))
            isMapping = false
            return
        }
        self.pairs = pairs
    }

    /// The value of a field, or nil when it is absent, null or wrong.
    mutating func optional<Value>(
        _ key: String, as parse: (DocumentNode) throws(FieldError) -> Value,
    ) -> Value? {
        asked.insert(key)
        guard let node = pairs.first(where: { $0.key.text == key })?.value, !node.isNull else { return nil }
        do throws(FieldError) {
            return try parse(node)
        } catch {
            findings.append(Finding(severity: .error, line: node.line, field: path + key, reason: error.reason))
            return nil
        }
    }

    /// The value of a field without which the resource means nothing.
    mutating func required<Value>(
        _ key: String, as parse: (DocumentNode) throws(FieldError) -> Value,
    ) -> Value? {
        let before = findings.count
        let value = optional(key, as: parse)
        if value == nil && findings.count == before && isMapping {
            findings.append(Finding(severity: .error, line: line, field: path + key, reason: "required, but absent"))
        }
        return value
    }

    /// Reads a mapping below this one; nil when it is absent or null.
    mutating func mapping<Value>(_ key: String, _ read: (inout FieldReader) -> Value) -> Value? {
        asked.insert(key)
        guard let node = pairs.first(where: { $0.key.text == key })?.value, !node.isNull else { return nil }
        var inner = FieldReader(node, path: path + key + ".")
        let value = read(&inner)
        inner.close()
        findings += inner.findings
        return value
    }

    /// Reads a list of mappings; empty when it is absent, null or no list.
    mutating func mappings<Value>(_ key: String, _ read: (inout FieldReader) -> Value) -> [Value] {
        let elements = optional(key, as: FieldValue.list) ?? []
        return elements.enumerated().map { index, element in
            var inner = FieldReader(element, path: "\(path)\(key)[\(index)].")
            let value = read(&inner)
            inner.close()
            findings += inner.findings
            return value
        }
    }

    /// Whether the field is there and not null.
    func has(_ key: String) -> Bool { pairs.contains { $0.key.text == key && !$0.value.isNull } }

    /// Refuses the resource because of a field, whose value by itself may be right.
    mutating func refuse(_ key: String, _ reason: String) {
        let line = pairs.first { $0.key.text == key }?.value.line ?? line
        findings.append(Finding(severity: .error, line: line, field: path + key, reason: reason))
    }

    /// Passes over fields that carry no meaning for a node, silently.
    mutating func skip(_ keys: [String]) { asked.formUnion(keys) }

    /// Passes over fields whose names begin so, silently: whole groups of settings that a node has no use for.
    mutating func skip(beginningWith prefixes: [String]) {
        asked.formUnion(
            pairs.compactMap(\.key.text).filter { key in prefixes.contains { key.hasPrefix($0) } })
    }

    /// Passes over fields that mean something in Calico and nothing here yet, with a finding for each that is there.
    mutating func ignore(_ keys: [String], severity: Diagnostic.Severity = .note) {
        for key in keys {
            asked.insert(key)
            guard let pair = pairs.first(where: { $0.key.text == key && !$0.value.isNull }) else { continue }
            let reason = "has no effect in this version"
            findings.append(Finding(severity: severity, line: pair.key.line, field: path + key, reason: reason))
        }
    }

    /// Refuses fields that are not implemented and must not be passed over, because the session would not come up or
    /// would be less safe than it was meant.
    mutating func refuseUnsupported(_ keys: [String]) {
        for key in keys {
            asked.insert(key)
            guard has(key) else { continue }
            refuse(key, "not supported in this version, and it cannot be left out unnoticed; remove it")
        }
    }

    /// Says nothing of the fields that were not asked for: the mapping as a whole is refused already.
    mutating func abandon() { asked.formUnion(pairs.compactMap(\.key.text)) }

    /// Turns the fields that nobody has asked for into warnings.
    mutating func close() {
        for pair in pairs {
            let key = pair.key.text ?? pair.key.kind
            guard asked.insert(key).inserted else { continue }
            findings.append(
                Finding(severity: .warning, line: pair.key.line, field: path + key, reason: "unknown field, ignored"))
        }
    }
}
