/// A BFD control packet without authentication (RFC 5880 §4.1).
package struct BFDPacket: Sendable, Hashable {
    /// The octets of a packet.
    package static let length = 24

    /// Why the sender's session went down last.
    package var diagnostic = BFDDiagnostic.none
    /// The sender's state.
    package var state = BFDState.down
    /// P: the sender waits for an answer with F.
    package var isPoll = false
    /// F: the answer to P.
    package var isFinal = false
    /// C: the sender's BFD outlives its control plane.
    package var isControlPlaneIndependent = false
    /// D: the sender wants no periodic packets.
    package var isDemand = false
    /// How many of its packets the sender lets go missing; at least 1.
    package var multiplier: UInt8 = 3
    /// The sender's name for the session; not 0.
    package var myDiscriminator: UInt32 = 0
    /// The receiver's name for the session as the sender knows it; 0 when it does not.
    package var yourDiscriminator: UInt32 = 0
    /// The interval at which the sender wants to send, in microseconds.
    package var desiredMinimumTransmit: UInt32 = 0
    /// The shortest interval between packets that the sender takes, in microseconds; 0: it takes none.
    package var requiredMinimumReceive: UInt32 = 0

    /// A packet of nothing.
    package init() {}

    /// Reads a packet; nil for one that is to be dropped whatever the session (RFC 5880 §6.8.6), which includes every
    /// packet with authentication, as none is used.
    package init?(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes.prefix(Self.length))
        guard bytes.count == Self.length, bytes[0] >> 5 == 1, bytes[3] == Self.length else { return nil }
        let flags = bytes[1]
        let isAuthenticated = flags & 0x04 != 0
        let isMultipoint = flags & 0x01 != 0
        guard !isAuthenticated, !isMultipoint, let state = BFDState(rawValue: flags >> 6) else { return nil }
        diagnostic = BFDDiagnostic(rawValue: bytes[0] & 0x1F)
        self.state = state
        isPoll = flags & 0x20 != 0
        isFinal = flags & 0x10 != 0
        isControlPlaneIndependent = flags & 0x08 != 0
        isDemand = flags & 0x02 != 0
        multiplier = bytes[2]
        myDiscriminator = Self.word(bytes[4..<8])
        yourDiscriminator = Self.word(bytes[8..<12])
        desiredMinimumTransmit = Self.word(bytes[12..<16])
        requiredMinimumReceive = Self.word(bytes[16..<20])
        let mayLackDiscriminator = state == .down || state == .adminDown
        guard multiplier > 0, myDiscriminator != 0, yourDiscriminator != 0 || mayLackDiscriminator else { return nil }
    }

    /// The packet's octets. The echo function is never offered.
    package var bytes: [UInt8] {
        var flags = state.rawValue << 6
        if isPoll { flags |= 0x20 }
        if isFinal { flags |= 0x10 }
        if isControlPlaneIndependent { flags |= 0x08 }
        if isDemand { flags |= 0x02 }
        let words = [myDiscriminator, yourDiscriminator, desiredMinimumTransmit, requiredMinimumReceive, 0]
        return [1 << 5 | diagnostic.rawValue & 0x1F, flags, multiplier, UInt8(Self.length)]
            + words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

/// The state of a session (RFC 5880 §4.1).
package enum BFDState: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case adminDown = 0
    case down = 1
    case `init` = 2
    case up = 3

    /// The RFC's spelling.
    package var description: String {
        switch self {
        case .adminDown: "AdminDown"
        case .down: "Down"
        case .`init`: "Init"
        case .up: "Up"
        }
    }
}

/// Why a session went down (RFC 5880 §4.1).
package struct BFDDiagnostic: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number, of five bits.
    package let rawValue: UInt8

    /// Takes any number.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let none = BFDDiagnostic(rawValue: 0)
    package static let detectionTimeExpired = BFDDiagnostic(rawValue: 1)
    package static let neighborSignaledDown = BFDDiagnostic(rawValue: 3)
    package static let administrativelyDown = BFDDiagnostic(rawValue: 7)

    /// The meaning in words.
    package var description: String {
        switch self {
        case .none: "no diagnostic"
        case .detectionTimeExpired: "nothing came within the detection time"
        case .neighborSignaledDown: "the peer says that it is down"
        case .administrativelyDown: "administratively down"
        default: "diagnostic \(rawValue)"
        }
    }
}
