import BGPWire
import NetTypes

// Long-lived graceful restart (RFC 9494 §4.2): what becomes of a lost peer's routes when its restart time is over.

/// A family whose routes are kept long, and until when. It ends with the family's End-of-RIB and is not begun anew before:
/// a peer that comes and goes does not keep them for ever.
struct LongLivedStay: Sendable, Equatable {
    let family: AFISAFI
    let end: MonotonicTime
}

extension PeerSession {
    /// Whether some of what is stale was kept beyond the restart time: it outlives another loss.
    var hasKeptLong: Bool { !longLivedStays.isEmpty }

    /// A wait is over, for some families or for all: for the lost peer, whose routes go or are kept on as the last choice
    /// for as long as it has asked, or for the End-of-RIB of one that is back.
    mutating func handleStaleTimer(_ turn: inout Turn) {
        endLongLivedStays(&turn)
        if let deadline = staleDeadline, deadline <= turn.now {
            staleDeadline = nil
            if case .established = state {
                return dropStaleRoutes(because: "the peer's End-of-RIB did not come in time", &turn)
            }
            beginLongLivedStays(&turn)
        }
        watchStaleRoutes(&turn)
    }

    /// The families whose time is over go, whether the peer is back or not.
    private mutating func endLongLivedStays(_ turn: inout Turn) {
        let gone = longLivedStays.filter { $0.end <= turn.now }.map(\.family)
        guard !gone.isEmpty else { return }
        forgetStale(gone)
        turn.effects.append(.sweepStale(gone, reason: "the long-lived stale time is over"))
    }

    /// The restart time is over.
    private mutating func beginLongLivedStays(_ turn: inout Turn) {
        let kept = longLivedFamilies.filter { staleFamilies.contains($0.family) }
        let gone = staleFamilies.filter { family in !kept.contains { $0.family == family } }
        if !gone.isEmpty { turn.effects.append(.sweepStale(gone, reason: "the peer did not come back in time")) }
        forgetStale(gone)
        guard !kept.isEmpty else { return }
        longLivedStays = kept.map { asked in
            let present = longLivedStays.first { $0.family == asked.family }
            return present ?? LongLivedStay(family: asked.family, end: turn.now + .seconds(Int(asked.staleTime)))
        }
        turn.effects.append(.keepStaleLong(kept.map(\.family)))
    }

    /// Nothing of these families is stale any more.
    mutating func forgetStale(_ families: [AFISAFI]) {
        staleFamilies.removeAll { families.contains($0) }
        longLivedStays.removeAll { families.contains($0.family) }
    }

    /// Runs the timer until the next wait for what is stale is over, and not without anything stale.
    mutating func watchStaleRoutes(_ turn: inout Turn) {
        if staleFamilies.isEmpty {
            staleDeadline = nil
            longLivedStays = []
            longLivedFamilies = []
        }
        let ends = longLivedStays.map(\.end) + (staleDeadline.map { [$0] } ?? [])
        if let first = ends.min() { start(.staleRoutes, at: first, &turn) } else { stop(.staleRoutes, &turn) }
    }
}
