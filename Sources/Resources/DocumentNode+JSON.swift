extension DocumentNode {
    /// The node as JSON text without blanks, the pairs in their order.
    ///
    /// A plain scalar is a truth value, null or a whole number where it is written as JSON has it, otherwise a string: of
    /// `1.10`, an AS number, nothing may be lost.
    package var json: String {
        var text = ""
        append(to: &text)
        return text
    }

    private func append(to text: inout String) {
        switch content {
        case .scalar(let word, let isPlain): Self.append(word, isPlain: isPlain, isNull: isNull, to: &text)
        case .sequence(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.append(to: &text)
            }
            text += "]"
        case .mapping(let pairs):
            text += "{"
            for (index, pair) in pairs.enumerated() {
                if index > 0 { text += "," }
                Self.append(pair.key.text ?? pair.key.json, isPlain: false, isNull: false, to: &text)
                text += ":"
                pair.value.append(to: &text)
            }
            text += "}"
        }
    }

    private static func append(_ word: String, isPlain: Bool, isNull: Bool, to text: inout String) {
        if isNull { return text += "null" }
        if isPlain, word == "true" || word == "false" || Int64(word).map({ String($0) == word }) ?? false {
            return text += word
        }
        text += "\""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
