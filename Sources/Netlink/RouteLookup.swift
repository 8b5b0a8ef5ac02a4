import CLibNL
import LinuxOS
package import NetTypes

/// What the kernel would do with a packet to an address now (RTM_GETROUTE, as `ip route get` asks it).
package struct RouteLookup: Sendable, Hashable {
    /// What happens to the packet.
    package enum Kind: Sendable, Hashable {
        /// It leaves by the hop.
        case unicast
        /// The address is the node's own.
        case local
        /// It is dropped or answered by an ICMP error: the route's type, or the kernel's error.
        case refused(String)
    }

    /// What happens.
    package var kind: Kind
    /// The link by which it leaves; 0 when it does not.
    package var linkIndex: UInt32 = 0
    /// The gateway it is sent to; nil when the address itself is on the link.
    package var gateway: IPAddress?
    /// Whether there is no route to the address at all, not even one that discards.
    package var hasNoRoute = false
    /// The source address of the host's own packets.
    package var source: IPAddress?
    /// The path MTU that is known for the address; nil when it is the link's.
    package var mtuBytes: UInt32?

    /// Whether the packet goes nowhere: there is no route, or one that discards.
    package var isRefused: Bool { if case .refused = kind { true } else { false } }

    /// Reads the answer.
    init?(payload: RawSpan) {
        guard let header = payload.load(rtmsg.self, at: 0), AddressFamily(number: header.rtm_family) != nil else {
            return nil
        }
        switch Int(header.rtm_type) {
        case RTN_UNICAST: kind = .unicast
        case RTN_LOCAL: kind = .local
        case RTN_BLACKHOLE: kind = .refused("blackhole")
        case RTN_UNREACHABLE: kind = .refused("unreachable")
        case RTN_PROHIBIT: kind = .refused("prohibit")
        default: kind = .refused("route type \(header.rtm_type)")
        }
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<rtmsg>.size) { type, value in
            switch rtattr_type_t(rawValue: UInt32(type)) {
            case RTA_OIF: linkIndex = value.uint32 ?? 0
            case RTA_GATEWAY: gateway = value.address
            case RTA_PREFSRC: source = value.address
            case RTA_METRICS:
                NetlinkReader.forEachAttribute(in: value) { type, value in
                    if Int(type) == RTAX_MTU { mtuBytes = value.uint32 }
                }
            default: break
            }
        }
    }

    fileprivate init(refused reason: String, hasNoRoute: Bool = false) {
        kind = .refused(reason)
        self.hasNoRoute = hasNoRoute
    }
}

extension NetlinkSocket {
    /// Asks the kernel what it would do with a packet of its own to `address`.
    ///
    /// - Parameter source: an address of the node that the packet is from, as rules may ask; nil for one of the kernel's
    ///   choice. One that the node does not have is answered like a blackhole.
    package mutating func lookUp(
        _ address: IPAddress, from source: IPAddress? = nil,
    ) throws(NetlinkError) -> RouteLookup {
        var message = try NetlinkMessage()
        var header = rtmsg()
        header.rtm_family = address.family.number
        header.rtm_dst_len = address.family.bitWidth
        if source != nil { header.rtm_src_len = address.family.bitWidth }
        message.begin(RTM_GETROUTE, flags: 0, header)
        message.put(RTA_DST.rawValue, bytes: address.bytes)
        if let source { message.put(RTA_SRC.rawValue, bytes: source.bytes) }
        do throws(NetlinkError) {
            let answer = try fetch(message, .routeGet, "\(address)", decode: RouteLookup.init(payload:))
            guard let answer else { throw NetlinkError(.routeGet, "\(address)", .EINVAL) }
            return answer
        } catch {
            switch error.code {
            case .EINVAL: return RouteLookup(refused: "blackhole")
            case .ENETUNREACH: return RouteLookup(refused: "\(error.code)", hasNoRoute: true)
            case .EHOSTUNREACH, .EACCES: return RouteLookup(refused: "\(error.code)")
            default: throw error
            }
        }
    }
}

/// The route that the kernel would take for a packet to an address (RTM_GETROUTE with RTM_F_FIB_MATCH).
package enum RouteMatch: Sendable, Hashable {
    /// This one, of the table of that number.
    case route(Route, table: UInt32)
    /// None that packets could leave by, and why.
    case refused(String)

    /// The number of the main table.
    package static var mainTable: UInt32 { UInt32(RT_TABLE_MAIN.rawValue) }
}

extension NetlinkSocket {
    /// Asks the kernel which route it would take for a packet of its own to `address`, of all tables.
    package mutating func route(for address: IPAddress) throws(NetlinkError) -> RouteMatch {
        var message = try NetlinkMessage()
        var header = rtmsg()
        header.rtm_family = address.family.number
        header.rtm_dst_len = address.family.bitWidth
        // IPv6 tells the table unasked, and where it checks strictly it does not take the question.
        header.rtm_flags = UInt32(RTM_F_FIB_MATCH) | (address.family == .ipv4 ? UInt32(RTM_F_LOOKUP_TABLE) : 0)
        message.begin(RTM_GETROUTE, flags: 0, header)
        message.put(RTA_DST.rawValue, bytes: address.bytes)
        do throws(NetlinkError) {
            let answer = try fetch(message, .routeGet, "\(address)", decode: Route.inAnyTable)
            guard let answer else { throw NetlinkError(.routeGet, "\(address)", .EINVAL) }
            return .route(answer.route, table: answer.table)
        } catch {
            switch error.code {
            case .EINVAL: return .refused("a blackhole")
            case .ENETUNREACH, .EHOSTUNREACH, .EACCES: return .refused("no route: \(error.code)")
            default: throw error
            }
        }
    }
}
