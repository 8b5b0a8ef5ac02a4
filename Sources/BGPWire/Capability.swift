package import NetTypes

/// A capability of an OPEN (RFC 5492).
package enum Capability: Sendable, Hashable {
    /// Code 1: a family is spoken (RFC 4760 §8).
    case multiprotocol(AFISAFI)
    /// Code 2: ROUTE-REFRESH is answered (RFC 2918).
    case routeRefresh
    /// Code 5: next hops of another family than the prefixes' are understood (RFC 8950).
    case extendedNextHop([ExtendedNextHop])
    /// Code 6: messages of up to 65535 octets are accepted (RFC 8654).
    case extendedMessage
    /// Code 64: graceful restart (RFC 4724, RFC 8538).
    case gracefulRestart(GracefulRestart)
    /// Code 65: AS numbers have four octets, and this is the sender's (RFC 6793).
    case fourOctetAS(ASNumber)
    /// Code 69: several paths for one prefix (RFC 7911).
    case addPath([AddPathFamily])
    /// Code 70: the begin and the end of a refresh are marked (RFC 7313).
    case enhancedRouteRefresh
    /// Code 71: how long stale routes are kept after the restart time (RFC 9494).
    case longLivedGracefulRestart([LongLivedFamily])
    /// Any other.
    case unknown(code: UInt8, value: [UInt8])
}

/// One entry of the extended next hop capability (RFC 8950 §4).
package struct ExtendedNextHop: Sendable, Hashable {
    /// The family of the prefixes.
    package let family: AFISAFI
    /// The AFI of the next hops that are understood for them.
    package let nextHopAFI: UInt16

    /// IPv6 next hops for IPv4 unicast.
    package static let ipv4OverIPv6 = ExtendedNextHop(family: .ipv4Unicast, nextHopAFI: 2)

    /// Makes an entry.
    package init(family: AFISAFI, nextHopAFI: UInt16) {
        self.family = family
        self.nextHopAFI = nextHopAFI
    }
}

/// One family of the long-lived graceful restart capability (RFC 9494 §3.1).
package struct LongLivedFamily: Sendable, Hashable {
    /// The family.
    package let family: AFISAFI
    /// The F bit: the sender's forwarding state of the family has survived its restart.
    package let forwardingPreserved: Bool
    /// How long its routes may be kept as the least preferred ones, in seconds: at most 16777215.
    package let staleTime: UInt32

    /// The longest time that its twenty-four bits hold.
    package static let maximumStaleTime: UInt32 = 0xff_ffff

    /// Makes an entry; a time above the maximum is cut to it.
    package init(_ family: AFISAFI, forwardingPreserved: Bool, staleTime: UInt32) {
        self.family = family
        self.forwardingPreserved = forwardingPreserved
        self.staleTime = min(staleTime, Self.maximumStaleTime)
    }
}

/// One family of the add-path capability (RFC 7911 §4).
package struct AddPathFamily: Sendable, Hashable {
    /// The family.
    package let family: AFISAFI
    /// 1: the sender receives several paths; 2: it sends them; 3: both.
    package let sendReceive: UInt8

    /// Whether the sender takes several paths.
    package var receives: Bool { sendReceive == 1 || sendReceive == 3 }
    /// Whether the sender sends several paths.
    package var sends: Bool { sendReceive == 2 || sendReceive == 3 }

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
