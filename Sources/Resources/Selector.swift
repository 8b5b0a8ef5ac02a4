/// A condition on labels, in Calico's grammar: `rack == 'a' && !has(edge)`.
///
/// An empty text selects everything, as in Calico. Two selectors are equal when their meanings are written alike,
/// whatever the spaces.
package struct Selector: Sendable, Hashable, CustomStringConvertible {
    /// The condition as a tree.
    package indirect enum Expression: Sendable, Hashable {
        case all
        case global
        case has(String)
        case equal(String, String)
        case notEqual(String, String)
        case contains(String, String)
        case startsWith(String, String)
        case endsWith(String, String)
        case isIn(String, Set<String>)
        case isNotIn(String, Set<String>)
        case not(Expression)
        case and([Expression])
        case or([Expression])
    }

    /// The condition.
    package let expression: Expression

    /// Selects everything.
    package static let all = Selector(.all)

    /// Makes a selector of a condition.
    package init(_ expression: Expression) {
        self.expression = expression
    }

    /// Whether a thing with these labels is selected.
    package func matches(_ labels: [String: String]) -> Bool { expression.matches(labels) }
}
