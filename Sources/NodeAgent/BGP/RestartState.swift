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
    private var firstSession: MonotonicTime?

    init(isRestarting: Bool) {
        self.isRestarting = isRestarting
    }

    /// A session is established.
    mutating func sessionCameUp(at now: MonotonicTime) {
        firstSession = firstSession ?? now
    }

    /// Why the restart is complete; nil while it is not, or when there was none.
    func completed(awaiting peers: [PeerID], at now: MonotonicTime) -> String? {
        guard isRestarting, peers.isEmpty, let firstSession, now - firstSession >= Self.settlingTime else { return nil }
        return "every established peer has sent its End-of-RIB"
    }
}
