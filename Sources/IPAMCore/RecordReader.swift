import NetTypes

/// Reads the members of one JSON object of a record, and names the path of the member in every error.
///
/// Members it is not asked for are not looked at: a later version may add some.
struct RecordReader {
    private let object: JSONObject
    private let path: String

    /// The top of a record; `v` must be 1.
    init(record value: JSONValue) throws(RecordError) {
        try self.init(value, path: "")
        guard let version = object["v"] else { throw .version(found: "nothing") }
        guard version == .int(1) else {
            throw .version(found: version.int.map(String.init) ?? version.kind)
        }
    }

    /// An object within a record.
    init(_ value: JSONValue, path: String) throws(RecordError) {
        guard let object = value.object else {
            throw .invalid(path.isEmpty ? "record" : path, expected: "an object", found: value.kind)
        }
        self.object = object
        self.path = path
    }

    func string(_ name: String) throws(RecordError) -> String {
        let value = try member(name)
        guard let text = value.string else { throw wrong(name, "a string", value) }
        return text
    }

    func bool(_ name: String) throws(RecordError) -> Bool {
        let value = try member(name)
        guard let truth = value.bool else { throw wrong(name, "a boolean", value) }
        return truth
    }

    /// A number that fits the caller's type.
    func integer<Number: FixedWidthInteger>(_ name: String) throws(RecordError) -> Number {
        let value = try member(name)
        guard let number = value.int, let exact = Number(exactly: number) else {
            throw wrong(name, "an integer of \(Number.min)...\(Number.max)", value)
        }
        return exact
    }

    func array(_ name: String) throws(RecordError) -> [JSONValue] {
        let value = try member(name)
        guard let elements = value.array else { throw wrong(name, "an array", value) }
        return elements
    }

    func members(_ name: String) throws(RecordError) -> [(name: String, value: JSONValue)] {
        let value = try member(name)
        guard let object = value.object else { throw wrong(name, "an object", value) }
        return object.members
    }

    /// The objects of an array, each with a reader of its own.
    func objects(_ name: String) throws(RecordError) -> [RecordReader] {
        var readers: [RecordReader] = []
        for (index, element) in try array(name).enumerated() {
            readers.append(try RecordReader(element, path: full("\(name)[\(index)]")))
        }
        return readers
    }

    /// A string that `parse` makes a value of.
    func parsed<Value>(
        _ name: String, expected: String, _ parse: (String) -> Value?,
    ) throws(RecordError) -> Value {
        let text = try string(name)
        guard let value = parse(text) else {
            throw .invalid(full(name), expected: expected, found: "\"\(text)\"")
        }
        return value
    }

    /// An array of strings that `parse` makes values of; empty when it is missing.
    func list<Value>(
        _ name: String, expected: String, _ parse: (String) -> Value?,
    ) throws(RecordError) -> [Value] {
        guard has(name) else { return [] }
        var values: [Value] = []
        for (index, element) in try array(name).enumerated() {
            guard let value = element.string.flatMap(parse) else {
                throw .invalid(
                    full("\(name)[\(index)]"), expected: expected,
                    found: element.string.map { "\"\($0)\"" } ?? element.kind)
            }
            values.append(value)
        }
        return values
    }

    /// Whether the member is there and not null.
    func has(_ name: String) -> Bool { object[name].map { $0 != .null } ?? false }

    /// The member's path from the top of the record.
    func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func member(_ name: String) throws(RecordError) -> JSONValue {
        guard let value = object[name] else { throw .missing(full(name)) }
        return value
    }

    private func wrong(_ name: String, _ expected: String, _ value: JSONValue) -> RecordError {
        .invalid(full(name), expected: expected, found: value.int.map(String.init) ?? value.kind)
    }
}
