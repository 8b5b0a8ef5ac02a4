/// The types of messages (RFC 4271 §4.1, RFC 2918 §3).
package enum MessageType: UInt8, Sendable, Hashable, CaseIterable {
    case open = 1
    case update = 2
    case notification = 3
    case keepalive = 4
    case routeRefresh = 5
}

/// The 19 octets that begin every message (RFC 4271 §4.1).
package struct MessageHeader: Sendable, Hashable {
    /// The length of the header itself.
    package static let octets = 19

    /// The length of the whole message, header included.
    package let length: Int
    /// The type of the message.
    package let type: MessageType

    /// Reads and checks a header (RFC 4271 §6.1); nil when fewer than 19 bytes have come.
    ///
    /// - Throws: `BGPError` with Message Header Error when the marker, the length or the type is wrong.
    package static func parse(
        _ bytes: ArraySlice<UInt8>, maximumMessageLength: Int
    ) throws(BGPError) -> MessageHeader? {
        var cursor = ByteCursor(bytes)
        guard let marker = cursor.readBytes(16), let length = cursor.readUInt16(), let code = cursor.readUInt8() else {
            return nil
        }
        guard marker.allSatisfy({ $0 == 0xff }) else {
            throw BGPError(
                NotificationCode.messageHeader, HeaderSubcode.connectionNotSynchronized, "marker is not all ones")
        }
        func badLength(_ reason: String) -> BGPError {
            BGPError(
                NotificationCode.messageHeader, HeaderSubcode.badMessageLength,
                data: [UInt8(length >> 8), UInt8(length & 0xff)], reason)
        }
        guard length >= octets, length <= maximumMessageLength else {
            throw badLength("length \(length) is not in \(octets)...\(maximumMessageLength)")
        }
        guard let type = MessageType(rawValue: code) else {
            throw BGPError(
                NotificationCode.messageHeader, HeaderSubcode.badMessageType, data: [code], "message type \(code)")
        }
        guard type.lengths.contains(Int(length)) else {
            throw badLength("length \(length) of \(type)")
        }
        return MessageHeader(length: Int(length), type: type)
    }

    /// The frame of a message: the header, then the body that `write` appends. A body is the writer's to keep within
    /// the limits of the session.
    static func frame(_ type: MessageType, capacity: Int = 64, write: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity)
        open(type, &bytes)
        write(&bytes)
        close(&bytes, from: 0)
        return bytes
    }

    /// Begins a message at the end of `bytes`.
    static func open(_ type: MessageType, _ bytes: inout [UInt8]) {
        bytes.append(contentsOf: marker)
        bytes.append(type.rawValue)
    }

    /// Ends the message that begins at `start`: its length is known now.
    static func close(_ bytes: inout [UInt8], from start: Int) {
        bytes[start + 16] = UInt8(truncatingIfNeeded: (bytes.count - start) >> 8)
        bytes[start + 17] = UInt8(truncatingIfNeeded: bytes.count - start)
    }

    /// The marker (RFC 4271 §4.1) and a length of two octets yet to come.
    private static let marker = [UInt8](repeating: 0xff, count: 16) + [0, 0]
}

extension MessageType: CustomStringConvertible {
    /// The name in capitals, as the RFCs write it.
    package var description: String {
        switch self {
        case .open: "OPEN"
        case .update: "UPDATE"
        case .notification: "NOTIFICATION"
        case .keepalive: "KEEPALIVE"
        case .routeRefresh: "ROUTE-REFRESH"
        }
    }

    /// The lengths that the type allows, header included (RFC 4271 §6.1, RFC 2918 §3, RFC 8654 §4).
    fileprivate var lengths: ClosedRange<Int> {
        switch self {
        case .open: 29...WireContext.standardMaximum
        case .update: 23...WireContext.extendedMaximum
        case .notification: 21...WireContext.extendedMaximum
        case .keepalive: 19...19
        case .routeRefresh: 23...WireContext.extendedMaximum
        }
    }
}
