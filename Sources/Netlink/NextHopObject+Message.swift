import CLibNL
import LinuxOS
import NetTypes

extension NextHopObject {
    /// RTM_NEWNEXTHOP.
    func write(to message: inout NetlinkMessage) {
        var header = nhmsg()
        header.nh_family = gateway.family.number
        header.nh_protocol = protocolNumber
        message.begin(RTM_NEWNEXTHOP, flags: NLM_F_CREATE | NLM_F_EXCL, header)
        message.put(NHA_ID, id)
        message.put(NHA_OIF, linkIndex)
        message.put(NHA_GATEWAY, gateway)
    }

    /// Reads RTM_NEWNEXTHOP; nil for what has no gateway, or stands for several.
    init?(payload: RawSpan) {
        guard let header = payload.load(nhmsg.self, at: 0) else { return nil }
        var (id, gateway, link) = (UInt32?.none, IPAddress?.none, UInt32?.none)
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<nhmsg>.size) { type, value in
            switch type {
            case NHA_ID: id = value.uint32
            case NHA_GATEWAY: gateway = value.address
            case NHA_OIF: link = value.uint32
            default: break
            }
        }
        guard let id, let gateway, let link, header.nh_flags & UInt32(RTNH_F_ONLINK) == 0 else { return nil }
        self.init(id: id, gateway: gateway, linkIndex: link, protocolNumber: header.nh_protocol)
    }

    /// Who made the next hop that an RTM_DELNEXTHOP is about.
    static func protocolNumber(ofPayload payload: RawSpan) -> UInt8? { payload.load(nhmsg.self, at: 0)?.nh_protocol }
}

extension NetlinkSocket {
    /// The next hops of one protocol number that have one gateway each; none on a kernel that does not know of any (before
    /// 5.3).
    package mutating func nextHops(protocolNumber: UInt8) throws(NetlinkError) -> [NextHopObject] {
        var query = try NetlinkMessage()
        query.begin(RTM_GETNEXTHOP, flags: 0, nhmsg())
        do throws(NetlinkError) {
            let objects = try dump(query, .nextHopList, "next hops", decode: NextHopObject.init(payload:))
            return objects.filter { $0.protocolNumber == protocolNumber }
        } catch {
            guard error.code == .EOPNOTSUPP else { throw error }
            return []
        }
    }

    /// Deletes next hops. Routes that name them go as well.
    package mutating func deleteNextHops(_ objects: [NextHopObject]) throws(NetlinkError) {
        let failures = try execute(NetlinkBatch(objects.map { .deleteNextHop($0) }), acknowledgeEach: false)
        if let failure = failures.first(where: { $0.error.code != .ENOENT }) { throw failure.error }
    }

    /// Sees to it that the kernel has next hops, for the routes that name them.
    ///
    /// - Returns: false when it does not have them all: it knows of none (before 5.3), will not take one (its link has no
    ///   carrier), or has another under the number.
    package mutating func provideNextHops(_ objects: [NextHopObject]) throws(NetlinkError) -> Bool {
        let failures = try execute(NetlinkBatch(objects.map { .addNextHop($0) }), acknowledgeEach: false)
        guard failures.allSatisfy({ $0.error.code == .EEXIST }) else { return false }
        for failure in failures where try nextHop(objects[failure.index].id) != objects[failure.index] { return false }
        return true
    }

    private mutating func nextHop(_ id: UInt32) throws(NetlinkError) -> NextHopObject? {
        var query = try NetlinkMessage()
        query.begin(RTM_GETNEXTHOP, flags: 0, nhmsg())
        query.put(NHA_ID, id)
        do throws(NetlinkError) {
            return try fetch(query, .nextHopList, "next hop \(id)", decode: NextHopObject.init(payload:))
        } catch {
            guard error.code == .ENOENT else { throw error }
            return nil
        }
    }
}
