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

    /// Appends the value.
    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .double(let value): text += value.isFinite ? value.description : "null"
        case .string(let value): write(quoted: value)
        case .array(let elements):
            writeSequence(elements, from: "[", to: "]") { writer, element in writer.write(element) }
        case .object(let object):
            writeSequence(object.members, from: "{", to: "}") { writer, member in
                writer.write(quoted: member.name)
                writer.text += writer.isPretty ? ": " : ":"
                writer.write(member.value)
            }
        }
    }

    private mutating func writeSequence<Item>(
        _ items: [Item], from open: String, to close: String, item write: (inout JSONWriter, Item) -> Void,
    ) {
        text += open
        depth += 1
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            startLine()
            write(&self, item)
        }
        depth -= 1
        if !items.isEmpty { startLine() }
        text += close
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
