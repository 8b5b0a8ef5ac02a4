import CLibNL
import Glibc
package import NetTypes

extension Route {
    /// The route as a dump or an event will show it: what compares equal to it is the same route to the kernel.
    ///
    /// IPv6 routes have neither a scope nor a metric of 0 (they get 1024); a route that drops has no hops, though
    /// IPv6 shows one by the loopback; an IPv4 gateway's route has the universe's scope.
    package var canonical: Route {
        var route = self
        if destination.family == .ipv6 {
            route.scope = .universe
            route.metric = Self.canonicalMetric(metric, .ipv6)
        }
        if kind != .unicast { route.hops = [] }
        // The kernel keeps the ways in an order of its own.
        if route.hops.count > 1 { route.hops.sort() }
        return route
    }

    /// The metric of a canonical route: 0 for the kernel's default of the family.
    package static func canonicalMetric(_ metric: UInt32, _ family: AddressFamily) -> UInt32 {
        family == .ipv6 && metric == UInt32(IP6_RT_PRIO_USER) ? 0 : metric
    }

    /// RTM_NEWROUTE into the main table.
    ///
    /// - Parameter nextHop: what the route names in place of its own hop, which is the same.
    func write(flags: Int32, naming nextHop: NextHopObject?, to message: inout NetlinkMessage) {
        var header = header
        header.rtm_protocol = protocolNumber
        header.rtm_scope = scope.rawValue
        if hops.count == 1, hops[0].isOnLink { header.rtm_flags = UInt32(RTNH_F_ONLINK) }
        message.begin(RTM_NEWROUTE, flags: flags, header)
        message.put(RTA_DST.rawValue, destination.address)
        if metric != 0 { message.put(RTA_PRIORITY.rawValue, metric) }
        if let preferredSource { message.put(RTA_PREFSRC.rawValue, preferredSource) }
        if let nextHop {
            message.put(RTA_NH_ID.rawValue, nextHop.id)
        } else if hops.count == 1 {
            if hops[0].linkIndex != 0 { message.put(RTA_OIF.rawValue, hops[0].linkIndex) }
            hops[0].writeGateway(destination.family, to: &message)
        } else if hops.count > 1 {
            message.nest(RTA_MULTIPATH.rawValue) { nest in
                for hop in hops {
                    var part = rtnexthop()
                    part.rtnh_flags = hop.isOnLink ? UInt8(RTNH_F_ONLINK) : 0
                    part.rtnh_ifindex = Int32(bitPattern: hop.linkIndex)
                    nest.nextHop(part) { hop.writeGateway(destination.family, to: &$0) }
                }
            }
        }
    }

    /// RTM_DELROUTE from the main table: the kernel deletes only what bears the same protocol. Of an IPv4 route that names
    /// a `NextHopObject` it knows neither gateway nor link (`fib_nh_match` of net/ipv4/fib_semantics.c).
    func writeDeletion(to message: inout NetlinkMessage) {
        var header = header
        header.rtm_protocol = protocolNumber
        header.rtm_scope = Scope.nowhere.rawValue
        message.begin(RTM_DELROUTE, flags: 0, header)
        message.put(RTA_DST.rawValue, destination.address)
        if metric != 0 { message.put(RTA_PRIORITY.rawValue, metric) }
        if hops.count == 1, hops[0].gateway == nil, hops[0].linkIndex != 0 {
            message.put(RTA_OIF.rawValue, hops[0].linkIndex)
        }
    }

    /// Reads RTM_NEWROUTE or RTM_DELROUTE; nil for what is not a route of the main table.
    init?(payload: RawSpan) {
        guard let (route, table) = Self.inAnyTable(payload), table == RT_TABLE_MAIN.rawValue else { return nil }
        self = route
    }

