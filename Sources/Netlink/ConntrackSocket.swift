import CLibNL
import Glibc
package import LinuxOS
package import NetTypes

/// Forgets the connections of addresses that have been freed (ctnetlink, linux/netfilter/nfnetlink_conntrack.h).
package enum ConntrackSocket {
    private static let timeout = Duration.seconds(2)

    /// From so many addresses on, one look at all connections of their family costs less than two walks through the table
    /// for each of them.
    private static let fewest = 3

    /// Forgets every connection that one of the addresses has begun, or that has been led to it, in the calling
    /// thread's network namespace. Nothing happens where nothing is tracked.
    ///
    /// The kernel goes through the whole table for an address: that is milliseconds where the table is large.
    ///
    /// - Parameters:
    ///   - count: `countSetting` of the thread's namespace, for who asks again and again.
    ///   - isFiltered: whether to try the deletion by an address alone, which Linux has understood since 6.12; without it,
    ///     and on older kernels, the connections are looked at and deleted one by one.
    package static func flush(
        _ addresses: [IPAddress], count: KeptSetting? = nil, isFiltered: Bool = true,
    ) throws(NetlinkError) {
        guard !addresses.isEmpty, isTracking(count) else { return }
        var handle: NetlinkHandle
        do throws(NetlinkError) {
            handle = try NetlinkHandle(receiveBufferBytes: 64 << 10, family: NETLINK_NETFILTER)
        } catch {
            // A kernel without nfnetlink shows its connections to nobody.
            guard error.code == .EOPNOTSUPP || error.code.rawValue == EPROTONOSUPPORT else { throw error }
            return
        }
        var sequence: UInt32 = 0
        for family in AddressFamily.allCases {
            let own = addresses.filter { $0.family == family }
            guard !own.isEmpty else { continue }
            if isFiltered, own.count < fewest, try deleteFiltered(own, &sequence, &handle) { continue }
            for connection in try connections(of: own, &sequence, &handle) {
                try delete(connection, family, &sequence, &handle)
            }
        }
    }

    /// - Returns: false when the kernel does not know how; it has deleted nothing then.
    private static func deleteFiltered(
        _ addresses: [IPAddress], _ sequence: inout UInt32, _ handle: inout NetlinkHandle,
    ) throws(NetlinkError) -> Bool {
        for address in addresses {
            // Whatever was translated on the way: what the pod began has it as the origin's source, what was led to it
            // as the reply's.
            for tuple in [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY] {
                do throws(NetlinkError) {
                    try delete(address, tuple, &sequence, &handle)
                } catch {
                    // It takes the tuple for a whole one, and that for a wrong one.
                    guard error.code == .EINVAL || error.code == .EOPNOTSUPP else { throw error }
                    return false
                }
            }
        }
        return true
    }

    /// Whether there is a tracked connection at all. To ask ctnetlink would load its module where nobody needs it.
    private static func isTracking(_ setting: KeptSetting?) -> Bool {
        guard let count = try? setting?.read() ?? Sysctl.read(countSetting) else { return false }
        return count != "0"
    }

    /// How many connections are tracked, as the setting's parts below /proc/sys.
    package static let countSetting = ["net", "netfilter", "nf_conntrack_count"]

    private static func delete(
        _ address: IPAddress, _ tuple: ctattr_type, _ sequence: inout UInt32, _ handle: inout NetlinkHandle,
    ) throws(NetlinkError) {
        var message = try NetlinkMessage()
        // A version other than 0 says that the family is to be looked at.
        message.begin(type(IPCTNL_MSG_CT_DELETE), flags: 0, header(address.family, version: 1))
        message.put(address, asSourceOf: tuple)
        try ask(message, NLM_F_ACK, "\(address)", &sequence, &handle) { _ in }
    }

    /// Sends a request and waits for the last of its answers; ENOENT, nothing of the kind being there, is none.
    static func ask(
        _ message: borrowing NetlinkMessage, _ flags: Int32, _ object: String, _ sequence: inout UInt32,
        _ handle: inout NetlinkHandle, _ body: (RawSpan) -> Void,
    ) throws(NetlinkError) {
        sequence += 1
        let mine = sequence
        var datagram: [UInt8] = []
        message.append(to: &datagram, sequence: mine, flags: flags)
        try handle.send(datagram)
        let deadline = BootClock.now() + timeout
        var isDone = false
        while !isDone {
            try handle.receive(until: deadline, orThrow: { $0 }) { header, payload throws(NetlinkError) in
                guard header.sequence == mine else { return }
                guard header.type == Int(NLMSG_ERROR) || header.type == Int(NLMSG_DONE) else { return body(payload) }
                isDone = true
                let (code, text) = NetlinkReader.outcome(header, payload)
                guard code.rawValue == 0 || code == .ENOENT else {
                    throw NetlinkError(.connectionsDelete, object, code, kernelMessage: text)
                }
            }
        }
    }

    /// The number of a message of ctnetlink.
    static func type(_ message: cntl_msg_types) -> Int32 {
        Int32(NFNL_SUBSYS_CTNETLINK) << 8 | Int32(message.rawValue)
    }

    /// The header that follows netlink's own.
    static func header(_ family: AddressFamily, version: UInt8) -> nfgenmsg {
        nfgenmsg(nfgen_family: family.number, version: version, res_id: 0)
    }
}

extension NetlinkMessage {
    /// The filter's bit for an address of origin (`CTA_FILTER_FLAG_CTA_IP_SRC` in the kernel's nf_internals.h).
    private static let sourceFlag: UInt32 = 1 << 0

    /// Adds a tuple that says nothing but its source, and that this is all that counts.
    mutating func put(_ address: IPAddress, asSourceOf tuple: ctattr_type) {
        nest(tuple.rawValue) { tuple in
            tuple.nest(CTA_TUPLE_IP.rawValue) { ip in
                ip.put(address.family == .ipv4 ? CTA_IP_V4_SRC.rawValue : CTA_IP_V6_SRC.rawValue, bytes: address.bytes)
            }
        }
        let flags = tuple == CTA_TUPLE_ORIG ? CTA_FILTER_ORIG_FLAGS : CTA_FILTER_REPLY_FLAGS
        nest(CTA_FILTER.rawValue) { $0.put(flags.rawValue, Self.sourceFlag) }
    }
}
