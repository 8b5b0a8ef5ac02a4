import CLibNL
import NetTypes

extension Neighbour {
    /// RTM_NEWNEIGH or RTM_DELNEIGH.
    func write(_ type: Int, flags: Int32, to message: inout NetlinkMessage) {
        var header = ndmsg()
        header.ndm_family = address.family.number
        header.ndm_ifindex = Int32(bitPattern: linkIndex)
        header.ndm_state = UInt16(isPermanent ? NUD_PERMANENT : NUD_REACHABLE)
        message.begin(type, flags: flags, header)
        message.put(NDA_DST, bytes: address.bytes)
        message.put(NDA_LLADDR, bytes: macAddress.bytes)
        if protocolNumber != 0 { message.put(NDA_PROTOCOL, protocolNumber) }
    }

    /// Reads RTM_NEWNEIGH or RTM_DELNEIGH; nil for an FDB entry, and for one without an Ethernet address.
    init?(payload: RawSpan) {
        guard let header = payload.load(ndmsg.self, at: 0), AddressFamily(number: header.ndm_family) != nil
        else { return nil }
        var (address, mac, protocolNumber) = (IPAddress?.none, MACAddress?.none, UInt8(0))
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<ndmsg>.size) { type, value in
            switch type {
            case NDA_DST: address = value.address
            case NDA_LLADDR: mac = MACAddress(bytes: value.octets)
            case NDA_PROTOCOL: protocolNumber = value.load(UInt8.self, at: 0) ?? 0
            default: break
            }
        }
        // Entries without resolution are the kernel's own for multicast and for the loopback.
        guard let address, let mac, header.ndm_state & UInt16(NUD_NOARP) == 0 else { return nil }
        self.init(
            linkIndex: UInt32(bitPattern: header.ndm_ifindex), address: address, macAddress: mac,
            isPermanent: header.ndm_state & UInt16(NUD_PERMANENT) != 0, protocolNumber: protocolNumber)
    }

    /// Reads RTM_NEWNEIGH or RTM_DELNEIGH of a neighbour without a link-layer address: its link and its address.
    static func lost(payload: RawSpan) -> (linkIndex: UInt32, address: IPAddress)? {
        guard let header = payload.load(ndmsg.self, at: 0), AddressFamily(number: header.ndm_family) != nil,
            header.ndm_state & UInt16(NUD_NOARP) == 0
        else { return nil }
        var (address, hasMAC) = (IPAddress?.none, false)
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<ndmsg>.size) { type, value in
            switch type {
            case NDA_DST: address = value.address
            case NDA_LLADDR: hasMAC = true
            default: break
            }
        }
        guard let address, !hasMAC else { return nil }
        return (UInt32(bitPattern: header.ndm_ifindex), address)
    }
}
