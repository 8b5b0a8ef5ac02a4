import NetTypes

/// Writes a value as text.
///
/// Not by jansson: that would build a second tree of the value only to print it, and could fail for lack of memory where
/// this cannot fail.
struct JSONWriter {
    /// What has been written.
    private(set) var text = ""
    private let isPretty: Bool
    private var depth = 0

    /// A writer of nothing yet.
    init(isPretty: Bool) {
        self.isPretty = isPretty
    }

    /// Hands out what has been written so far.
    mutating func takeText() -> String {
        defer { text = "" }
        return text
    }

    /// Appends the beginning of an array or an object.
    mutating func begin(_ open: String) {
        text += open
        depth += 1
    }

    /// Appends what stands before an element of the array, or before a member's value in the object.
    ///
    /// - Parameter name: the member's.
    mutating func beginItem(named name: String? = nil, isFirst: Bool) {
        if !isFirst { text += "," }
        startLine()
        guard let name else { return }
        write(quoted: name)
        text += isPretty ? ": " : ":"
    }

    /// Appends the end of the array or the object that is being written.
    mutating func end(_ close: String, isEmpty: Bool) {
        depth -= 1
        if !isEmpty { startLine() }
        text += close
    }

    /// Appends the value.
    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .double(let value): text += value.isFinite ? value.description : "null"
        case .string(let value): write(quoted: value)
        case .array(let elements):
            begin("[")
            for (index, element) in elements.enumerated() {
                beginItem(isFirst: index == 0)
                write(element)
            }
            end("]", isEmpty: elements.isEmpty)
        case .object(let object):
            begin("{")
            for (index, member) in object.members.enumerated() {
                beginItem(named: member.name, isFirst: index == 0)
                write(member.value)
            }
            end("}", isEmpty: object.members.isEmpty)
        }
    }

    private mutating func startLine() {
        guard isPretty else { return }
        text += "\n"
        for _ in 0..<depth { text += "    " }
    }

    /// RFC 8259 §7: the quotation mark, the backslash and the control characters must be escaped.
    private mutating func write(quoted value: String) {
        text += "\""
        defer { text += "\"" }
        // Nearly every text is without any of them.
        guard value.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c || $0 == 0x7f }) else {
            text += value
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
