import CLibNL

/// Hears that somebody has changed rules of nftables, whoever and in whichever table (`NFNLGRP_NFTABLES`,
/// linux/netfilter/nfnetlink.h), in the namespace its thread was in when it was opened.
///
/// Not for more than one thread at a time.
struct RulesetWatch: ~Copyable {
    /// How many datagrams one look takes at most; what is left over is a change for the next.
    private static let datagramsPerLook = 1024

    private var handle: NetlinkHandle

    /// Subscribes.
    init() throws(NetlinkError) {
        let handle = try NetlinkHandle(receiveBufferBytes: 256 << 10, family: NETLINK_NETFILTER)
        try handle.join(NFNLGRP_NFTABLES.rawValue)
        self.handle = handle
    }

    /// The descriptor to poll; readable when there may be a change.
    var descriptor: Int32 { handle.descriptor }

    /// Whether there was a change since the last call, or since the watch was opened. Never waits. Where events were
    /// lost there was one.
    mutating func hasChanged() throws(NetlinkError) -> Bool {
        var isChanged = false
        for _ in 0..<Self.datagramsPerLook {
            do throws(NetlinkError) {
                guard try handle.receivePending({ _, _ in }) else { return isChanged }
            } catch {
                guard error.isOverrun else { throw error }
            }
            isChanged = true
        }
        return isChanged
    }
}
