import CLibNL
package import LinuxOS
package import NetTypes

/// Hears what changes in the kernel: links, addresses, routes, neighbours and rules of one network namespace.
///
/// It belongs to the namespace its thread was in when it was opened. Open it before the first dump, so that no change
/// falls between. Not for more than one thread at a time.
package struct NetlinkMonitor: ~Copyable {
    private var handle: NetlinkHandle
    /// nil on a kernel without nftables.
    private var ruleset: RulesetWatch?
    /// poll(2) passes over a negative number.
    private let rulesetDescriptor: Int32

    /// How many datagrams one `drain` takes at most: a flood must not keep its caller from all else.
    private static let datagramsPerDrain = 4096

    /// Subscribes, with a receive buffer that holds the events of tens of thousands of routes.
    package init() throws(NetlinkError) {
        let handle = try NetlinkHandle(receiveBufferBytes: 8 << 20)
        let groups = [
            RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
            RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
        ]
        for group in groups { try handle.join(group.rawValue) }
        // A kernel before 5.3 has no such group, and no such next hops.
        try? handle.join(RTNLGRP_NEXTHOP.rawValue)
        self.handle = handle
        if let watch = try? RulesetWatch() {
            rulesetDescriptor = watch.descriptor
            ruleset = consume watch
        } else {
            rulesetDescriptor = -1
            ruleset = nil
        }
    }

    /// The descriptor to poll; readable when there are events.
    package var descriptor: Int32 { handle.descriptor }

    /// Waits for events.
    ///
    /// - Returns: whether there are any before the deadline (on `BootClock`).
    package func wait(until deadline: MonotonicTime) throws(NetlinkError) -> Bool {
        do throws(SystemError) {
            return try Poll.readable([descriptor], until: deadline, name: "rtnetlink")[0]
        } catch {
            throw NetlinkError(.receive, "events", error.code)
        }
    }

    /// Waits for events, or for another thread's call.
    ///
    /// - Returns: whether there are events, and whether `wakeUp` was raised (it is lowered); both false at the deadline.
    package func wait(
        until deadline: MonotonicTime, or wakeUp: WakeUp,
    ) throws(NetlinkError) -> (events: Bool, wokenUp: Bool) {
        do throws(SystemError) {
            let descriptors = [descriptor, wakeUp.descriptor, rulesetDescriptor]
            let ready = try Poll.readable(descriptors, until: deadline, name: "netlink")
            if ready[1] { wakeUp.lower() }
            return (ready[0] || ready[2], ready[1])
        } catch {
            throw NetlinkError(.receive, "events", error.code)
        }
    }

    /// The events that are there, oldest first. Never waits. Where some were lost, `.overrun` stands.
    package mutating func drain() throws(NetlinkError) -> [KernelEvent] {
        var events: [KernelEvent] = []
        if try ruleset?.hasChanged() ?? false { events.append(.ruleset) }
        for _ in 0..<Self.datagramsPerDrain {
            do throws(NetlinkError) {
                let isMore = try handle.receivePending { header, payload in
                    if let event = KernelEvent(header, payload) { events.append(event) }
                }
                guard isMore else { return events }
            } catch {
                guard error.isOverrun else { throw error }
                events.append(.overrun)
            }
        }
        return events
    }
}

extension KernelEvent {
    fileprivate init?(_ header: NetlinkHeader, _ payload: RawSpan) {
        switch header.type {
        case RTM_NEWLINK, RTM_DELLINK:
            guard let link = Link(payload: payload) else { return nil }
            self = .link(link, deleted: header.type == RTM_DELLINK)
        case RTM_NEWADDR, RTM_DELADDR:
            guard let address = LinkAddress(payload: payload) else { return nil }
            self = .address(address, deleted: header.type == RTM_DELADDR)
        case RTM_NEWROUTE, RTM_DELROUTE:
            guard let route = Route(payload: payload) else { return nil }
            self = .route(
                route, deleted: header.type == RTM_DELROUTE, isReplacement: header.flags & NLM_F_REPLACE != 0)
        case RTM_NEWNEIGH, RTM_DELNEIGH:
            if let neighbour = Neighbour(payload: payload) {
                self = .neighbour(neighbour, deleted: header.type == RTM_DELNEIGH)
            } else if let entry = FDBEntry(payload: payload) {
                self = .fdb(entry, deleted: header.type == RTM_DELNEIGH)
            } else {
                guard let (link, address) = Neighbour.lost(payload: payload) else { return nil }
                self = .neighbourLost(linkIndex: link, address: address)
            }
        case Int(RTM_DELNEXTHOP):
            guard let number = NextHopObject.protocolNumber(ofPayload: payload) else { return nil }
            self = .nextHopLost(protocolNumber: number)
        case Int(RTM_NEWNETCONF):
            self = Self.settings(payload)
        default:
            return nil
        }
    }

    /// RTM_NEWNETCONF. The numbers of `all` and `default` are negative.
    private static func settings(_ payload: RawSpan) -> KernelEvent {
        var (index, filter) = (UInt32?.none, UInt32?.none)
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<netconfmsg>.size) { type, value in
            if type == NETCONFA_IFINDEX { index = value.load(Int32.self, at: 0).flatMap { UInt32(exactly: $0) } }
            if type == NETCONFA_RP_FILTER { filter = value.uint32 }
        }
        return .settings(linkIndex: index, reversePathFilter: filter)
    }
}
