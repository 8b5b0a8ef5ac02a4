import CLibNFTables

/// What nftables refused, in its own words.
package struct NetfilterError: Error, Sendable, CustomStringConvertible {
    /// What was to be done.
    package let operation: String
    /// The library's message.
    package let message: String

    /// Both, in one line.
    package var description: String { "\(operation): \(message)" }
}

/// The owner of a libnftables context. Not for more than one thread at a time.
@safe
struct NFTables: ~Copyable {
    private let context: OpaquePointer

    init() throws(NetfilterError) {
        guard let context = unsafe nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw NetfilterError(operation: "open nftables", message: "no memory or no netlink socket")
        }
        // Without the counters' numbers a table that does its work is the same table. A protocol's name is a matter of
        // /etc/protocols, which a container may lack.
        unsafe nft_ctx_output_set_flags(
            context, UInt32(NFT_CTX_OUTPUT_STATELESS) | UInt32(NFT_CTX_OUTPUT_NUMERIC_PROTO))
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

    /// The table of that family and name; nil when there is none, or no nftables.
    func list(_ name: String) -> String? {
        guard unsafe nft_run_cmd_from_buffer(context, "list table \(name)") == 0 else { return nil }
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
