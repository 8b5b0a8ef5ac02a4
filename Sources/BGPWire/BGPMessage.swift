/// A BGP message, and the two ways between it and bytes.
///
/// Parts: `MessageDecoder` cuts the byte stream into frames with `MessageHeader`; `BGPMessage.decode` reads one frame,
/// each kind of message in the file named for it; the path attributes of an UPDATE are rows of the table in
/// `AttributeDescriptor`. `UpdateEncoder` goes the other way and packs many prefixes into few messages.
///
/// Data flow: bytes → frame → message → session; table → `UpdateEncoder` → bytes. What ends the session is thrown as a
/// `BGPError`, which carries the NOTIFICATION; what the session survives is in `UpdateMessage.malformed`.
///
/// RFCs: 4271 messages and their errors · 5492, 9072 capabilities and long optional parameters · 4760, 2545 families ·
/// 6793 four-octet AS numbers · 2918, 7313 route refresh · 4724, 8538, 9494 graceful restart · 4456 route reflection ·
/// 1997, 4360, 8092 communities · 7606 revised error handling · 7607 AS 0 · 7911 several paths · 8654 extended messages ·
/// 8950 IPv6 next hops of IPv4 prefixes · 9003 shutdown communication · 9012 tunnel encapsulation.
///
/// Known deviations: an unrecognized well-known attribute is treat-as-withdraw, where RFC 4271 §6.3 would end the
/// session: one odd router must not take a mesh down. AS_SETs are accepted (RFC 9774 would withdraw the routes).
/// Segments of confederations are malformed, because there are none here. A route without LOCAL_PREF from an internal
/// peer is taken, as if it had the usual 100 (RFC 4271 §5.1.5 makes the peer send it, and does not call it mandatory).
package enum BGPMessage: Sendable, Hashable {
    case open(OpenMessage)
    case update(UpdateMessage)
    case notification(NotificationMessage)
    case keepalive
    case routeRefresh(RouteRefreshMessage)

    /// Reads one whole frame, header included.
    ///
    /// - Throws: `BGPError` when the session must end: send its notification.
    package static func decode(_ frame: ArraySlice<UInt8>, context: WireContext) throws(BGPError) -> BGPMessage {
        var attributes = AttributeReader()
        return try decode(frame, context: context, &attributes)
    }

    /// Reads one whole frame of a connection whose attributes `attributes` reads.
    static func decode(
        _ frame: ArraySlice<UInt8>, context: WireContext, _ attributes: inout AttributeReader,
    ) throws(BGPError) -> BGPMessage {
        guard let header = try MessageHeader.parse(frame, maximumMessageLength: context.maximumMessageLength),
            header.length == frame.count
        else {
            let claimed = frame.dropFirst(16).prefix(2)
            throw BGPError(
                NotificationCode.messageHeader, HeaderSubcode.badMessageLength, data: Array(claimed),
                "the frame has \(frame.count) octets")
        }
        let body = frame.dropFirst(MessageHeader.octets)
        switch header.type {
        case .open: return .open(try OpenMessage.decode(body))
        case .update: return .update(try UpdateMessage.decode(body, context: context, &attributes))
        case .notification: return .notification(try NotificationMessage.decode(body))
        case .keepalive: return .keepalive
        case .routeRefresh: return .routeRefresh(try RouteRefreshMessage.decode(body, frame: frame))
        }
    }

    /// Reads one whole frame, header included.
    ///
    /// - Throws: `BGPError` when the session must end: send its notification.
    package static func decode(_ frame: [UInt8], context: WireContext) throws(BGPError) -> BGPMessage {
        try decode(frame[...], context: context)
    }

    /// The bytes to send: one frame, or, for an UPDATE that one frame cannot hold, as many as it takes, back to back.
    package func encode(_ context: WireContext) -> [UInt8] {
        switch self {
        case .open(let message): message.encode()
        case .update(let message): message.encode(context)
        case .notification(let message): message.encode(context)
        case .keepalive: MessageHeader.frame(.keepalive) { _ in }
        case .routeRefresh(let message): message.encode()
        }
    }
}
