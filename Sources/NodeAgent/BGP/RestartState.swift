import NetTypes

/// How far this node's own restart has come (RFC 4724 §4.1). Only the export of learned routes waits for it.
struct RestartState: Sendable, Equatable {
    /// Whom the end of a restart waits for.
    struct Awaited: Sendable, Equatable {
        /// Whether an established peer has not sent its End-of-RIB.
        var isAnybodySpeaking = false
        /// Whether a client of this reflector has no session: what it would say is what the others are told.
        var lacksClients = false
        /// Whether another peer has none.
        var lacksOthers = false
    }

    /// The longest wait for an End-of-RIB, and for clients to come up. Other peers without a session delay nobody for long.
    static let exportHoldLimit: Duration = .seconds(5)
    /// For so long after the first session others may still come up and count.
    static let settlingTime: Duration = .seconds(1)
    /// The same while a peer has no session. One that is there is dialled a second late where its address is the higher one,
    /// and a second later again if the first packet is lost.
    static let lateSettlingTime: Duration = .milliseconds(2500)

    /// Whether the process took over routes of an earlier one and has not heard all peers yet.
    var isRestarting: Bool
    /// Whether a reflector that is new, or that has lost its clients' routes, has not heard all its clients yet: it passes on
    /// what it hears, and only its End-of-RIB waits. Clients that keep the routes it told them drop them at that word.
    var isGathering = false
    /// Whether that is not for the first time.
    private(set) var isGatheringAgain = false
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
        isGatheringAgain = false
    }

    /// A reflector hears its clients again. The wait for them begins with the session that comes up now.
    mutating func gatherAgain(at now: MonotonicTime) {
        (isGathering, isGatheringAgain) = (true, true)
        (start, firstSession) = (now, nil)
    }

    /// A session is established.
    mutating func sessionCameUp(at now: MonotonicTime) {
        firstSession = firstSession ?? now
    }

    /// Why the restart is complete; nil while it is not, or when there was none.
    func completed(awaiting peers: Awaited, at now: MonotonicTime) -> String? {
        guard isUnderWay, let start else { return nil }
        if now - start >= Self.exportHoldLimit { return "the limit of \(Self.exportHoldLimit) is over" }
        guard !peers.isAnybodySpeaking, !peers.lacksClients, let firstSession else { return nil }
        let settlingTime = peers.lacksOthers ? Self.lateSettlingTime : Self.settlingTime
        guard now - firstSession >= settlingTime else { return nil }
        return "every established peer has sent its End-of-RIB"
    }
}