    /// Reads RTM_NEWROUTE or RTM_DELROUTE, and the number of the route's table; nil for what is no route.
    static func inAnyTable(_ payload: RawSpan) -> (route: Route, table: UInt32)? {
        guard let header = payload.load(rtmsg.self, at: 0), let family = AddressFamily(number: header.rtm_family),
            header.rtm_flags & UInt32(RTM_F_CLONED) == 0
        else { return nil }
        var destination = family == .ipv4 ? IPAddress.v4(.init(rawValue: 0)) : .v6(.init(high: 0, low: 0))
        var (table, metric, source) = (UInt32(header.rtm_table), UInt32(0), IPAddress?.none)
        var single = Hop(linkIndex: 0, isOnLink: header.rtm_flags & UInt32(RTNH_F_ONLINK) != 0)
        var hops: [Hop] = []
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<rtmsg>.size) { type, value in
            switch rtattr_type_t(rawValue: UInt32(type)) {
            case RTA_DST: destination = value.address ?? destination
            case RTA_TABLE: table = value.uint32 ?? table
            case RTA_PRIORITY: metric = value.uint32 ?? 0
            case RTA_PREFSRC: source = value.address
            case RTA_OIF: single.linkIndex = value.uint32 ?? 0
            case RTA_GATEWAY: single.gateway = value.address
            case RTA_VIA: single.gateway = Hop.via(value)
            case RTA_MULTIPATH: hops = Hop.list(value)
            default: break
            }
        }
        // A route for one type of service alone is none for other packets, and stands beside theirs.
        guard header.rtm_tos == 0, header.rtm_dst_len <= family.bitWidth else { return nil }
        let kind: Kind =
            switch Int(header.rtm_type) {
            case RTN_UNICAST: .unicast
            case RTN_BLACKHOLE: .blackhole
            default: .other(header.rtm_type)
            }
        if hops.isEmpty, single.linkIndex != 0 || single.gateway != nil { hops = [single] }
        let route = Route(
            to: IPPrefix(masking: destination, length: header.rtm_dst_len), kind: kind, hops: hops,
            scope: Scope(rawValue: header.rtm_scope) ?? .universe, metric: metric,
            protocolNumber: header.rtm_protocol, preferredSource: source)
        return (route.canonical, table)
    }

    /// The protocol number of an RTM_NEWROUTE, apart from all else.
    static func protocolNumber(ofPayload payload: RawSpan) -> UInt8? { payload.load(rtmsg.self, at: 0)?.rtm_protocol }

    /// What the header of an addition and that of a deletion share.
    private var header: rtmsg {
        var header = rtmsg()
        header.rtm_family = destination.family.number
        header.rtm_dst_len = destination.length
        header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
        header.rtm_type =
            switch kind {
            case .unicast: UInt8(RTN_UNICAST)
            case .blackhole: UInt8(RTN_BLACKHOLE)
            case .other(let number): number
            }
        return header
    }
}

extension Route.Hop: Comparable {
    /// By gateway, then by link.
    package static func < (left: Route.Hop, right: Route.Hop) -> Bool {
        switch (left.gateway, right.gateway) {
        case (let leftGateway?, let rightGateway?) where leftGateway != rightGateway: leftGateway < rightGateway
        case (nil, _?): true
        case (_?, nil): false
        default: (left.linkIndex, left.isOnLink ? 1 : 0) < (right.linkIndex, right.isOnLink ? 1 : 0)
        }
    }
}

extension Route.Hop {
    /// RTA_GATEWAY, or RTA_VIA (`struct rtvia`: family and address) when the gateway is of the other family.
    fileprivate func writeGateway(_ family: AddressFamily, to message: inout NetlinkMessage) {
        guard let gateway else { return }
        if gateway.family == family {
            message.put(RTA_GATEWAY.rawValue, gateway)
        } else {
            // The family is a number of 16 bits in host order (sa_family_t).
            let number = UInt16(gateway.family.number)
            let octets = [
                UInt8(truncatingIfNeeded: number.littleEndian), UInt8(truncatingIfNeeded: number.littleEndian >> 8),
            ]
            message.put(RTA_VIA.rawValue, bytes: octets + gateway.bytes)
        }
    }

    fileprivate static func via(_ value: RawSpan) -> IPAddress? {
        IPAddress(bytes: value.octets.dropFirst(MemoryLayout<sa_family_t>.size))
    }

    /// The hops of RTA_MULTIPATH.
    fileprivate static func list(_ value: RawSpan) -> [Route.Hop] {
        var hops: [Route.Hop] = []
        var offset = 0
        let headerSize = MemoryLayout<rtnexthop>.size
        while let part = value.load(rtnexthop.self, at: offset) {
            let length = Int(part.rtnh_len)
            guard length >= headerSize, length <= value.byteCount - offset else { break }
            var hop = Route.Hop(
                linkIndex: UInt32(bitPattern: part.rtnh_ifindex),
                isOnLink: Int32(part.rtnh_flags) & Int32(RTNH_F_ONLINK) != 0)
            NetlinkReader.forEachAttribute(in: value.extracting(offset + headerSize..<offset + length)) { type, value in
                switch rtattr_type_t(rawValue: UInt32(type)) {
                case RTA_GATEWAY: hop.gateway = value.address
                case RTA_VIA: hop.gateway = via(value)
                default: break
                }
            }
            hops.append(hop)
            offset += NetlinkReader.align(length)
        }
        return hops
    }
}
