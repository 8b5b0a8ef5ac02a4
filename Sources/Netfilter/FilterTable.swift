// Netfilter: the nftables tables that are Apus' own, through libnftables.
//
// They are written as a whole, in one transaction of the kernel's, and only where they differ: a daemon that restarts
// changes nothing. Nobody else's table is looked at. What "differ" means is `FilterListing`'s to say.

/// The tables `inet apus` and `ip6 apus` (nft(8), libnftables(3)) in the calling thread's network namespace. What is
/// IPv6's alone has a table of its own: a chain of `inet` is a hook for both families.
package enum FilterTable {
    /// Their families and names.
    package static let names = ["inet apus", "ip6 apus"]

    /// What was done.
    package enum Change: Sendable, Equatable {
        /// The table was as it should be.
        case none
        /// There was none.
        case made
        /// It was another one.
        case replaced
    }

    /// Makes the tables what the rules ask for, in one step.
    @discardableResult
    package static func apply(_ rules: FilterRules = FilterRules()) throws(NetfilterError) -> Change {
        var known = FilterListing()
        return try apply(rules, known: &known)
    }

    /// Makes the tables what the rules ask for, in one step.
    ///
    /// - Parameter known: how the tables were listed after the last writing; what is written now takes its place.
    package static func apply(_ rules: FilterRules, known: inout FilterListing) throws(NetfilterError) -> Change {
        let library = try NFTables()
        let found = list(library)
        if let found, known.shows(rules, in: found) { return .none }
        try library.run(deletion + rules.text, operation: "write the tables apus")
        known = FilterListing(of: rules, list(library) ?? "")
        return found == nil ? .made : .replaced
    }

    /// Removes the tables; nothing happens when there are none.
    package static func remove() throws(NetfilterError) {
        try NFTables().run(deletion, operation: "delete the tables apus")
    }

    /// The tables as they are now; nil when there is none.
    package static func current() throws(NetfilterError) -> String? {
        list(try NFTables())
    }

    private static func list(_ library: borrowing NFTables) -> String? {
        var found: [String] = []
        for name in names {
            if let text = library.list(name) { found.append(text) }
        }
        return found.isEmpty ? nil : found.joined()
    }

    /// A table that is declared is there to be deleted; all of it is one transaction.
    private static var deletion: String { names.map { "table \($0)\ndelete table \($0)\n" }.joined() }

    /// A table is compared word by word: nft breaks long lines where it likes. From 1.1.4 on it lists `fib … iif check`
    /// where `fib … iif oif` was written, which older ones alone understand.
    static func words(of text: some StringProtocol) -> [Substring] {
        Substring(text).split { $0.isWhitespace || $0 == "," }.map { $0 == "check" ? "oif" : $0 }
    }
}
