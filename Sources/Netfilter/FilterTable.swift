// Netfilter: the one nftables table that is Apus' own, through libnftables.
//
// The table is written as a whole, in one transaction of the kernel's, and only where it differs: a daemon that restarts
// changes nothing. Nobody else's table is looked at.

import CLibNFTables
import LinuxOS

/// What nftables refused, in its own words.
package struct NetfilterError: Error, Sendable, CustomStringConvertible {
    /// What was to be done.
    package let operation: String
    /// The library's message.
    package let message: String

    /// Both, in one line.
    package var description: String { "\(operation): \(message)" }
}

/// The table `inet apus` (nft(8), libnftables(3)) in the calling thread's network namespace.
package enum FilterTable {
    /// The table as `nft list table` prints it.
    ///
    /// `rpf` keeps every pod from sending with an address that is not its own, be it IPv4 or IPv6: a packet is let in by
    /// the link alone by which one to its source would go out. It does without the pods' addresses, so that it need not
    /// be written again when pods come and go, and does not depend on rp_filter, which others set to what they like.
    package static let text = """
        table inet apus {
        \tchain rpf {
        \t\ttype filter hook prerouting priority raw; policy accept;
        \t\tiifname "cali*" fib saddr . iif oif missing counter drop
        \t}
        }

        """

    /// What was done.
    package enum Change: Sendable, Equatable {
        /// The table was as it should be.
        case none
        /// There was none.
        case made
        /// It was another one.
        case replaced
    }

    /// Makes the table what it should be, in one step.
    @discardableResult
    package static func apply() throws(NetfilterError) -> Change {
        let library = try NFTables()
        let found = library.list()
        if found == text { return .none }
        // A table that is declared is there to be deleted; all of it is one transaction.
        try library.run("table inet apus\ndelete table inet apus\n" + text, operation: "write table inet apus")
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
}

/// The owner of a libnftables context. Not for more than one thread at a time.
@safe
private struct NFTables: ~Copyable {
    private let context: OpaquePointer

    init() throws(NetfilterError) {
        guard let context = unsafe nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw NetfilterError(operation: "open nftables", message: "no memory or no netlink socket")
        }
        // Without the counters' numbers a table that does its work is the same table.
        unsafe nft_ctx_output_set_flags(context, UInt32(NFT_CTX_OUTPUT_STATELESS))
        let outputs = unsafe nft_ctx_buffer_output(context) == 0 && nft_ctx_buffer_error(context) == 0
        guard outputs else {
            unsafe nft_ctx_free(context)
            throw NetfilterError(operation: "open nftables", message: "no memory")
        }
        unsafe self.context = context
    }

    deinit {
        // SAFETY: allocated in init, freed nowhere else.
        unsafe nft_ctx_free(context)
    }

    /// The table; nil when there is none, or no nftables.
    func list() -> String? {
        guard unsafe nft_run_cmd_from_buffer(context, "list table inet apus") == 0 else { return nil }
        // SAFETY: the buffer is the context's, ended by NUL, and valid until the next command.
        return unsafe nft_ctx_get_output_buffer(context).map { unsafe String(cString: $0) }
    }

    func run(_ commands: String, operation: String) throws(NetfilterError) {
        guard unsafe nft_run_cmd_from_buffer(context, commands) == 0 else {
            // SAFETY: as in `list`.
            let message = unsafe nft_ctx_get_error_buffer(context).map { unsafe String(cString: $0) } ?? ""
            let firstLine = message.split(separator: "\n").first.map(String.init)
            throw NetfilterError(operation: operation, message: firstLine ?? "no reason given")
        }
    }
}
