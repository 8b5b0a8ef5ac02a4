import BGPTable
import NetTypes

/// How far this node's own restart has come (RFC 4724 §4.1). Only the export of learned routes waits for it.
struct RestartState: Sendable, Equatable {
    /// The longest wait for the End-of-RIB of established peers. Peers that are not established delay nobody.
    static let exportHoldLimit: Duration = .seconds(5)
    /// For so long after the first session others may still come up and count.
    static let settlingTime: Duration = .seconds(1)

    /// Whether the process took over routes of an earlier one and has not heard all peers yet.
    var isRestarting: Bool
    /// Whether a reflector that is new has not heard all its clients yet: it passes on what it hears, and only its
    /// End-of-RIB waits. Clients that keep the routes of an earlier reflector drop them at that word.
    var isGathering = false
    /// Whether the process took over routes of an earlier one, from then on: what a session may say that was preserved.
    let hasPreservedRoutes: Bool
    private var start: MonotonicTime?
    private var firstSession: MonotonicTime?

    init(isRestarting: Bool) {
        self.isRestarting = isRestarting
        hasPreservedRoutes = isRestarting
    }

    /// A configuration names the peers. The wait for them begins with the first, however long that took to come.
    mutating func configured(at now: MonotonicTime) { start = start ?? now }

    /// Whether anything waits.
    var isUnderWay: Bool { isRestarting || isGathering }

    /// Nothing waits any more.
    mutating func end() {
        isRestarting = false
        isGathering = false
    }

    /// A session is established.
    mutating func sessionCameUp(at now: MonotonicTime) {
        firstSession = firstSession ?? now
    }

    /// Why the restart is complete; nil while it is not, or when there was none.
    ///
    /// - Parameter peers: the established peers whose End-of-RIB is awaited.
    func completed(awaiting peers: [PeerID], at now: MonotonicTime) -> String? {
        guard isUnderWay, let start else { return nil }
        if now - start >= Self.exportHoldLimit { return "the limit of \(Self.exportHoldLimit) is over" }
        guard peers.isEmpty, let firstSession, now - firstSession >= Self.settlingTime else { return nil }
        return "every established peer has sent its End-of-RIB"
    }
}
