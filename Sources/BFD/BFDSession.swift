// Bidirectional Forwarding Detection with one peer: packets and moments in, packets and changes of state out.
//
// Asynchronous mode without echo and without authentication. The shell owns the socket and one timer, set to
// `nextDeadline`; it gives what came to `handle(_:at:)` and calls `handleTimer(at:)` when the time has come.
//
//            peer: Down                peer: Init or Up
//     Down ─────────────▶ Init ───────────────────────▶ Up ──┐
//      ▲ └──────────── peer: Init ───────────────────────▲   │ detection time, peer: Down or AdminDown
//      └─────────────────────────────────────────────────────┘
//
// RFC 5880 §6.8 · 5881 and 5883 are the shell's: ports, TTL.
//
// Known deviation: a change of the configured intervals makes a new session instead of a Poll Sequence.

package import NetTypes

/// What is wanted of a session.
package struct BFDConfiguration: Sendable, Hashable {
    /// The interval at which packets are sent once the session is up.
    package var minimumTransmitInterval: Duration
    /// The shortest interval between the peer's packets.
    package var minimumReceiveInterval: Duration
    /// How many packets the peer may miss.
    package var multiplier: UInt8
    /// This side's name for the session: not 0, and of this session alone.
    package var discriminator: UInt32
    /// Where the jitter starts; equal seeds give equal sessions.
    package var jitterSeed: UInt64

    /// Gathers it.
    package init(
        minimumTransmitInterval: Duration, minimumReceiveInterval: Duration, multiplier: UInt8, discriminator: UInt32,
        jitterSeed: UInt64,
    ) {
        self.minimumTransmitInterval = minimumTransmitInterval
        self.minimumReceiveInterval = minimumReceiveInterval
        self.multiplier = multiplier
        self.discriminator = discriminator
        self.jitterSeed = jitterSeed
    }
}

/// What the shell has to do, in order.
package enum BFDEffect: Sendable, Equatable {
    /// Send the packet.
    case send(BFDPacket)
    /// The session is up.
    case cameUp
    /// The session was up and is not any more.
    case wentDown(BFDDiagnostic, BFDLoss)
}

/// What the end of a session that was up means to others (RFC 5882 §4.2, §4.3).
package enum BFDLoss: Sendable, Hashable {
    /// The peer was told to stop BFD: nothing follows for anybody else.
    case administrative
    /// The peer is not reached, or its control plane has ended, BFD with it.
    case unreachable
    /// The peer's BFD outlives its control plane: nothing is forwarded.
    case forwardingLost
}

