import CLibNL
import Glibc
import NetTypes

/// The questions, in the form that strict checking (NETLINK_GET_STRICT_CHK) wants: nothing in the header but filters.
enum NetlinkQuery {
    static func link(named name: String) throws(NetlinkError) -> NetlinkMessage {
        var message = try link(ifinfomsg())
        message.put(IFLA_IFNAME, name)
        return message
    }

    static func link(index: UInt32) throws(NetlinkError) -> NetlinkMessage {
        try link(ifinfomsg(index: index))
    }

    static func links() throws(NetlinkError) -> NetlinkMessage {
        try link(ifinfomsg())
    }

    static func addresses(linkIndex: UInt32?) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage()
        var header = ifaddrmsg()
        header.ifa_index = linkIndex ?? 0
        message.begin(RTM_GETADDR, flags: 0, header)
        return message
    }

    static func routes(
        protocolNumber: UInt8?, family: AddressFamily, linkIndex: UInt32?,
    ) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage()
        var header = rtmsg()
        header.rtm_family = family.number
        header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
        header.rtm_protocol = protocolNumber ?? 0
        message.begin(RTM_GETROUTE, flags: 0, header)
        if let linkIndex { message.put(RTA_OIF.rawValue, linkIndex) }
        return message
    }

    static func neighbours(linkIndex: UInt32?) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage()
        message.begin(RTM_GETNEIGH, flags: 0, ndmsg())
        if let linkIndex { message.put(NDA_IFINDEX, linkIndex) }
        return message
    }

    static func fdb(linkIndex: UInt32) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage()
        var header = ndmsg()
        header.ndm_family = UInt8(PF_BRIDGE)
        message.begin(RTM_GETNEIGH, flags: 0, header)
        message.put(NDA_IFINDEX, linkIndex)
        return message
    }

    /// The counters are left out: they are half of the answer, and nobody here reads them.
    private static func link(_ header: ifinfomsg) throws(NetlinkError) -> NetlinkMessage {
        var message = try NetlinkMessage()
        message.begin(RTM_GETLINK, flags: 0, header)
        message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_SKIP_STATS))
        return message
    }
}

extension Route {
    /// Whether the route is one of those that a query is for. A kernel before 4.20 ignores the filters, and one that was
    /// started with ipv6.disable=1 answers for all families where it is asked for IPv6.
    func isAskedFor(_ protocolNumber: UInt8?, _ family: AddressFamily, linkIndex: UInt32?) -> Bool {
        destination.family == family && protocolNumber.map { self.protocolNumber == $0 } ?? true
            && linkIndex.map { index in hops.contains { $0.linkIndex == index } } ?? true
    }
}
