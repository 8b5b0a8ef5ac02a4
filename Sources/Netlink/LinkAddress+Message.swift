import CLibNL
import NetTypes

extension LinkAddress {
    /// RTM_NEWADDR or RTM_DELADDR.
    func write(_ type: Int, flags messageFlags: Int32, to message: inout NetlinkMessage) {
        var header = ifaddrmsg()
        header.ifa_family = address.address.family.number
        header.ifa_prefixlen = address.length
        header.ifa_scope = scope.rawValue
        header.ifa_index = linkIndex
        message.begin(type, flags: messageFlags, header)
        message.put(IFA_LOCAL, bytes: address.address.bytes)
        message.put(IFA_ADDRESS, bytes: address.address.bytes)
        if flags != 0 { message.put(IFA_FLAGS, flags) }
    }

    /// Reads RTM_NEWADDR or RTM_DELADDR; nil when it is no IP address.
    init?(payload: RawSpan) {
        guard let header = payload.load(ifaddrmsg.self, at: 0), AddressFamily(number: header.ifa_family) != nil
        else { return nil }
        var (local, address, flags) = (IPAddress?.none, IPAddress?.none, UInt32(header.ifa_flags))
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<ifaddrmsg>.size) { type, value in
            switch type {
            case IFA_LOCAL: local = value.address
            case IFA_ADDRESS: address = value.address
            case IFA_FLAGS: flags = value.uint32 ?? flags
            default: break
            }
        }
        // On a point-to-point link IFA_ADDRESS is the other end's.
        guard let own = local ?? address else { return nil }
        self.init(
            linkIndex: header.ifa_index, address: CIDRAddress(own, length: header.ifa_prefixlen),
            scope: Route.Scope(rawValue: header.ifa_scope) ?? .universe, flags: flags)
    }
}
