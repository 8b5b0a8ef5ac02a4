import NetTypes

/// Reads members of a configuration object; every complaint is error 7 and names the key with its path.
struct ConfigReader {
    private let object: JSONObject
    private let path: String
    /// Whether a member of a wrong type reads as absent. A DEL goes that way: it must not be kept from its work by a
    /// member that the ADD has already been refused for.
    private let isForgiving: Bool

    /// Reads members of `object`, which stands at `path` (empty for the configuration itself).
    init(_ object: JSONObject, path: String = "", isForgiving: Bool) {
        self.object = object
        self.path = path
        self.isForgiving = isForgiving
    }

    /// The member as text.
    func string(_ key: String) throws(CNIError) -> String? {
        try read(key, expected: "a string") { $0.string }
    }

    /// The member as a truth value, which may be written as a string.
    func bool(_ key: String) throws(CNIError) -> Bool? {
        try read(key, expected: "true or false") { value in
            value.bool ?? value.string.flatMap { Bool($0.lowercased()) }
        }
    }

    /// The member as what `parse` makes of its text; `expected` says what that is.
    func parsed<Value>(
        _ key: String, expected: @autoclosure () -> String, _ parse: (String) -> Value?,
    ) throws(CNIError) -> Value? {
        try read(key, expected: expected()) { $0.string.flatMap(parse) }
    }

    /// The member as a whole number in the range, or the one beside it.
    func integer(_ key: String, in range: ClosedRange<Int64>, or other: Int64? = nil) throws(CNIError) -> Int64? {
        var expected: String {
            "an integer from \(range.lowerBound) to \(range.upperBound)" + (other.map { ", or \($0)" } ?? "")
        }
        return try read(key, expected: expected) { value in
            value.int.flatMap { range.contains($0) || $0 == other ? $0 : nil }
        }
    }

    /// The member as a list of texts that `parse` accepts; empty if absent.
    func list<Value>(
        _ key: String, expected: String, _ parse: (String) -> Value?,
    ) throws(CNIError) -> [Value] {
        try elements(of: key, expected: expected) { $0.string.flatMap(parse) }
    }

    /// The elements of the member, a list; empty if it is absent. One that does not fit spoils the list, and is named.
    private func elements<Element>(
        of key: String, expected: String, _ convert: (JSONValue) -> Element?,
    ) throws(CNIError) -> [Element] {
        var converted: [Element] = []
        for element in try read(key, expected: expected, { $0.array }) ?? [] {
            guard let value = convert(element) else {
                if isForgiving { return [] }
                throw CNIError(
                    .invalidConfig, "\(path)\(key): expected \(expected), found \(element.plainText) in it")
            }
            converted.append(value)
        }
        return converted
    }

    /// A reader of the member, which is an object; of an empty one if it is absent.
    func inner(_ key: String) throws(CNIError) -> ConfigReader {
        let inner = try read(key, expected: "an object") { $0.object }
        return ConfigReader(inner ?? JSONObject(), path: path + key + ".", isForgiving: isForgiving)
    }

    /// Readers of the elements of the member, which is a list of objects; none if it is absent.
    func objects(_ key: String) throws(CNIError) -> [ConfigReader] {
        try elements(of: key, expected: "a list of objects") { $0.object }.enumerated().map { index, object in
            ConfigReader(object, path: "\(path)\(key)[\(index)].", isForgiving: isForgiving)
        }
    }

    /// The members of a member that is an object of texts; empty if it is absent.
    func texts(_ key: String) throws(CNIError) -> [String: String] {
        try read(key, expected: "an object of strings") { value -> [String: String]? in
            guard let members = value.object?.members else { return nil }
            var texts: [String: String] = [:]
            for (name, value) in members {
                guard let text = value.string else { return nil }
                texts[name] = text
            }
            return texts
        } ?? [:]
    }

    /// The names of the members, as they are written; those that are null count as absent.
    var names: [String] { object.members.filter { $0.value != .null }.map(\.name) }

    /// The member as it is.
    func value(_ key: String) -> JSONValue? {
        object.lenient(key)
    }

    private func read<Value>(
        _ key: String, expected: @autoclosure () -> String, _ convert: (JSONValue) -> Value?,
    ) throws(CNIError) -> Value? {
        guard let value = object.lenient(key) else { return nil }
        if let converted = convert(value) { return converted }
        if isForgiving { return nil }
        throw CNIError(.invalidConfig, "\(path)\(key): expected \(expected()), found \(value.plainText)")
    }
}

extension JSONValue {
    /// The value in an error message: a scalar as it is, anything else by its kind.
    fileprivate var plainText: String {
        switch self {
        case .string(let text): "\"\(text)\""
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let value): "\(value)"
        case .null, .array, .object: kind
        }
    }
}
