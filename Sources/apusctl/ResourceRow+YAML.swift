import JSONKit
import NetTypes
import NodeLink

extension ResourceRow {
    /// The resource as a file would have it; of one without a document, a comment.
    var yaml: String {
        let place = file.map { "# \($0)\n" } ?? "# in no file\n"
        guard let members = document?.object else { return place + "# \(resourceKind)/\(name)\n" }
        return place + YAMLText.lines(of: members, indent: "").joined(separator: "\n") + "\n"
    }
}

/// JSON values as YAML in block style.
enum YAMLText {
    static func lines(of object: JSONObject, indent: String) -> [String] {
        object.members.flatMap { name, value in
            let key = indent + scalar(.string(name)) + ":"
            switch value {
            case .object(let inner) where !inner.members.isEmpty:
                return [key] + lines(of: inner, indent: indent + "  ")
            case .array(let elements) where !elements.isEmpty:
                return [key] + elements.flatMap { lines(ofElement: $0, indent: indent) }
            default: return ["\(key) \(scalar(value))"]
            }
        }
    }

    private static func lines(ofElement element: JSONValue, indent: String) -> [String] {
        guard let object = element.object, !object.members.isEmpty else { return ["\(indent)- \(scalar(element))"] }
        let inner = lines(of: object, indent: indent + "  ")
        // The first member stands behind the dash.
        return ["\(indent)- \(inner[0].dropFirst(indent.count + 2))"] + inner.dropFirst()
    }

    /// A value in one line. What is not plainly a word is quoted, as JSON has it, which YAML reads alike.
    private static func scalar(_ value: JSONValue) -> String {
        guard case .string(let text) = value, isPlain(text) else { return JSONText.serialize(value) }
        return text
    }

    /// Whether a text is itself in YAML without quotes: it begins with a letter, or is a network, and is no other word of
    /// YAML's.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, !reserved.contains(text.lowercased()) else { return false }
        let isWord = text.utf8.allSatisfy { isAlphanumeric($0) || [0x2d, 0x2e, 0x2f, 0x5f].contains($0) }
        return isWord && (isLetter(first) || IPPrefix(text) != nil || IPAddress(text) != nil)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || (0x30...0x39).contains(byte) }
    private static let reserved: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
}
