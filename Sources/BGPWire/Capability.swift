package import NetTypes

/// A capability of an OPEN (RFC 5492).
package enum Capability: Sendable, Hashable {
    /// Code 1: a family is spoken (RFC 4760 §8).
    case multiprotocol(AFISAFI)
    /// Code 2: ROUTE-REFRESH is answered (RFC 2918).
    case routeRefresh
    /// Code 6: messages of up to 65535 octets are accepted (RFC 8654).
    case extendedMessage
    /// Code 64: graceful restart (RFC 4724, RFC 8538).
    case gracefulRestart(GracefulRestart)
    /// Code 65: AS numbers have four octets, and this is the sender's (RFC 6793).
    case fourOctetAS(ASNumber)
    /// Code 69: several paths for one prefix (RFC 7911). Read, and never agreed to: UPDATEs carry no path identifier.
    case addPath([AddPathFamily])
    /// Code 70: the begin and the end of a refresh are marked (RFC 7313).
    case enhancedRouteRefresh
    /// Any other.
    case unknown(code: UInt8, value: [UInt8])
}

/// One family of the add-path capability (RFC 7911 §4).
package struct AddPathFamily: Sendable, Hashable {
    /// The family.
    package let family: AFISAFI
    /// 1: the sender receives several paths; 2: it sends them; 3: both.
    package let sendReceive: UInt8

    /// Makes an entry.
    package init(family: AFISAFI, sendReceive: UInt8) {
        self.family = family
        self.sendReceive = sendReceive
    }
}

/// The graceful restart capability (RFC 4724 §3).
package struct GracefulRestart: Sendable, Hashable {
    /// One family that the sender keeps through a restart.
    package struct Family: Sendable, Hashable {
        /// The family.
        package let family: AFISAFI
        /// The F bit: the sender's forwarding state of the family has survived its restart.
        package let forwardingPreserved: Bool

        /// Makes an entry.
        package init(_ family: AFISAFI, forwardingPreserved: Bool) {
            self.family = family
            self.forwardingPreserved = forwardingPreserved
        }
    }

    /// The R bit: the sender has restarted, and its peers need not wait for its End-of-RIB.
    package let isRestarting: Bool
    /// The N bit: graceful restart also covers a session that ends with a NOTIFICATION (RFC 8538 §2).
    package let notification: Bool
    /// The time that the sender asks to be waited for, in seconds: at most 4095.
    package let restartTime: UInt16
    /// The families.
    package let families: [Family]

    /// The longest restart time that its twelve bits hold.
    package static let maximumRestartTime: UInt16 = 4095

    /// Makes the capability; a restart time above 4095 is cut to it.
    package init(isRestarting: Bool, notification: Bool, restartTime: UInt16, families: [Family]) {
        self.isRestarting = isRestarting
        self.notification = notification
        self.restartTime = min(restartTime, Self.maximumRestartTime)
        self.families = families
    }
}