/// The session with one peer.
package struct BFDSession: Sendable {
    /// The interval before a session is up (RFC 5880 §6.8.3).
    private static let slowInterval: Duration = .seconds(1)

    /// What is wanted.
    package let configuration: BFDConfiguration
    /// The state.
    package private(set) var state = BFDState.down
    /// Why it went down last.
    package private(set) var diagnostic = BFDDiagnostic.none
    /// The last packet that was taken.
    package private(set) var remote: BFDPacket?
    /// A change of the intervals that the peer has not confirmed (§6.5).
    private var isPolling = false
    private var nextTransmission: MonotonicTime
    private var detectionDeadline: MonotonicTime?
    private var generator: UInt64

    /// A session that is down and sends its first packet at once.
    package init(configuration: BFDConfiguration, at now: MonotonicTime) {
        self.configuration = configuration
        nextTransmission = now
        generator = configuration.jitterSeed
    }

    /// When `handleTimer` is due.
    package var nextDeadline: MonotonicTime {
        detectionDeadline.map { min($0, nextTransmission) } ?? nextTransmission
    }

    /// How long the peer may be silent; nil while nothing is known of it.
    package var detectionTime: Duration? {
        remote.map { remote in
            max(configuration.minimumReceiveInterval, .microseconds(Int64(remote.desiredMinimumTransmit)))
                * Int(remote.multiplier)
        }
    }

    /// Takes a packet that is for this session: its Your Discriminator is this one's, or 0 and it came from the peer.
    package mutating func handle(_ packet: BFDPacket, at now: MonotonicTime) -> [BFDEffect] {
        guard packet.yourDiscriminator == 0 || packet.yourDiscriminator == configuration.discriminator else {
            return []
        }
        let formerInterval = transmitInterval
        remote = packet
        if packet.isFinal { isPolling = false }
        var effects: [BFDEffect] = []
        switch (state, packet.state) {
        case (.down, .down): state = .`init`
        case (.down, .`init`), (.`init`, .`init`), (.`init`, .up): comeUp(&effects)
        case (.up, .down): goDown(.neighborSignaledDown, isAdministrative: false, &effects)
        case (.up, .adminDown), (.`init`, .adminDown):
            goDown(.neighborSignaledDown, isAdministrative: true, &effects)
        case (.down, .up), (.down, .adminDown), (.`init`, .down), (.up, .`init`), (.up, .up), (.adminDown, _): break
        }
        detectionDeadline = detectionTime.map { now + $0 }
        if packet.isPoll { effects.append(.send(outgoing(isFinal: true))) }
        // A state that has changed, or a peer that takes more, is told at once and not after the slow interval.
        if transmitInterval < formerInterval { nextTransmission = min(nextTransmission, now + jittered()) }
        if effects.contains(.cameUp) { effects += transmit(at: now) }
        return effects
    }

    /// The time of `nextDeadline` has come: sends, and sees whether the peer is still there.
    package mutating func handleTimer(at now: MonotonicTime) -> [BFDEffect] {
        var effects: [BFDEffect] = []
        if let deadline = detectionDeadline, now >= deadline {
            detectionDeadline = nil
            goDown(.detectionTimeExpired, isAdministrative: false, &effects)
            // A peer of whom nothing has come for so long may come back under another name (§6.8.1).
            remote = nil
        }
        if now >= nextTransmission { effects += transmit(at: now) }
        return effects
    }

    private mutating func comeUp(_ effects: inout [BFDEffect]) {
        state = .up
        diagnostic = .none
        // The interval changes from the slow one: the peer is to confirm it (§6.8.3).
        isPolling = true
        effects.append(.cameUp)
    }

    private mutating func goDown(
        _ reason: BFDDiagnostic, isAdministrative: Bool, _ effects: inout [BFDEffect],
    ) {
        guard state == .up || state == .`init` else { return }
        let isIndependent = remote?.isControlPlaneIndependent ?? false
        let loss = isAdministrative ? BFDLoss.administrative : isIndependent ? .forwardingLost : .unreachable
        if state == .up { effects.append(.wentDown(reason, loss)) }
        state = .down
        diagnostic = reason
        isPolling = false
    }

    private mutating func transmit(at now: MonotonicTime) -> [BFDEffect] {
        nextTransmission = now + jittered()
        // A peer that takes no packets gets none, and one that asked for quiet none but the poll (§6.8.7).
        if let remote, remote.requiredMinimumReceive == 0 { return [] }
        if let remote, remote.isDemand, remote.state == .up, state == .up, !isPolling { return [] }
        return [.send(outgoing(isFinal: false))]
    }

    private func outgoing(isFinal: Bool) -> BFDPacket {
        var packet = BFDPacket()
        packet.diagnostic = diagnostic
        packet.state = state
        packet.isFinal = isFinal
        packet.isPoll = isPolling && !isFinal
        packet.multiplier = configuration.multiplier
        packet.myDiscriminator = configuration.discriminator
        packet.yourDiscriminator = remote?.myDiscriminator ?? 0
        packet.desiredMinimumTransmit = Self.microseconds(desiredTransmitInterval)
        packet.requiredMinimumReceive = Self.microseconds(configuration.minimumReceiveInterval)
        return packet
    }

    private var desiredTransmitInterval: Duration {
        let wanted = configuration.minimumTransmitInterval
        return state == .up ? wanted : max(wanted, Self.slowInterval)
    }

    private var transmitInterval: Duration {
        max(desiredTransmitInterval, .microseconds(Int64(remote?.requiredMinimumReceive ?? 1)))
    }

    /// The interval less up to a quarter; with a multiplier of 1 at least a tenth less (§6.8.7).
    private mutating func jittered() -> Duration {
        generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let part = Int(generator >> 54)
        let interval = transmitInterval
        return configuration.multiplier == 1
            ? interval * 3 / 4 + interval * 3 / 20 * part / 1024 : interval * 3 / 4 + interval / 4 * part / 1024
    }

    private static func microseconds(_ duration: Duration) -> UInt32 {
        let (seconds, attoseconds) = duration.components
        return UInt32(
            clamping: seconds.multipliedReportingOverflow(by: 1_000_000).partialValue
                &+ attoseconds / 1_000_000_000_000)
    }
}
