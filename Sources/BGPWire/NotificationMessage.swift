/// The message that says why a session ends (RFC 4271 §4.5).
package struct NotificationMessage: Sendable, Hashable {
    /// The error code, one of `NotificationCode`'s.
    package let code: UInt8
    /// The subcode; its meaning depends on the code.
    package let subcode: UInt8
    /// What the code and subcode give besides; the offending bytes in most cases.
    package let data: [UInt8]

    /// Makes a notification.
    package init(code: UInt8, subcode: UInt8, data: [UInt8] = []) {
        self.code = code
        self.subcode = subcode
        self.data = data
    }

    /// Makes a Cease.
    package init(cease subcode: UInt8, data: [UInt8] = []) {
        self.init(code: NotificationCode.cease, subcode: subcode, data: data)
    }
}

/// The error codes of a NOTIFICATION (RFC 4271 §4.5, RFC 7313 §5).
package enum NotificationCode {
    /// Message Header Error.
    package static let messageHeader: UInt8 = 1
    /// OPEN Message Error.
    package static let openMessage: UInt8 = 2
    /// UPDATE Message Error.
    package static let updateMessage: UInt8 = 3
    /// Hold Timer Expired.
    package static let holdTimerExpired: UInt8 = 4
    /// Finite State Machine Error.
    package static let finiteStateMachine: UInt8 = 5
    /// Cease.
    package static let cease: UInt8 = 6
    /// ROUTE-REFRESH Message Error.
    package static let routeRefreshMessage: UInt8 = 7
    /// Send Hold Timer Expired (RFC 9687).
    package static let sendHoldTimerExpired: UInt8 = 8
}

/// The subcodes of Message Header Error (RFC 4271 §6.1).
package enum HeaderSubcode {
    /// Connection Not Synchronized.
    package static let connectionNotSynchronized: UInt8 = 1
    /// Bad Message Length.
    package static let badMessageLength: UInt8 = 2
    /// Bad Message Type.
    package static let badMessageType: UInt8 = 3
}

/// The subcodes of OPEN Message Error (RFC 4271 §6.2, RFC 5492 §5).
package enum OpenSubcode {
    /// Unspecific: an optional parameter that is known but malformed.
    package static let unspecific: UInt8 = 0
    /// Unsupported Version Number.
    package static let unsupportedVersion: UInt8 = 1
    /// Bad Peer AS.
    package static let badPeerAS: UInt8 = 2
    /// Bad BGP Identifier.
    package static let badBGPIdentifier: UInt8 = 3
    /// Unsupported Optional Parameter.
    package static let unsupportedOptionalParameter: UInt8 = 4
    /// Unacceptable Hold Time.
    package static let unacceptableHoldTime: UInt8 = 6
    /// Unsupported Capability.
    package static let unsupportedCapability: UInt8 = 7
}

/// The subcodes of UPDATE Message Error (RFC 4271 §6.3).
package enum UpdateSubcode {
    /// Malformed Attribute List.
    package static let malformedAttributeList: UInt8 = 1
    /// Unrecognized Well-known Attribute.
    package static let unrecognizedWellKnownAttribute: UInt8 = 2
    /// Missing Well-known Attribute.
    package static let missingWellKnownAttribute: UInt8 = 3
    /// Attribute Flags Error.
    package static let attributeFlags: UInt8 = 4
    /// Attribute Length Error.
    package static let attributeLength: UInt8 = 5
    /// Invalid ORIGIN Attribute.
    package static let invalidOrigin: UInt8 = 6
    /// Invalid NEXT_HOP Attribute.
    package static let invalidNextHop: UInt8 = 8
    /// Optional Attribute Error.
    package static let optionalAttribute: UInt8 = 9
    /// Invalid Network Field.
    package static let invalidNetworkField: UInt8 = 10
    /// Malformed AS_PATH.
    package static let malformedASPath: UInt8 = 11
}

/// The subcodes of Finite State Machine Error (RFC 6608 §3).
package enum FSMSubcode {
    /// Receive Unexpected Message in OpenSent State.
    package static let unexpectedInOpenSent: UInt8 = 1
    /// Receive Unexpected Message in OpenConfirm State.
    package static let unexpectedInOpenConfirm: UInt8 = 2
    /// Receive Unexpected Message in Established State.
    package static let unexpectedInEstablished: UInt8 = 3
}

/// The subcodes of Cease (RFC 4486 §3, RFC 8538 §3.1, RFC 9384 §3).
package enum CeaseSubcode {
    /// Maximum Number of Prefixes Reached.
    package static let maximumPrefixes: UInt8 = 1
    /// Administrative Shutdown; the data may hold a reason (RFC 9003).
    package static let administrativeShutdown: UInt8 = 2
    /// Peer De-configured.
    package static let peerDeconfigured: UInt8 = 3
    /// Administrative Reset; the data may hold a reason (RFC 9003).
    package static let administrativeReset: UInt8 = 4
    /// Connection Rejected.
    package static let connectionRejected: UInt8 = 5
    /// Other Configuration Change.
    package static let otherConfigurationChange: UInt8 = 6
    /// Connection Collision Resolution.
    package static let connectionCollisionResolution: UInt8 = 7
    /// Out of Resources.
    package static let outOfResources: UInt8 = 8
    /// Hard Reset: graceful restart does not apply; the data holds the notification that is meant (RFC 8538 §3).
    package static let hardReset: UInt8 = 9
    /// BFD Down.
    package static let bfdDown: UInt8 = 10
}

/// The subcode of ROUTE-REFRESH Message Error (RFC 7313 §5).
package enum RouteRefreshSubcode {
    /// Invalid Message Length.
    package static let invalidMessageLength: UInt8 = 1
}
