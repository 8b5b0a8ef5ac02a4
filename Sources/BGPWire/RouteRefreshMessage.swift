/// A ROUTE-REFRESH (RFC 2918 §3), with the subtypes of enhanced route refresh (RFC 7313 §3.2).
package struct RouteRefreshMessage: Sendable, Hashable {
    /// What a ROUTE-REFRESH says.
    package enum Subtype: Sendable, Hashable {
        /// The receiver is asked to send its Adj-RIB-Out again.
        case request
        /// The sender begins to send its Adj-RIB-Out again (BoRR).
        case begin
        /// The sender has sent its Adj-RIB-Out again (EoRR).
        case end
        /// A subtype of a later RFC, to be ignored.
        case unknown(UInt8)
    }

    /// The family it is about, carried or not.
    package let family: AFISAFI
    /// What is said.
    package let subtype: Subtype

    /// Makes a message.
    package init(family: AFISAFI, subtype: Subtype = .request) {
        self.family = family
        self.subtype = subtype
    }
}

extension RouteRefreshMessage {
    /// Reads the body. A longer body of subtype 0 holds outbound route filters (RFC 5291), which are never agreed to
    /// and are passed over.
    static func decode(_ body: ArraySlice<UInt8>, frame: ArraySlice<UInt8>) throws(BGPError) -> RouteRefreshMessage {
        var cursor = ByteCursor(body)
        guard let afi = cursor.readUInt16(), let code = cursor.readUInt8(), let safi = cursor.readUInt8() else {
            throw BGPError(
                NotificationCode.messageHeader, HeaderSubcode.badMessageLength, "ROUTE-REFRESH of \(body.count) octets")
        }
        let subtype = Subtype(code: code)
        if subtype == .begin || subtype == .end, !cursor.isAtEnd {
            throw BGPError(
                NotificationCode.routeRefreshMessage, RouteRefreshSubcode.invalidMessageLength, data: Array(frame),
                "ROUTE-REFRESH of subtype \(code) with \(body.count) octets")
        }
        return RouteRefreshMessage(family: AFISAFI(afi: afi, safi: safi), subtype: subtype)
    }

    /// The whole frame.
    func encode() -> [UInt8] {
        MessageHeader.frame(.routeRefresh) { bytes in
            bytes.append(bigEndian: family.afi)
            bytes.append(subtype.code)
            bytes.append(family.safi)
        }
    }
}

extension RouteRefreshMessage.Subtype {
    /// The octet on the wire.
    package var code: UInt8 {
        switch self {
        case .request: 0
        case .begin: 1
        case .end: 2
        case .unknown(let code): code
        }
    }

    init(code: UInt8) {
        switch code {
        case 0: self = .request
        case 1: self = .begin
        case 2: self = .end
        default: self = .unknown(code)
        }
    }
}
