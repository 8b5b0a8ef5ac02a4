/// An error that ends the session: the NOTIFICATION to send, and what was wrong in words.
package struct BGPError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The NOTIFICATION that the RFCs ask for.
    package let notification: NotificationMessage
    /// What was found, for the log.
    package let reason: String

    /// Joins a NOTIFICATION and its reason.
    package init(notification: NotificationMessage, reason: String) {
        self.notification = notification
        self.reason = reason
    }

    /// Makes an error of a code, a subcode and the data of RFC 4271 §6.
    package init(_ code: UInt8, _ subcode: UInt8, data: [UInt8] = [], _ reason: String) {
        self.init(notification: NotificationMessage(code: code, subcode: subcode, data: data), reason: reason)
    }

    /// `Message Header Error/Bad Message Length: …`.
    package var description: String { "\(notification): \(reason)" }
}

/// What is done about an error in an UPDATE (RFC 7606 §2), the weakest first.
@frozen
package enum ErrorAction: UInt8, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The attribute is dropped and the routes stay.
    case attributeDiscard
    /// The routes of the UPDATE are taken as withdrawn.
    case treatAsWithdraw
    /// What concerns the address family is ignored.
    case afiSafiDisable
    /// The session ends with a NOTIFICATION.
    case sessionReset

    @inlinable package static func < (left: ErrorAction, right: ErrorAction) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The words of RFC 7606 §2.
    package var description: String {
        switch self {
        case .attributeDiscard: "attribute discard"
        case .treatAsWithdraw: "treat-as-withdraw"
        case .afiSafiDisable: "AFI/SAFI disable"
        case .sessionReset: "session reset"
        }
    }
}

/// An error in the path attributes of an UPDATE that the session survives, and what was done about it.
package struct AttributeError: Sendable, Hashable, CustomStringConvertible {
    /// The attribute's type code; nil when the list of attributes itself is broken or lacks one.
    package let type: UInt8?
    /// What the decoder did.
    package let action: ErrorAction
    /// The subcode of UPDATE Message Error (RFC 4271 §6.3) that names the error.
    package let subcode: UInt8
    /// What was found, for the log.
    package let reason: String

    /// Records an error.
    package init(type: UInt8?, action: ErrorAction, subcode: UInt8, reason: String) {
        self.type = type
        self.action = action
        self.subcode = subcode
        self.reason = reason
    }

    /// `attribute 5 (LOCAL_PREF): length 3; treat-as-withdraw`.
    package var description: String {
        let name = type.map { type in
            "attribute \(type)" + (AttributeDescriptor.row(of: type).map { " (\($0.name))" } ?? "")
        }
        return "\(name ?? "attributes"): \(reason); \(action)"
    }
}
