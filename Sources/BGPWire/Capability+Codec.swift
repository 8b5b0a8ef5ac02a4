import NetTypes

extension Capability {
    /// The code on the wire.
    package var code: UInt8 {
        switch self {
        case .multiprotocol: 1
        case .routeRefresh: 2
        case .extendedNextHop: 5
        case .extendedMessage: 6
        case .gracefulRestart: 64
        case .fourOctetAS: 65
        case .addPath: 69
        case .enhancedRouteRefresh: 70
        case .longLivedGracefulRestart: 71
        case .unknown(let code, _): code
        }
    }

    /// Reads one capability and moves past it. A known one of a wrong length is an error (RFC 4271 §6.2).
    static func decode(_ cursor: inout ByteCursor) throws(BGPError) -> Capability {
        guard let code = cursor.readUInt8(), let length = cursor.readUInt8(),
            let value = cursor.readBytes(Int(length))
        else {
            throw BGPError(
                NotificationCode.openMessage, OpenSubcode.unspecific, "a capability is longer than its parameter")
        }
        guard let capability = decode(code, value) else {
            throw BGPError(
                NotificationCode.openMessage, OpenSubcode.unspecific,
                "capability \(code) of \(length) octets")
        }
        return capability
    }

    /// Code, length and value; nothing at all for a value above 255 octets.
    func encode() -> [UInt8] {
        let value = self.value
        guard let length = UInt8(exactly: value.count) else { return [] }
        return [code, length] + value
    }

    /// The most entries of so many octets that the length octet of a capability leaves room for.
    private static func limit(_ octets: Int, after head: Int = 0) -> Int { (255 - head) / octets }

    private var value: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .multiprotocol(let family):
            bytes.append(bigEndian: family.afi)
            bytes.append(contentsOf: [0, family.safi])
        case .routeRefresh, .extendedMessage, .enhancedRouteRefresh:
            break
        case .gracefulRestart(let value):
            let flags: UInt16 = (value.isRestarting ? 0x8000 : 0) | (value.notification ? 0x4000 : 0)
            bytes.append(bigEndian: flags | value.restartTime)
            for entry in value.families.prefix(Self.limit(4, after: 2)) {
                bytes.append(bigEndian: entry.family.afi)
                bytes.append(contentsOf: [entry.family.safi, entry.forwardingPreserved ? 0x80 : 0])
            }
        case .fourOctetAS(let asNumber):
            bytes.append(bigEndian: asNumber.rawValue)
        case .addPath(let families):
            for entry in families.prefix(Self.limit(4)) {
                bytes.append(bigEndian: entry.family.afi)
                bytes.append(contentsOf: [entry.family.safi, entry.sendReceive])
            }
        case .extendedNextHop(let entries):
            for entry in entries.prefix(Self.limit(6)) {
                bytes.append(bigEndian: entry.family.afi)
                bytes.append(contentsOf: [0, entry.family.safi])
                bytes.append(bigEndian: entry.nextHopAFI)
            }
        case .longLivedGracefulRestart(let families):
            for entry in families.prefix(Self.limit(7)) {
                bytes.append(bigEndian: entry.family.afi)
                bytes.append(entry.family.safi)
                bytes.append(bigEndian: (entry.forwardingPreserved ? 0x8000_0000 : 0) | entry.staleTime)
            }
        case .unknown(_, let value):
            bytes = value
        }
        return bytes
    }

    private static func decode(_ code: UInt8, _ value: ArraySlice<UInt8>) -> Capability? {
        var cursor = ByteCursor(value)
        switch code {
        case 1:
            guard value.count == 4, let afi = cursor.readUInt16(), cursor.readUInt8() != nil,
                let safi = cursor.readUInt8()
            else { return nil }
            return .multiprotocol(AFISAFI(afi: afi, safi: safi))
        case 2: return value.isEmpty ? .routeRefresh : nil
        case 5: return decodeExtendedNextHop(value)
        case 6: return value.isEmpty ? .extendedMessage : nil
        case 64: return decodeGracefulRestart(value)
        case 65:
            guard value.count == 4, let number = cursor.readUInt32() else { return nil }
            return .fourOctetAS(ASNumber(number))
        case 69:
            guard value.count.isMultiple(of: 4) else { return nil }
            var families: [AddPathFamily] = []
            while let (family, sendReceive) = readFamily(&cursor) {
                families.append(AddPathFamily(family: family, sendReceive: sendReceive))
            }
            return .addPath(families)
        case 70: return value.isEmpty ? .enhancedRouteRefresh : nil
        case 71: return decodeLongLived(value)
        default: return .unknown(code: code, value: Array(value))
        }
    }

    private static func decodeGracefulRestart(_ value: ArraySlice<UInt8>) -> Capability? {
        var cursor = ByteCursor(value)
        guard value.count % 4 == 2, let head = cursor.readUInt16() else { return nil }
        var families: [GracefulRestart.Family] = []
        while let (family, flags) = readFamily(&cursor) {
            families.append(GracefulRestart.Family(family, forwardingPreserved: flags & 0x80 != 0))
        }
        return .gracefulRestart(
            GracefulRestart(
                isRestarting: head & 0x8000 != 0,
                notification: head & 0x4000 != 0,
                restartTime: head & GracefulRestart.maximumRestartTime,
                families: families,
            ))
    }

    private static func decodeExtendedNextHop(_ value: ArraySlice<UInt8>) -> Capability? {
        guard value.count.isMultiple(of: 6) else { return nil }
        var cursor = ByteCursor(value)
        var entries: [ExtendedNextHop] = []
        while let afi = cursor.readUInt16(), let safi = cursor.readUInt16(), let nextHopAFI = cursor.readUInt16() {
            // The SAFI has one octet everywhere else: a greater number names nothing that a session carries.
            guard let safi = UInt8(exactly: safi) else { continue }
            entries.append(ExtendedNextHop(family: AFISAFI(afi: afi, safi: safi), nextHopAFI: nextHopAFI))
        }
        return .extendedNextHop(entries)
    }

    private static func decodeLongLived(_ value: ArraySlice<UInt8>) -> Capability? {
        guard value.count.isMultiple(of: 7) else { return nil }
        var cursor = ByteCursor(value)
        var families: [LongLivedFamily] = []
        while let afi = cursor.readUInt16(), let safi = cursor.readUInt8(), let rest = cursor.readUInt32() {
            families.append(
                LongLivedFamily(
                    AFISAFI(afi: afi, safi: safi), forwardingPreserved: rest & 0x8000_0000 != 0,
                    staleTime: rest & LongLivedFamily.maximumStaleTime))
        }
        return .longLivedGracefulRestart(families)
    }

    private static func readFamily(_ cursor: inout ByteCursor) -> (AFISAFI, UInt8)? {
        guard let afi = cursor.readUInt16(), let safi = cursor.readUInt8(), let octet = cursor.readUInt8() else {
            return nil
        }
        return (AFISAFI(afi: afi, safi: safi), octet)
    }
}
