/// A word of a selector's text.
struct SelectorToken: Hashable {
    /// What the word is.
    enum Kind: Hashable {
        case word(String)
        case text(String)
        case equal
        case notEqual
        case not
        case and
        case or
        case open
        case close
        case openList
        case closeList
        case comma
    }

    /// A label or an operator that is spelt out, with its place.
    struct Word {
        let text: String
        let column: Int
    }

    let kind: Kind
    /// In characters from 1.
    let column: Int
}

extension SelectorToken.Kind: CustomStringConvertible {
    /// The word in a diagnostic.
    var description: String {
        switch self {
        case .word(let text): text
        case .text(let text): "\"\(text)\""
        case .equal: "=="
        case .notEqual: "!="
        case .not: "!"
        case .and: "&&"
        case .or: "||"
        case .open: "("
        case .close: ")"
        case .openList: "{"
        case .closeList: "}"
        case .comma: ","
        }
    }
}

extension SelectorToken {
    private static let signs: [(text: String, kind: Kind)] = [
        ("==", .equal), ("!=", .notEqual), ("&&", .and), ("||", .or), ("!", .not), ("(", .open), (")", .close),
        ("{", .openList), ("}", .closeList), (",", .comma),
    ]

    /// The words of a text.
    static func tokens(of text: String) throws(SelectorError) -> [SelectorToken] {
        var tokens: [SelectorToken] = []
        var rest = text[...]
        var column = 1
        while let first = rest.first {
            let length: Int
            if first == " " || first == "\t" || first.isNewline {
                length = 1
            } else if let sign = signs.first(where: { rest.hasPrefix($0.text) }) {
                tokens.append(SelectorToken(kind: sign.kind, column: column))
                length = sign.text.count
            } else if first == "'" || first == "\"" {
                guard let close = rest.dropFirst().firstIndex(of: first) else {
                    throw SelectorError(column: column, reason: "a quote that is never closed")
                }
                let value = rest[rest.index(after: rest.startIndex)..<close]
                tokens.append(SelectorToken(kind: .text(String(value)), column: column))
                length = value.count + 2
            } else {
                let word = rest.prefix(while: \.isSelectorWord)
                guard !word.isEmpty else {
                    throw SelectorError(column: column, reason: "\"\(first)\" means nothing in a selector")
                }
                tokens.append(SelectorToken(kind: .word(String(word)), column: column))
                length = word.count
            }
            rest = rest.dropFirst(length)
            column += length
        }
        return tokens
    }
}

extension Character {
    /// Whether labels are written with it: `[A-Za-z0-9_./-]`.
    fileprivate var isSelectorWord: Bool {
        isASCII && (isLetter || isNumber || self == "_" || self == "." || self == "/" || self == "-")
    }
}
