extension NotificationMessage {
    static func decode(_ body: ArraySlice<UInt8>) throws(BGPError) -> NotificationMessage {
        var cursor = ByteCursor(body)
        guard let code = cursor.readUInt8(), let subcode = cursor.readUInt8() else {
            throw BGPError(
                NotificationCode.messageHeader, HeaderSubcode.badMessageLength, "NOTIFICATION of \(body.count) octets")
        }
        return NotificationMessage(code: code, subcode: subcode, data: Array(cursor.rest))
    }

    /// The whole frame; data beyond the session's longest message is cut off (RFC 4271 §6).
    func encode(_ context: WireContext) -> [UInt8] {
        MessageHeader.frame(.notification) { bytes in
            bytes.append(contentsOf: [code, subcode])
            bytes.append(contentsOf: data.prefix(max(context.maximumMessageLength - MessageHeader.octets - 2, 0)))
        }
    }
}

extension NotificationMessage {
    /// The longest shutdown communication in octets of UTF-8 (RFC 9003 §2).
    package static let maximumShutdownCommunication = 255

    /// Makes a Cease of `administrativeShutdown` or `administrativeReset` that tells the operator of the peer why.
    /// A text above 255 octets is cut at a character.
    package static func cease(_ subcode: UInt8, because text: String) -> NotificationMessage {
        var cut = text
        while cut.utf8.count > maximumShutdownCommunication { cut.removeLast() }
        let octets = Array(cut.utf8)
        return NotificationMessage(cease: subcode, data: [UInt8(truncatingIfNeeded: octets.count)] + octets)
    }

    /// What the operator of the peer says of an Administrative Shutdown or Reset (RFC 9003), what would break
    /// or turn a log line replaced by `?`; nil when there is nothing, or it is not UTF-8.
    package var shutdownCommunication: String? {
        guard code == NotificationCode.cease,
            subcode == CeaseSubcode.administrativeShutdown || subcode == CeaseSubcode.administrativeReset
        else { return nil }
        var cursor = ByteCursor(data[...])
        guard let length = cursor.readUInt8(), length > 0, let octets = cursor.readBytes(Int(length)),
            let text = String(validating: octets, as: UTF8.self)
        else { return nil }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: scalars.append("?")
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// The notification that a Hard Reset carries (RFC 8538 §3.1).
    package var hardResetReason: NotificationMessage? {
        guard code == NotificationCode.cease, subcode == CeaseSubcode.hardReset, data.count >= 2 else { return nil }
        return NotificationMessage(code: data[0], subcode: data[1], data: Array(data[2...]))
    }
}

extension NotificationMessage: CustomStringConvertible {
    /// The names of the code and the subcode, and the shutdown communication where there is one:
    /// `Cease/Administrative Shutdown: "moving racks"`.
    package var description: String {
        var text = Self.codeNames[code] ?? "Code \(code)"
        if let name = Self.subcodeNames[code]?[subcode] {
            text += "/\(name)"
        } else if subcode != 0 {
            text += "/Subcode \(subcode)"
        }
        if let said = shutdownCommunication { text += ": \"\(said)\"" }
        if let reason = hardResetReason { text += " (\(reason.ownDescription))" }
        return text
    }

    /// The description without the notification that a Hard Reset carries: a peer may nest them to any depth.
    private var ownDescription: String {
        code == NotificationCode.cease && subcode == CeaseSubcode.hardReset ? "Cease/Hard Reset" : description
    }

    private static let codeNames: [UInt8: String] = [
        NotificationCode.messageHeader: "Message Header Error",
        NotificationCode.openMessage: "OPEN Message Error",
        NotificationCode.updateMessage: "UPDATE Message Error",
        NotificationCode.holdTimerExpired: "Hold Timer Expired",
        NotificationCode.finiteStateMachine: "Finite State Machine Error",
        NotificationCode.cease: "Cease",
        NotificationCode.routeRefreshMessage: "ROUTE-REFRESH Message Error",
        NotificationCode.sendHoldTimerExpired: "Send Hold Timer Expired",
    ]

    private static let subcodeNames: [UInt8: [UInt8: String]] = [
        NotificationCode.messageHeader: [
            1: "Connection Not Synchronized", 2: "Bad Message Length", 3: "Bad Message Type",
        ],
        NotificationCode.openMessage: [
            1: "Unsupported Version Number", 2: "Bad Peer AS", 3: "Bad BGP Identifier",
            4: "Unsupported Optional Parameter", 6: "Unacceptable Hold Time", 7: "Unsupported Capability",
            8: "Malformed Optional Parameter", 11: "Role Mismatch",
        ],
        NotificationCode.updateMessage: [
            1: "Malformed Attribute List", 2: "Unrecognized Well-known Attribute", 3: "Missing Well-known Attribute",
            4: "Attribute Flags Error", 5: "Attribute Length Error", 6: "Invalid ORIGIN Attribute",
            8: "Invalid NEXT_HOP Attribute", 9: "Optional Attribute Error", 10: "Invalid Network Field",
            11: "Malformed AS_PATH",
        ],
        NotificationCode.finiteStateMachine: [
            1: "Receive Unexpected Message in OpenSent State", 2: "Receive Unexpected Message in OpenConfirm State",
            3: "Receive Unexpected Message in Established State",
        ],
        NotificationCode.cease: [
            1: "Maximum Number of Prefixes Reached", 2: "Administrative Shutdown", 3: "Peer De-configured",
            4: "Administrative Reset", 5: "Connection Rejected", 6: "Other Configuration Change",
            7: "Connection Collision Resolution", 8: "Out of Resources", 9: "Hard Reset", 10: "BFD Down",
        ],
        NotificationCode.routeRefreshMessage: [1: "Invalid Message Length"],
    ]
}
