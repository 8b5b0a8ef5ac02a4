import CLibNL
import Glibc
import NetTypes

extension VethPair {
    /// RTM_NEWLINK with both ends.
    ///
    /// The kernel would refuse the pod's end up (ENOTCONN) and IFLA_AF_SPEC (EAFNOSUPPORT) here, and would ignore an
    /// alias: they go into messages of their own.
    func write(to message: inout NetlinkMessage) {
        var header = ifinfomsg()
        header.ifi_flags = UInt32(IFF_UP)
        // A change mask of 0 would set all flags to exactly these, and the link would lose IFF_MULTICAST.
        header.ifi_change = UInt32(IFF_UP)
        message.begin(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header)
        message.put(IFLA_IFNAME, hostName)
        message.put(IFLA_MTU, mtuBytes)
        message.put(IFLA_ADDRESS, bytes: hostMAC.bytes)
        Self.putQueues(to: &message)
        message.nest(IFLA_LINKINFO) { info in
            info.put(IFLA_INFO_KIND, "veth")
            info.nest(IFLA_INFO_DATA) { data in
                data.nest(VETH_INFO_PEER) { peer in
                    peer.append(ifinfomsg())
                    peer.put(IFLA_IFNAME, podName)
                    peer.put(IFLA_MTU, mtuBytes)
                    if let podMAC { peer.put(IFLA_ADDRESS, bytes: podMAC.bytes) }
                    Self.putQueues(to: &peer)
                    peer.put(IFLA_NET_NS_FD, UInt32(bitPattern: podNetNSDescriptor))
                }
            }
        }
    }

    /// One queue each way, which is what a pair comes up with in any case. Unless this is said, the kernel makes one for
    /// each processor, puts all but one out of use and waits for a grace period, for either end (`veth_init_queues`).
    private static func putQueues(to message: inout NetlinkMessage) {
        message.put(IFLA_NUM_TX_QUEUES, UInt32(1))
        message.put(IFLA_NUM_RX_QUEUES, UInt32(1))
    }
}

extension LinkSettings {
    /// RTM_SETLINK.
    func write(linkIndex: UInt32, to message: inout NetlinkMessage) {
        var header = ifinfomsg(index: linkIndex)
        if let isUp {
            header.ifi_change = UInt32(IFF_UP)
            header.ifi_flags = isUp ? UInt32(IFF_UP) : 0
        }
        message.begin(RTM_SETLINK, flags: 0, header)
        if let mtuBytes { message.put(IFLA_MTU, mtuBytes) }
        if let macAddress { message.put(IFLA_ADDRESS, bytes: macAddress.bytes) }
        if let alias { message.put(IFLA_IFALIAS, alias) }
        if let group { message.put(IFLA_GROUP, group) }
        message.nest(IFLA_AF_SPEC) { families in
            families.nest(AF_INET) { ipv4 in
                ipv4.nest(IFLA_INET_CONF) { values in
                    if let proxyARP { values.put(IPV4_DEVCONF_PROXY_ARP, UInt32(proxyARP ? 1 : 0)) }
                    if let ipv4Forwarding { values.put(IPV4_DEVCONF_FORWARDING, UInt32(ipv4Forwarding ? 1 : 0)) }
                    if let reversePathFilter { values.put(IPV4_DEVCONF_RP_FILTER, reversePathFilter.rawValue) }
                }
            }
            if let ipv6AddressGeneration {
                families.nest(AF_INET6) { $0.put(IFLA_INET6_ADDR_GEN_MODE, ipv6AddressGeneration.rawValue) }
            }
        }
    }
}

extension Link {
    /// Whether it is administratively up.
    package var isUp: Bool { flags & UInt32(IFF_UP) != 0 }

    /// Whether it is the loopback, which carries nothing out of the node.
    package var isLoopback: Bool { flags & UInt32(IFF_LOOPBACK) != 0 }

    /// Whether it is up and can carry packets (IFF_RUNNING): what routes over it need.
    package var isRunning: Bool { flags & UInt32(IFF_RUNNING) != 0 }

    /// Reads RTM_NEWLINK or RTM_DELLINK; nil when it lacks what every link has.
    init?(payload: RawSpan) {
        guard let header = payload.load(ifinfomsg.self, at: 0), header.ifi_index > 0,
            // A bridge tells of its ports in messages of the same type.
            header.ifi_family == UInt8(AF_UNSPEC)
        else { return nil }
        var (name, mac, mtu) = (String?.none, MACAddress?.none, UInt32(0))
        var (state, kind, alias) = (OperState.unknown, String?.none, String?.none)
        var (group, master, lower, peer) = (UInt32(0), UInt32?.none, UInt32?.none, Int32?.none)
        var vxlan: VXLANSettings?
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<ifinfomsg>.size) { type, value in
            switch type {
            case IFLA_IFNAME: name = value.text
            case IFLA_ADDRESS: mac = MACAddress(bytes: value.octets)
            case IFLA_MTU: mtu = value.uint32 ?? 0
            case IFLA_OPERSTATE: state = value.load(UInt8.self, at: 0).flatMap(OperState.init) ?? .unknown
            case IFLA_IFALIAS: alias = value.text
            case IFLA_GROUP: group = value.uint32 ?? 0
            case IFLA_MASTER: master = value.uint32
            case IFLA_LINK: lower = value.uint32
            case IFLA_LINK_NETNSID: peer = value.load(Int32.self, at: 0)
            case IFLA_LINKINFO:
                NetlinkReader.forEachAttribute(in: value) { type, value in
                    if type == IFLA_INFO_KIND { kind = value.text }
                    // The kind comes before its data.
                    if type == IFLA_INFO_DATA, kind == "vxlan" { vxlan = VXLANSettings(data: value) }
                }
            default: break
            }
        }
        guard let name else { return nil }
        self.init(
            index: UInt32(bitPattern: header.ifi_index), name: name, macAddress: mac, mtuBytes: mtu,
            flags: header.ifi_flags, operState: state, kind: kind, alias: alias, group: group, masterIndex: master,
            lowerIndex: lower, peerNetNSID: peer, vxlan: vxlan)
    }
}
