import NetTypes

extension OpenMessage {
    private static let version: UInt8 = 4
    /// The optional parameter that holds capabilities (RFC 5492 §4).
    private static let capabilitiesParameter: UInt8 = 2
    /// The parameter type that says that lengths have two octets (RFC 9072 §2).
    private static let extendedLengthParameter: UInt8 = 255

    /// Reads and checks the body (RFC 4271 §6.2). Whether the AS is the expected one is the session's to check.
    static func decode(_ body: ArraySlice<UInt8>) throws(BGPError) -> OpenMessage {
        var cursor = ByteCursor(body)
        guard let version = cursor.readUInt8() else { throw malformed("no version") }
        guard version == Self.version else {
            throw BGPError(
                NotificationCode.openMessage, OpenSubcode.unsupportedVersion, data: [0, Self.version],
                "version \(version)")
        }
        guard let twoOctetAS = cursor.readUInt16(), let holdTime = cursor.readUInt16(),
            let identifier = cursor.readUInt32(), let parametersLength = cursor.readUInt8()
        else { throw malformed("\(body.count) octets") }
        let capabilities = try decodeParameters(&cursor, length: Int(parametersLength))
        guard holdTime == 0 || holdTime >= 3 else {
            throw BGPError(NotificationCode.openMessage, OpenSubcode.unacceptableHoldTime, "hold time \(holdTime) s")
        }
        guard let bgpID = RouterID(rawValue: identifier) else {
            throw BGPError(NotificationCode.openMessage, OpenSubcode.badBGPIdentifier, "BGP identifier 0.0.0.0")
        }
        var asNumber = ASNumber(UInt32(twoOctetAS))
        for case .fourOctetAS(let number) in capabilities { asNumber = number }
        guard asNumber.rawValue != 0, twoOctetAS != 0 else {
            throw BGPError(NotificationCode.openMessage, OpenSubcode.badPeerAS, "AS 0")
        }
        return OpenMessage(asNumber: asNumber, holdTime: holdTime, bgpID: bgpID, capabilities: capabilities)
    }

    /// The whole frame. Capabilities that would make it longer than 4096 octets are left out.
    func encode() -> [UInt8] {
        let fixed = MessageHeader.octets + 10
        let room = WireContext.standardMaximum - fixed - 6
        var encoded: [UInt8] = []
        for capability in capabilities {
            let value = capability.encode()
            if encoded.count + value.count <= room { encoded += value }
        }
        return MessageHeader.frame(.open) { bytes in
            bytes.append(Self.version)
            bytes.append(bigEndian: asNumber.twoOctets)
            bytes.append(bigEndian: holdTime)
            bytes.append(bigEndian: bgpID.rawValue)
            let count = UInt16(truncatingIfNeeded: encoded.count)
            switch count {
            case 0:
                bytes.append(0)
            case 1...253:
                bytes.append(contentsOf: [UInt8(count + 2), Self.capabilitiesParameter, UInt8(count)])
            default:
                bytes.append(contentsOf: [255, Self.extendedLengthParameter])
                bytes.append(bigEndian: count + 3)
                bytes.append(Self.capabilitiesParameter)
                bytes.append(bigEndian: count)
            }
            bytes.append(contentsOf: encoded)
        }
    }

    private static func malformed(_ reason: String) -> BGPError {
        BGPError(NotificationCode.openMessage, OpenSubcode.unspecific, reason)
    }

    private static func decodeParameters(_ cursor: inout ByteCursor, length: Int) throws(BGPError) -> [Capability] {
        var length = length
        let isExtended = length > 0 && cursor.peek == extendedLengthParameter
        if isExtended {
            _ = cursor.readUInt8()
            guard let extended = cursor.readUInt16() else { throw malformed("no extended parameter length") }
            length = Int(extended)
        }
        guard cursor.remaining == length else {
            throw malformed("\(cursor.remaining) octets of optional parameters, length \(length)")
        }
        var capabilities: [Capability] = []
        while let type = cursor.readUInt8() {
            let octets = isExtended ? cursor.readUInt16().map(Int.init) : cursor.readUInt8().map(Int.init)
            guard let octets, var value = cursor.readCursor(octets) else {
                throw malformed("optional parameter \(type) is longer than the message")
            }
            guard type == capabilitiesParameter else {
                throw BGPError(
                    NotificationCode.openMessage, OpenSubcode.unsupportedOptionalParameter,
                    "optional parameter \(type)")
            }
            while !value.isAtEnd { capabilities.append(try Capability.decode(&value)) }
        }
        return capabilities
    }
}
