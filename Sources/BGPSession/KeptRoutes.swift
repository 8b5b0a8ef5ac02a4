package import BGPWire
import NetTypes

/// What of a peer's routes stays without a session, and until when: what a session leaves to the one that takes its place
/// with other settings. What was promised about the routes outlives the change, and is not promised anew by it.
package struct KeptRoutes: Sendable, Equatable {
    /// The families whose routes stay.
    package let families: [AFISAFI]
    /// Those of them that are kept as the last choice already (RFC 9494). Of a peer that has been back since they became
    /// that, what it has said again is not among them.
    package var familiesKeptLong: [AFISAFI] {
        deadline == nil && restartTime == nil ? longLivedStays.map(\.family) : []
    }

    let longLivedFamilies: [LongLivedFamily]
    let longLivedStays: [LongLivedStay]
    /// When the wait for the peer is over; nil where it is, and where it begins with the next session.
    let deadline: MonotonicTime?
    /// Since when there is no session; nil where the change has ended it.
    let downSince: MonotonicTime?
    /// How long the peer may take to come back, by its own word, where the wait begins with the next session.
    let restartTime: Duration?
    /// Whether the peer's session ended because of the change: the peer has lost nothing by it.
    package let wasUp: Bool
}

extension PeerSession {
    /// What stays of the peer's routes if this session ends for another with the peer. Of one that is up that is
    /// everything, whatever was agreed about restarts.
    package var keptRoutes: KeptRoutes {
        if let inherited { return inherited }
        if case .established(let up) = state {
            let restartTime = up.negotiated.peerGracefulRestart?.restartTime ?? 0
            return KeptRoutes(
                families: up.negotiated.families, longLivedFamilies: up.negotiated.keptLong,
                longLivedStays: longLivedStays, deadline: nil, downSince: nil,
                restartTime: .seconds(Int(restartTime)), wasUp: true)
        }
        return KeptRoutes(
            families: staleFamilies, longLivedFamilies: longLivedFamilies, longLivedStays: longLivedStays,
            deadline: staleDeadline, downSince: downSince, restartTime: nil, wasUp: peerLostNothing)
    }

    /// Goes on with what the session before has left. The wait for the peer is as long as it was; one that begins now is as
    /// long as the peer may take, and as long as its End-of-RIB may at least.
    mutating func takeOverRoutes(_ turn: inout Turn) {
        guard let kept = inherited else { return }
        inherited = nil
        guard !kept.families.isEmpty else { return }
        staleFamilies = kept.families
        peerLostNothing = kept.wasUp
        let limit = turn.now + configuration.timing.endOfRIBLimit
        if configuration.longLivedRestart.keepsRoutes {
            longLivedFamilies = kept.longLivedFamilies
            longLivedStays = kept.longLivedStays
        } else {
            // Nothing is to be kept long any more: the peer has the time of any other to come back.
            longLivedStays = kept.longLivedStays.map { LongLivedStay(family: $0.family, end: min($0.end, limit)) }
        }
        staleDeadline = kept.restartTime.map { max(turn.now + $0, limit) } ?? kept.deadline
        watchStaleRoutes(&turn)
    }
}
