/// A JSON document as a value (RFC 8259). Text is read and written by `JSONKit`; this type knows no text.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The members, if this is an object.
    package var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The elements, if this is an array.
    package var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The text, if this is a string.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The number, if this is an integer.
    package var int: Int64? {
        if case .int(let value) = self { value } else { nil }
    }

    /// The truth value, if this is one.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// What the value is, in the words of an error message: "a string", "null".
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int: "an integer"
        case .double: "a number with a fraction"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// The members of a JSON object in the order of the text; a name occurs once.
package struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// Name and value of each member, in order.
    package private(set) var members: [(name: String, value: JSONValue)]

    /// An object of these members; of two with one name the later wins, in the earlier's place.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }

    /// An object of these members; of two with one name the later wins, in the earlier's place.
    package init(_ elements: [(String, JSONValue)] = []) {
        members = elements
        guard !Self.isDistinct(elements) else { return }
        members = []
        for (name, value) in elements { self[name] = value }
    }

    /// Nearly every object is so small that to compare all names is cheaper than a table of them.
    private static func isDistinct(_ elements: [(String, JSONValue)]) -> Bool {
        guard elements.count <= 16 else { return Set(elements.lazy.map(\.0)).count == elements.count }
        for (place, element) in elements.enumerated() {
            for earlier in elements[..<place] where earlier.0 == element.0 { return false }
        }
        return true
    }

    /// The member of exactly this name. Setting nil removes it.
    /// - Complexity: O(members).
    package subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }

    /// The member of this name, or else the first whose name differs in ASCII case only, as Go decodes JSON.
    ///
    /// `null` reads as absent: containerd sends it for every field that it has no value for.
    package func lenient(_ name: String) -> JSONValue? {
        let found = self[name] ?? members.first { Self.areEqualButForCase($0.name, name) }?.value
        return found == .null ? nil : found
    }

    private static func areEqualButForCase(_ left: String, _ right: String) -> Bool {
        // Most names differ in length, which is told at once.
        guard left.utf8.count == right.utf8.count else { return false }
        return left.utf8.elementsEqual(right.utf8) { left, right in
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(left | 0x20)
            return left == right || isLetter && left | 0x20 == right | 0x20
        }
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count
            && zip(left.members, right.members).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}
