/// Why a selector's text is none.
package struct SelectorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place in the text, in characters from 1.
    package let column: Int
    /// What is wrong there.
    package let reason: String

    /// The reason and the place.
    package var description: String { "\(reason) at character \(column) of the selector" }
}

extension Selector {
    /// Parses Calico's grammar; an empty text is `all()`.
    /// - Throws: `SelectorError` with the place; refuse the resource.
    package init(parsing text: String) throws(SelectorError) {
        var parser = SelectorParser(tokens: try SelectorToken.tokens(of: text), end: text.count + 1)
        if parser.isAtEnd {
            self = .all
            return
        }
        let expression = try parser.parseOr(depth: 0)
        guard parser.isAtEnd else { throw parser.unexpected("&&, || or the end") }
        self.init(expression)
    }
}

/// Recursive descent over `or := and { "||" and }`, `and := term { "&&" term }`,
/// `term := "!" term | "(" or ")" | call | label operator value`.
struct SelectorParser {
    /// Parentheses and negations deeper than this are refused, so that no text can exhaust the stack.
    static let maximalDepth = 64

    private var tokens: ArraySlice<SelectorToken>
    private let end: Int

    init(tokens: [SelectorToken], end: Int) {
        self.tokens = tokens[...]
        self.end = end
    }

    var isAtEnd: Bool { tokens.isEmpty }

    func unexpected(_ expected: String) -> SelectorError {
        guard let token = tokens.first else {
            return SelectorError(column: end, reason: "expected \(expected), found the end")
        }
        return SelectorError(column: token.column, reason: "expected \(expected), found \(token.kind)")
    }

    mutating func parseOr(depth: Int) throws(SelectorError) -> Selector.Expression {
        var terms = [try parseAnd(depth: depth)]
        while take(.or) { terms.append(try parseAnd(depth: depth)) }
        return terms.count == 1 ? terms[0] : .or(terms)
    }

    private mutating func parseAnd(depth: Int) throws(SelectorError) -> Selector.Expression {
        var terms = [try parseTerm(depth: depth)]
        while take(.and) { terms.append(try parseTerm(depth: depth)) }
        return terms.count == 1 ? terms[0] : .and(terms)
    }

    private mutating func parseTerm(depth: Int) throws(SelectorError) -> Selector.Expression {
        guard depth < Self.maximalDepth else {
            throw SelectorError(column: tokens.first?.column ?? end, reason: "nested too deeply")
        }
        if take(.not) { return .not(try parseTerm(depth: depth + 1)) }
        if take(.open) {
            let inner = try parseOr(depth: depth + 1)
            try expect(.close)
            return inner
        }
        let label = try parseWord("a label, a function or (")
        if take(.open) { return try parseCall(label) }
        return try parseComparison(of: label)
    }

    private mutating func parseCall(_ name: SelectorToken.Word) throws(SelectorError) -> Selector.Expression {
        let expression: Selector.Expression
        switch name.text {
        case "all": expression = .all
        case "global": expression = .global
        case "has": expression = .has(try parseWord("a label").text)
        default: throw SelectorError(column: name.column, reason: "\(name.text)() is no function of selectors")
        }
        try expect(.close)
        return expression
    }

    private mutating func parseComparison(of label: SelectorToken.Word) throws(SelectorError) -> Selector.Expression {
        if take(.equal) { return .equal(label.text, try parseValue()) }
        if take(.notEqual) { return .notEqual(label.text, try parseValue()) }
        let column = tokens.first?.column ?? end
        let word = try parseWord("==, !=, in, not in, contains, starts with or ends with").text
        switch word {
        case "contains":
            return .contains(label.text, try parseValue())
        case "starts", "ends":
            guard try parseWord("with").text == "with" else {
                throw SelectorError(column: column, reason: "\"\(word)\" without \"with\"")
            }
            let value = try parseValue()
            return word == "starts" ? .startsWith(label.text, value) : .endsWith(label.text, value)
        case "in":
            return .isIn(label.text, try parseList())
        case "not":
            guard try parseWord("in").text == "in" else {
                throw SelectorError(column: column, reason: "\"not\" without \"in\"; before a condition write !")
            }
            return .isNotIn(label.text, try parseList())
        default:
            throw SelectorError(column: column, reason: "\"\(word)\" is no operator of selectors")
        }
    }

    private mutating func parseList() throws(SelectorError) -> Set<String> {
        var values: Set<String> = []
        try expect(.openList)
        if take(.closeList) { return values }
        repeat { values.insert(try parseValue()) } while take(.comma)
        try expect(.closeList)
        return values
    }

    private mutating func parseWord(_ expected: String) throws(SelectorError) -> SelectorToken.Word {
        guard let token = tokens.first, case .word(let text) = token.kind else { throw unexpected(expected) }
        tokens.removeFirst()
        return SelectorToken.Word(text: text, column: token.column)
    }

    private mutating func parseValue() throws(SelectorError) -> String {
        guard case .text(let value) = tokens.first?.kind else { throw unexpected("a value in quotes") }
        tokens.removeFirst()
        return value
    }

    private mutating func take(_ kind: SelectorToken.Kind) -> Bool {
        guard tokens.first?.kind == kind else { return false }
        tokens.removeFirst()
        return true
    }

    private mutating func expect(_ kind: SelectorToken.Kind) throws(SelectorError) {
        guard take(kind) else { throw unexpected(kind.description) }
    }
}
