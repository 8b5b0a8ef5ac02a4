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
// A change of what is wanted is told by a Poll Sequence while the session stays up; an end is told as AdminDown.
//
// RFC 5880 §6.8 · 5881 and 5883 are the shell's: ports, TTL.

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
    package private(set) var configuration: BFDConfiguration
    /// The state.
    package private(set) var state = BFDState.down
    /// Why it went down last.
    package private(set) var diagnostic = BFDDiagnostic.none
    /// The last packet that was taken.
    package private(set) var remote: BFDPacket?
    /// When the last packet came that left the session up, or brought it up: the peer was reached then.
    package private(set) var lastHeard: MonotonicTime?
    /// A change of the intervals that the peer has not confirmed (§6.5).
    private var isPolling = false
    /// Whether what is polled has changed since the first packet of the poll: its answer may be one to what was before.
    private var isPollOutdated = false
    /// The intervals before the change that is polled (§6.8.3).
    private var former: (transmit: Duration, receive: Duration)?
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
            // The peer may go by the larger of two until it has answered.
            let minimum = max(configuration.minimumReceiveInterval, former?.receive ?? .zero)
            return max(minimum, .microseconds(Int64(remote.desiredMinimumTransmit))) * Int(remote.multiplier)
        }
    }

    /// Takes a packet that is for this session: its Your Discriminator is this one's, or 0 and it came from the peer.
    package mutating func handle(_ packet: BFDPacket, at now: MonotonicTime) -> [BFDEffect] {
        guard packet.yourDiscriminator == 0 || packet.yourDiscriminator == configuration.discriminator else {
            return []
        }
        guard state != .adminDown else { return [] }
        let (formerInterval, formerState) = (transmitInterval, state)
        remote = packet
        if packet.isFinal { confirm() }
        var effects: [BFDEffect] = []
        switch (state, packet.state) {
        case (.down, .down): state = .`init`
        case (.down, .`init`), (.`init`, .`init`), (.`init`, .up): comeUp(&effects)
        case (.up, .down): goDown(.neighborSignaledDown, isAdministrative: false, &effects)
        case (.up, .adminDown), (.`init`, .adminDown):
            goDown(.neighborSignaledDown, isAdministrative: true, &effects)
        case (.down, .up), (.down, .adminDown), (.`init`, .down), (.up, .`init`), (.up, .up), (.adminDown, _): break
        }
        if state == .up { lastHeard = now }
        detectionDeadline = detectionTime.map { now + $0 }
        if packet.isPoll { effects.append(.send(outgoing(isFinal: true))) }
        // A state that has changed, or a peer that takes more, is told at once and not after the slow interval (§6.8.7).
        if transmitInterval < formerInterval { nextTransmission = min(nextTransmission, now + jittered()) }
        if state != formerState { effects += transmit(at: now) }
        return effects
    }

    /// Makes the session be as wanted from now on; it keeps its name and its state. The peer is told by a Poll Sequence,
    /// and until it has answered nothing is slower to be sent, or sooner to be missed, than before (RFC 5880 §6.8.3).
    package mutating func change(transmit: Duration, receive: Duration, multiplier: UInt8, at now: MonotonicTime) {
        let wanted = (configuration.minimumTransmitInterval, configuration.minimumReceiveInterval)
        configuration.multiplier = multiplier
        guard wanted != (transmit, receive) else { return }
        configuration.minimumTransmitInterval = transmit
        configuration.minimumReceiveInterval = receive
        guard state == .up else { return }
        isPollOutdated = isPolling
        isPolling = true
        former = (min(former?.transmit ?? wanted.0, wanted.0), max(former?.receive ?? wanted.1, wanted.1))
        nextTransmission = min(nextTransmission, now + jittered())
    }

    /// Ends the session: the peer is to know that nothing has failed (RFC 5880 §6.8.16). Nothing is sent afterwards.
    ///
    /// - Returns: the packet that says so; nil if there is nobody to tell.
    package mutating func stop() -> BFDPacket? {
        state = .adminDown
        diagnostic = .administrativelyDown
        (isPolling, isPollOutdated, former, detectionDeadline) = (false, false, nil, nil)
        return remote.map { _ in outgoing(isFinal: false) }
    }

    /// The time of `nextDeadline` has come: sends, and sees whether the peer is still there.
    package mutating func handleTimer(at now: MonotonicTime) -> [BFDEffect] {
        guard state != .adminDown else { return [] }
        var effects: [BFDEffect] = []
        if let deadline = detectionDeadline, now >= deadline {
            detectionDeadline = nil
            let formerState = state
            goDown(.detectionTimeExpired, isAdministrative: false, &effects)
            if state != formerState { nextTransmission = now }
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
        (isPolling, isPollOutdated, former) = (false, false, nil)
    }

    /// The peer has answered a poll; if it may be an earlier one, the next answer counts.
    private mutating func confirm() {
        guard !isPollOutdated else {
            isPollOutdated = false
            return
        }
        isPolling = false
        former = nil
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
        let desired = min(desiredTransmitInterval, former?.transmit ?? desiredTransmitInterval)
        return max(desired, .microseconds(Int64(remote?.requiredMinimumReceive ?? 1)))
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
