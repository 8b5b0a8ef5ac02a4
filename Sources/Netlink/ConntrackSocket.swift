import CLibNL
import Glibc
import LinuxOS
package import NetTypes

/// Forgets the connections of addresses that have been freed (ctnetlink, linux/netfilter/nfnetlink_conntrack.h).
package enum ConntrackSocket {
    /// The filter's bit for an address of origin (`CTA_FILTER_FLAG_CTA_IP_SRC` in the kernel's nf_internals.h).
    private static let sourceFlag: UInt32 = 1 << 0
    private static let timeout = Duration.seconds(2)

    /// Forgets every connection that one of the addresses has begun, or that has been led to it, in the calling
    /// thread's network namespace. Nothing happens where nothing is tracked.
    ///
    /// The kernel goes through the whole table for each address: that is milliseconds where the table is large.
    package static func flush(_ addresses: [IPAddress]) throws(NetlinkError) {
        guard !addresses.isEmpty, isTracking else { return }
        var handle: NetlinkHandle
        do throws(NetlinkError) {
            handle = try NetlinkHandle(receiveBufferBytes: 64 << 10, family: NETLINK_NETFILTER)
        } catch {
            // A kernel without nfnetlink shows its connections to nobody.
            guard error.code == .EOPNOTSUPP || error.code.rawValue == EPROTONOSUPPORT else { throw error }
            return
        }
        var sequence: UInt32 = 0
        for address in addresses {
            // Whatever was translated on the way: what the pod began has it as the origin's source, what was led to it
            // as the reply's.
            for tuple in [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY] {
                sequence += 1
                try delete(address, tuple, sequence, &handle)
            }
        }
    }

    /// Whether there is a tracked connection at all. To ask ctnetlink would load its module where nobody needs it.
    private static var isTracking: Bool {
        guard let count = try? Sysctl.read(["net", "netfilter", "nf_conntrack_count"]) else { return false }
        return count != "0"
    }

    private static func delete(
        _ address: IPAddress, _ tuple: ctattr_type, _ sequence: UInt32, _ handle: inout NetlinkHandle,
    ) throws(NetlinkError) {
        var message = try NetlinkMessage()
        // A version other than 0 says that the family is to be looked at.
        let header = nfgenmsg(nfgen_family: address.family.number, version: 1, res_id: 0)
        message.begin(Int32(NFNL_SUBSYS_CTNETLINK) << 8 | Int32(IPCTNL_MSG_CT_DELETE.rawValue), flags: 0, header)
        message.nest(tuple.rawValue) { tuple in
            tuple.nest(CTA_TUPLE_IP.rawValue) { ip in
                ip.put(address.family == .ipv4 ? CTA_IP_V4_SRC.rawValue : CTA_IP_V6_SRC.rawValue, bytes: address.bytes)
            }
        }
        let flags = tuple == CTA_TUPLE_ORIG ? CTA_FILTER_ORIG_FLAGS : CTA_FILTER_REPLY_FLAGS
        message.nest(CTA_FILTER.rawValue) { $0.put(flags.rawValue, sourceFlag) }
        var datagram: [UInt8] = []
        message.append(to: &datagram, sequence: sequence, flags: NLM_F_ACK)
        try handle.send(datagram)
        let deadline = BootClock.now() + timeout
        var isDone = false
        while !isDone {
            try handle.receive(until: deadline, orThrow: { $0 }) { header, payload throws(NetlinkError) in
                guard header.sequence == sequence, header.type == Int(NLMSG_ERROR) else { return }
                isDone = true
                let (code, text) = NetlinkReader.outcome(header, payload)
                // ENOENT: there was none.
                guard code.rawValue == 0 || code == .ENOENT else {
                    throw NetlinkError(.connectionsDelete, "\(address)", code, kernelMessage: text)
                }
            }
        }
    }
}
