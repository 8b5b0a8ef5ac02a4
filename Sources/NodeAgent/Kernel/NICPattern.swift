import Netlink

/// Which links count as NICs, by the regular expression of `mtuIfacePattern`.
struct NICPattern {
    private let text: String
    private let expression: Regex<AnyRegexOutput>?
    private var known: [String: Bool] = [:]

    /// - Parameter text: the expression; one that cannot be read matches nothing.
    init(_ text: String) {
        self.text = text
        expression = try? Regex(text)
    }

    /// Whether this is the pattern of that text.
    func isMade(of text: String) -> Bool { self.text == text }

    /// Whether the expression could be read.
    var isValid: Bool { expression != nil }

    /// The smallest MTU among the NICs that are operationally up; nil when there is none.
    mutating func smallestMTUBytes(among links: [Link]) -> UInt32? {
        var smallest: UInt32?
        for link in links where link.operState == .up && matches(link.name) {
            smallest = min(smallest ?? link.mtuBytes, link.mtuBytes)
        }
        return smallest
    }

    private mutating func matches(_ name: String) -> Bool {
        if let answer = known[name] { return answer }
        let answer = expression.map { name.firstMatch(of: $0) != nil } ?? false
        // Names come and go; those of pods are never asked about.
        if known.count > 1024 { known = [:] }
        known[name] = answer
        return answer
    }
}
