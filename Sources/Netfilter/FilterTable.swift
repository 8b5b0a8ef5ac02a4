// Netfilter: the one nftables table that is Apus' own, through libnftables.
//
// The table is written as a whole, in one transaction of the kernel's, and only where it differs: a daemon that restarts
// changes nothing. Nobody else's table is looked at.

/// The table `inet apus` (nft(8), libnftables(3)) in the calling thread's network namespace.
package enum FilterTable {
    /// What was done.
    package enum Change: Sendable, Equatable {
        /// The table was as it should be.
        case none
        /// There was none.
        case made
        /// It was another one.
        case replaced
    }

    /// Makes the table what the rules ask for, in one step.
    @discardableResult
    package static func apply(_ rules: FilterRules = FilterRules()) throws(NetfilterError) -> Change {
        let library = try NFTables()
        let found = library.list()
        if let found, words(of: found) == words(of: rules.text) { return .none }
        // A table that is declared is there to be deleted; all of it is one transaction.
        try library.run("table inet apus\ndelete table inet apus\n" + rules.text, operation: "write table inet apus")
        return found == nil ? .made : .replaced
    }

    /// Removes the table; nothing happens when there is none.
    package static func remove() throws(NetfilterError) {
        try NFTables().run("table inet apus\ndelete table inet apus\n", operation: "delete table inet apus")
    }

    /// The table as it is now; nil when there is none.
    package static func current() throws(NetfilterError) -> String? {
        try NFTables().list()
    }

    /// The table is compared word by word: nft breaks long lines where it likes, and names a protocol as /etc/protocols
    /// does, where there is one.
    static func words(of text: String) -> [Substring] {
        text.split { $0.isWhitespace || $0 == "," }.map { $0 == "ipencap" ? "4" : $0 }
    }
}
