extension Selector.Expression {
    /// Whether a thing with these labels is selected. A label that is absent is equal to nothing, so that `!=` and
    /// `not in` hold for it.
    func matches(_ labels: [String: String]) -> Bool {
        switch self {
        case .all, .global: true
        case .has(let key): labels[key] != nil
        case .equal(let key, let value): labels[key] == value
        case .notEqual(let key, let value): labels[key] != value
        case .contains(let key, let part): labels[key].map { Self.bytes($0, contain: part) } ?? false
        case .startsWith(let key, let part): labels[key].map { $0.utf8.starts(with: part.utf8) } ?? false
        case .endsWith(let key, let part):
            labels[key].map { $0.utf8.reversed().starts(with: part.utf8.reversed()) } ?? false
        case .isIn(let key, let values): labels[key].map { values.contains($0) } ?? false
        case .isNotIn(let key, let values): labels[key].map { !values.contains($0) } ?? true
        case .not(let inner): !inner.matches(labels)
        case .and(let terms): terms.allSatisfy { $0.matches(labels) }
        case .or(let terms): terms.contains { $0.matches(labels) }
        }
    }

    private static func bytes(_ text: String, contain part: String) -> Bool {
        var rest = Substring(text).utf8
        while true {
            if rest.starts(with: part.utf8) { return true }
            if rest.popFirst() == nil { return false }
        }
    }
}

extension Selector {
    /// The condition in Calico's grammar, which parses back to an equal selector.
    package var description: String { expression.text(inside: .or) }
}

extension Selector.Expression {
    /// How tightly the surroundings bind: what stands in them must bind at least as tightly or take parentheses.
    enum Binding: Int {
        case or
        case and
        case not
    }

    func text(inside binding: Binding) -> String {
        switch self {
        case .all: "all()"
        case .global: "global()"
        case .has(let key): "has(\(key))"
        case .equal(let key, let value): "\(key) == \(Self.quoted(value))"
        case .notEqual(let key, let value): "\(key) != \(Self.quoted(value))"
        case .contains(let key, let value): "\(key) contains \(Self.quoted(value))"
        case .startsWith(let key, let value): "\(key) starts with \(Self.quoted(value))"
        case .endsWith(let key, let value): "\(key) ends with \(Self.quoted(value))"
        case .isIn(let key, let values): "\(key) in \(Self.list(values))"
        case .isNotIn(let key, let values): "\(key) not in \(Self.list(values))"
        case .not(let inner): "!" + inner.text(inside: .not)
        case .and(let terms): Self.joined(terms, by: " && ", as: .and, inside: binding)
        case .or(let terms): Self.joined(terms, by: " || ", as: .or, inside: binding)
        }
    }

    private static func joined(
        _ terms: [Self], by word: String, as own: Binding, inside binding: Binding,
    ) -> String {
        // A term that is itself a list of the same kind keeps its parentheses, so that the text parses back alike.
        let inner = own == .or ? Binding.and : Binding.not
        let text = terms.map { $0.text(inside: inner) }.joined(separator: word)
        return binding.rawValue > own.rawValue ? "(\(text))" : text
    }

    private static func quoted(_ value: String) -> String {
        value.contains("'") ? "\"\(value)\"" : "'\(value)'"
    }

    private static func list(_ values: Set<String>) -> String {
        "{" + values.sorted().map(quoted).joined(separator: ", ") + "}"
    }
}
