import BGPWire
import NetTypes

// Long-lived graceful restart (RFC 9494 §4.2): what becomes of a lost peer's routes when its restart time is over.

/// A family whose routes are kept long, and until when.
struct LongLivedStay: Sendable, Equatable {
    let family: AFISAFI
    let end: MonotonicTime
}

extension PeerSession {
    /// A wait for the lost peer is over: its routes go, or are kept on as the last choice for as long as it has asked.
    mutating func handleStaleTimer(_ turn: inout Turn) {
        if case .established = state {
            return dropStaleRoutes(because: "the peer's End-of-RIB did not come in time", &turn)
        }
        if !longLivedStays.isEmpty { return endLongLivedStays(&turn) }
        let kept = longLivedFamilies.filter { staleFamilies.contains($0.family) }
        guard !kept.isEmpty else { return dropStaleRoutes(because: "the peer did not come back in time", &turn) }
        let gone = staleFamilies.filter { family in !kept.contains { $0.family == family } }
        if !gone.isEmpty { turn.effects.append(.sweepStale(gone, reason: "the peer did not come back in time")) }
        staleFamilies = kept.map(\.family)
        longLivedStays = kept.map { LongLivedStay(family: $0.family, end: turn.now + .seconds(Int($0.staleTime))) }
        hasKeptLong = true
        turn.effects.append(.keepStaleLong(staleFamilies))
        startLongLivedTimer(&turn)
    }

    /// The families whose time is over go; the timer runs on for the others.
    private mutating func endLongLivedStays(_ turn: inout Turn) {
        let gone = longLivedStays.filter { $0.end <= turn.now }.map(\.family)
        longLivedStays.removeAll { $0.end <= turn.now }
        staleFamilies = longLivedStays.map(\.family)
        if !gone.isEmpty { turn.effects.append(.sweepStale(gone, reason: "the long-lived stale time is over")) }
        if staleFamilies.isEmpty { hasKeptLong = false } else { startLongLivedTimer(&turn) }
    }

    private mutating func startLongLivedTimer(_ turn: inout Turn) {
        if let first = longLivedStays.map(\.end).min() { start(.staleRoutes, at: first, &turn) }
    }

    /// The peer is back: from here on the wait is for its End-of-RIB.
    mutating func endLongLivedWait() {
        longLivedStays = []
        longLivedFamilies = []
    }
}
