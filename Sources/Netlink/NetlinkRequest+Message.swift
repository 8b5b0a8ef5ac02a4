import CLibNL
import Glibc
import NetTypes

extension NetlinkRequest {
    /// Writes the request as a message, but for its sequence number.
    ///
    /// - Parameter nextHop: the next hop that a route to be made names, in place of its own hop.
    func write(to message: inout NetlinkMessage, naming nextHop: NextHopObject? = nil) {
        let create = NLM_F_CREATE | NLM_F_EXCL
        switch self {
        case .createVeth(let pair):
            pair.write(to: &message)
        case .createTunnel(let tunnel):
            tunnel.write(to: &message)
        case .setLink(let index, let settings):
            settings.write(linkIndex: index, to: &message)
        case .setProxyDelay(let index, let milliseconds):
            var header = ndtmsg()
            header.ndtm_family = AddressFamily.ipv4.number
            message.begin(RTM_SETNEIGHTBL, flags: 0, header)
            message.put(NDTA_NAME, "arp_cache")
            message.nest(NDTA_PARMS) { parameters in
                parameters.put(NDTPA_IFINDEX, index)
                parameters.put(NDTPA_PROXY_DELAY, milliseconds)
            }
        case .deleteLink(let index):
            message.begin(RTM_DELLINK, flags: 0, ifinfomsg(index: index))
        case .deleteGroup(let group):
            message.begin(RTM_DELLINK, flags: 0, ifinfomsg())
            message.put(IFLA_GROUP, group)
        case .addAddress(let address):
            address.write(RTM_NEWADDR, flags: create, to: &message)
        case .deleteAddress(let address):
            address.write(RTM_DELADDR, flags: 0, to: &message)
        case .addRoute(let route):
            route.write(flags: create, naming: nextHop, to: &message)
        case .replaceRoute(let route):
            route.write(flags: NLM_F_CREATE | NLM_F_REPLACE, naming: nextHop, to: &message)
        case .deleteRoute(let route):
            route.writeDeletion(to: &message)
        case .addNextHop(let object):
            object.write(to: &message)
        case .deleteNextHop(let object):
            message.begin(Int(RTM_DELNEXTHOP), flags: 0, nhmsg())
            message.put(UInt32(NHA_ID), object.id)
        case .setNeighbour(let neighbour):
            neighbour.write(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, to: &message)
        case .deleteNeighbour(let neighbour):
            neighbour.write(RTM_DELNEIGH, flags: 0, to: &message)
        case .setFDB(let entry):
            entry.write(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, to: &message)
        case .deleteFDB(let entry):
            entry.write(RTM_DELNEIGH, flags: 0, to: &message)
        }
    }
}

extension AddressFamily {
    /// AF_INET or AF_INET6.
    var number: UInt8 {
        switch self {
        case .ipv4: UInt8(AF_INET)
        case .ipv6: UInt8(AF_INET6)
        }
    }

    /// The family of that number; nil for another.
    init?(number: UInt8) {
        switch Int32(number) {
        case AF_INET: self = .ipv4
        case AF_INET6: self = .ipv6
        default: return nil
        }
    }
}

extension ifinfomsg {
    /// The header for one link: nothing in it changes.
    init(index: UInt32) {
        self.init()
        ifi_index = Int32(bitPattern: index)
    }
}
