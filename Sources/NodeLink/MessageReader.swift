import NetTypes

/// Reads the members of one JSON object of a message. Members it is not asked for are not looked at.
struct MessageReader {
    let object: JSONObject
    private let name: String

    /// Starts on an object; `name` stands in the errors.
    init(_ value: JSONValue, of name: String) throws(NodeLinkError) {
        guard let object = value.object else { throw .malformed("\(name): expected an object, found \(value.kind)") }
        self.init(object, of: name)
    }

    init(_ object: JSONObject, of name: String) {
        self.object = object
        self.name = name
    }

    func string(_ key: String) throws(NodeLinkError) -> String {
        let value = try member(key)
        guard let text = value.string else { throw wrong(key, "a string", value) }
        return text
    }

    /// A string that may be missing or null.
    func optionalString(_ key: String) throws(NodeLinkError) -> String? {
        has(key) ? try string(key) : nil
    }

    func bool(_ key: String) throws(NodeLinkError) -> Bool {
        let value = try member(key)
        guard let truth = value.bool else { throw wrong(key, "a boolean", value) }
        return truth
    }

    func integer<Number: FixedWidthInteger>(_ key: String) throws(NodeLinkError) -> Number {
        let value = try member(key)
        guard let number = value.int, let exact = Number(exactly: number) else {
            throw wrong(key, "an integer of \(Number.min)...\(Number.max)", value)
        }
        return exact
    }

    /// An integer that may be missing or null.
    func optionalInteger<Number: FixedWidthInteger>(_ key: String) throws(NodeLinkError) -> Number? {
        has(key) ? try integer(key) : nil
    }

    func array(_ key: String) throws(NodeLinkError) -> [JSONValue] {
        let value = try member(key)
        guard let elements = value.array else { throw wrong(key, "an array", value) }
        return elements
    }

    func inner(_ key: String) throws(NodeLinkError) -> MessageReader {
        try MessageReader(try member(key), of: "\(name).\(key)")
    }

    /// A string that `parse` makes a value of.
    func parsed<Value>(
        _ key: String, expected: String, _ parse: (String) -> Value?,
    ) throws(NodeLinkError) -> Value {
        let text = try string(key)
        guard let value = parse(text) else { throw wrong(key, expected, .string(text)) }
        return value
    }

    /// The values that `parse` makes of an array of strings.
    func list<Value>(
        _ key: String, expected: String, _ parse: (String) -> Value?,
    ) throws(NodeLinkError) -> [Value] {
        var values: [Value] = []
        for element in try array(key) {
            guard let text = element.string, let value = parse(text) else { throw wrong(key, expected, element) }
            values.append(value)
        }
        return values
    }

    func has(_ key: String) -> Bool { object[key].map { $0 != .null } ?? false }

    private func member(_ key: String) throws(NodeLinkError) -> JSONValue {
        guard let value = object[key] else { throw .malformed("\(name): \(key) is missing") }
        return value
    }

    private func wrong(_ key: String, _ expected: String, _ value: JSONValue) -> NodeLinkError {
        .malformed("\(name): \(key): expected \(expected), found \(value.string.map { "\"\($0)\"" } ?? value.kind)")
    }
}
