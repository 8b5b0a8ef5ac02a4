import BGPSession

/// Which of the attempts to come up that fail the log is told of: each cause once until the session is up.
///
/// What a NOTIFICATION says is told at once. A connection that does not come about, or ends, may be a peer that starts or
/// a collision: it is told when it is so a second time.
struct FailureReport: Sendable, Equatable {
    /// The causes that are remembered; a peer may find ever other words.
    private static let limit = 16

    private var counts: [String: Int] = [:]
    private var lastNumber: UInt64 = 0

    /// Whether the log is to be told of the failure.
    mutating func isNew(_ failure: AttemptFailure) -> Bool {
        guard failure.number != lastNumber else { return false }
        lastNumber = failure.number
        if counts[failure.reason] == nil, counts.count >= Self.limit { counts = [:] }
        let count = counts[failure.reason, default: 0] + 1
        counts[failure.reason] = count
        return count == (failure.sign == .notification ? 1 : 2)
    }
}
