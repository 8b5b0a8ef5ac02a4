import CLibNL
import LinuxOS
import NetTypes

// What kernels before 6.12 need: the connections are listed, and deleted one by one.
extension ConntrackSocket {
    /// What tells a connection from all others: the attributes by which it is deleted, as the kernel gave them.
    struct Connection {
        /// The tuple of its origin, with everything in it.
        let origin: [UInt8]
        /// Its zone, if it is in one.
        let zone: [UInt8]?
        /// Its number, which a later connection of the same tuple does not have.
        let id: [UInt8]?
    }

    /// The connections that one of the addresses has begun, or that have been led to it.
    ///
    /// - Parameter addresses: of one family.
    static func connections(
        of addresses: [IPAddress], _ sequence: inout UInt32, _ handle: inout NetlinkHandle,
    ) throws(NetlinkError) -> [Connection] {
        guard let first = addresses.first else { return [] }
        let wanted = Set(addresses)
        var found: [Connection] = []
        // For one address the kernel chooses (5.8 and later), for many it is asked once.
        let tuples = addresses.count == 1 ? [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY] : [nil]
        for tuple in tuples {
            var message = try NetlinkMessage()
            message.begin(type(IPCTNL_MSG_CT_GET), flags: 0, header(first.family, version: 0))
            if let tuple { message.put(first, asSourceOf: tuple) }
            try ask(message, NLM_F_DUMP, "the list of \(first.family.rawValue)", &sequence, &handle) { payload in
                if let connection = connection(payload, of: wanted) { found.append(connection) }
            }
        }
        return found
    }

    /// Deletes one connection; that it is gone already is as good.
    static func delete(
        _ connection: Connection, _ family: AddressFamily, _ sequence: inout UInt32, _ handle: inout NetlinkHandle,
    ) throws(NetlinkError) {
        var message = try NetlinkMessage()
        message.begin(type(IPCTNL_MSG_CT_DELETE), flags: 0, header(family, version: 0))
        message.put(CTA_TUPLE_ORIG.rawValue | UInt32(NLA_F_NESTED), bytes: connection.origin)
        if let zone = connection.zone { message.put(CTA_ZONE.rawValue, bytes: zone) }
        if let id = connection.id { message.put(CTA_ID.rawValue, bytes: id) }
        // What does not fit must not be sent: a deletion without a tuple deletes everything.
        guard !message.isOverfull else { throw NetlinkError(.connectionsDelete, "a connection", .EMSGSIZE) }
        try ask(message, NLM_F_ACK, "a connection", &sequence, &handle) { _ in }
    }

    /// Reads a listed connection; nil when neither of its sources is wanted.
    private static func connection(_ payload: RawSpan, of wanted: Set<IPAddress>) -> Connection? {
        var isWanted = false
        var (origin, zone, id): ([UInt8]?, [UInt8]?, [UInt8]?)
        NetlinkReader.forEachAttribute(in: payload, from: MemoryLayout<nfgenmsg>.size) { type, value in
            switch type {
            case Int(CTA_TUPLE_ORIG.rawValue):
                origin = value.octets
                isWanted = isWanted || source(of: value).map(wanted.contains) ?? false
            case Int(CTA_TUPLE_REPLY.rawValue):
                isWanted = isWanted || source(of: value).map(wanted.contains) ?? false
            case Int(CTA_ZONE.rawValue): zone = value.octets
            case Int(CTA_ID.rawValue): id = value.octets
            default: break
            }
        }
        guard isWanted, let origin, !origin.isEmpty else { return nil }
        return Connection(origin: origin, zone: zone, id: id)
    }

    private static func source(of tuple: RawSpan) -> IPAddress? {
        var address: IPAddress?
        NetlinkReader.forEachAttribute(in: tuple) { type, value in
            guard type == Int(CTA_TUPLE_IP.rawValue) else { return }
            NetlinkReader.forEachAttribute(in: value) { type, value in
                guard type == Int(CTA_IP_V4_SRC.rawValue) || type == Int(CTA_IP_V6_SRC.rawValue) else { return }
                address = value.address
            }
        }
        return address
    }
}
