import NetTypes

/// How nft listed the tables right after they were written.
///
/// Its words are its own: they differ from one version to the next. What was listed after the own writing is therefore as
/// good as the words that were written. A daemon that restarts knows the latter alone.
package struct FilterListing: Sendable {
    private var rules: FilterRules?
    private var words: [Substring] = []

    /// Nothing was written yet.
    package init() {}

    /// Takes what is listed after `rules` were written, unless somebody has come in between: it must have the same chains,
    /// in each as many rules with the same verdicts, and sets of the same elements.
    package init(of rules: FilterRules, _ listing: String) {
        guard Self.outline(of: listing) == Self.outline(of: rules.text) else { return }
        self.rules = rules
        words = FilterTable.words(of: listing)
    }

    /// Whether a listing shows these rules.
    package func shows(_ rules: FilterRules, in listing: String) -> Bool {
        let found = FilterTable.words(of: listing)
        return found == FilterTable.words(of: rules.text) || self.rules == rules && found == words
    }

    /// What no version words otherwise. Lines count in chains alone: a set's elements are broken over lines at will.
    private static func outline(of listing: String) -> [Substring] {
        var outline: [Substring] = []
        var isChain = false
        for line in listing.split(separator: "\n") {
            let words = FilterTable.words(of: line).flatMap { $0.split(separator: ";") }
            guard let first = words.first else { continue }
            if ["table", "set", "chain"].contains(first) {
                isChain = first == "chain"
                outline += words
                continue
            }
            if isChain { outline.append("\n") }
            outline += words.filter(isOfOutline)
        }
        return outline
    }

    private static let outlined: Set<Substring> = [
        "{", "}", "hook", "prerouting", "input", "forward", "output", "postrouting", "accept", "drop", "reject",
        "return", "continue", "queue", "jump", "goto", "masquerade", "snat", "dnat", "redirect",
    ]

    /// Braces, hooks, verdicts, the names of links and sets, addresses.
    private static func isOfOutline(_ word: Substring) -> Bool {
        outlined.contains(word) || word.hasPrefix("\"") || word.hasPrefix("@") || IPAddress(word) != nil
            || IPPrefix(word) != nil
    }
}
