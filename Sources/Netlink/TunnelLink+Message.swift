import CLibNL
import Glibc
import NetTypes

extension TunnelLink {
    /// RTM_NEWLINK.
    func write(to message: inout NetlinkMessage) {
        message.begin(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, ifinfomsg())
        message.put(IFLA_IFNAME, name)
        message.put(IFLA_MTU, mtuBytes)
        if let macAddress { message.put(IFLA_ADDRESS, bytes: macAddress.bytes) }
        message.nest(IFLA_LINKINFO) { info in
            switch kind {
            case .ipip:
                info.put(IFLA_INFO_KIND, "ipip")
            case .vxlan(let settings):
                info.put(IFLA_INFO_KIND, "vxlan")
                info.nest(IFLA_INFO_DATA) { settings.write(to: &$0) }
            }
        }
    }
}

extension VXLANSettings {
    fileprivate func write(to data: inout NetlinkMessage) {
        data.put(IFLA_VXLAN_ID, vni)
        // The port alone is in network byte order.
        data.put(IFLA_VXLAN_PORT, bytes: [UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port)])
        data.put(IFLA_VXLAN_LEARNING, UInt8(learns ? 1 : 0))
        if let parentIndex { data.put(IFLA_VXLAN_LINK, parentIndex) }
        if let local {
            data.put(local.family == .ipv4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, bytes: local.bytes)
        }
        if isExternal { data.put(IFLA_VXLAN_COLLECT_METADATA, UInt8(1)) }
        if let remote {
            data.put(remote.family == .ipv4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6, bytes: remote.bytes)
        }
    }

    /// Reads IFLA_INFO_DATA of a VXLAN.
    init(data: RawSpan) {
        self.init(vni: 0, port: 0, local: nil, parentIndex: nil)
        var (new, isExternal) = (self, false)
        NetlinkReader.forEachAttribute(in: data) { type, value in
            switch type {
            case Int(IFLA_VXLAN_ID): new.vni = value.uint32 ?? 0
            case Int(IFLA_VXLAN_PORT): new.port = value.load(UInt16.self, at: 0).map(UInt16.init(bigEndian:)) ?? 0
            case Int(IFLA_VXLAN_LEARNING): new.learns = value.load(UInt8.self, at: 0) != 0
            case Int(IFLA_VXLAN_LINK): new.parentIndex = value.uint32
            case Int(IFLA_VXLAN_LOCAL), Int(IFLA_VXLAN_LOCAL6): new.local = value.address
            case Int(IFLA_VXLAN_GROUP), Int(IFLA_VXLAN_GROUP6): new.remote = value.address
            case Int(IFLA_VXLAN_COLLECT_METADATA): isExternal = value.load(UInt8.self, at: 0) != 0
            default: break
            }
        }
        new.isExternal = isExternal
        self = new
    }
}

extension FDBEntry {
    /// RTM_NEWNEIGH or RTM_DELNEIGH of the device's own table (NTF_SELF).
    func write(_ type: Int, flags: Int32, to message: inout NetlinkMessage) {
        var header = ndmsg()
        header.ndm_family = UInt8(PF_BRIDGE)
        header.ndm_ifindex = Int32(bitPattern: linkIndex)
        header.ndm_state = UInt16(NUD_PERMANENT | NUD_NOARP)
        header.ndm_flags = UInt8(NTF_SELF)
        message.begin(type, flags: flags, header)
        message.put(NDA_LLADDR, bytes: macAddress.bytes)
        message.put(NDA_DST, bytes: destination.bytes)
    }

    /// Reads RTM_NEWNEIGH or RTM_DELNEIGH; nil for what names no remote address, as a bridge's entries do not.
    init?(payload: RawSpan) {
        guard let header = payload.load(ndmsg.self, at: 0), Int32(header.ndm_family) == PF_BRIDGE else { return nil }
        var (mac, destination) = (MACAddress?.none, IPAddress?.none)
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<ndmsg>.size) { type, value in
            switch type {
            case NDA_LLADDR: mac = MACAddress(bytes: value.octets)
            case NDA_DST: destination = value.address
            default: break
            }
        }
        guard let mac, let destination else { return nil }
        self.init(linkIndex: UInt32(bitPattern: header.ndm_ifindex), macAddress: mac, destination: destination)
    }
}
