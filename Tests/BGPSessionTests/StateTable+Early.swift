extension StateTable {
    /// The cells of the states before an OPEN came.
    static let early: [StateRow: String] = [
        .idle: """
        started: Connect | connect own, +retry
        shutdown: Idle
        deconfigured: Idle
        restarting: Idle
        restartCompleted: Idle
        reachabilityRestored: Idle
        ownConnected: Idle | close own
        theirsConnected: Idle | close theirs
        theirsConnectedAgain: Idle | close theirs2
        ownFailed: Idle
        ownClosed: Idle
        theirsClosed: Idle
        ownOpen: Idle
        ownBadOpen: Idle
        ownKeepalive: Idle
        ownUpdate: Idle
        ownRefresh: Idle
        ownNotification: Idle
        ownGarbage: Idle
        theirsOpen: Idle
        theirsBadOpen: Idle
        theirsKeepalive: Idle
        theirsUpdate: Idle
        theirsRefresh: Idle
        theirsNotification: Idle
        theirsGarbage: Idle
        retryTimer: Idle
        ownHoldTimer: Idle
        ownKeepaliveTimer: Idle
        theirsHoldTimer: Idle
        theirsKeepaliveTimer: Idle
        staleTimer: Idle
        lateTimer: Idle
        ownBlocked: Idle
        ownResumed: Idle
        ownSendHoldTimer: Idle
        ownDelayOpenTimer: Idle
        idleHoldTimer: Idle
        """,
        .held: """
        started: Idle
        shutdown: Idle | -idleHold
        deconfigured: Idle | -idleHold
        restarting: Idle | -idleHold
        restartCompleted: Idle
        reachabilityRestored: Idle
        ownConnected: Idle | close own
        theirsConnected: Idle | close theirs
        theirsConnectedAgain: Idle | close theirs2
        ownFailed: Idle
        ownClosed: Idle
        theirsClosed: Idle
        ownOpen: Idle
        ownBadOpen: Idle
        ownKeepalive: Idle
        ownUpdate: Idle
        ownRefresh: Idle
        ownNotification: Idle
        ownGarbage: Idle
        theirsOpen: Idle
        theirsBadOpen: Idle
        theirsKeepalive: Idle
        theirsUpdate: Idle
        theirsRefresh: Idle
        theirsNotification: Idle
        theirsGarbage: Idle
        retryTimer: Idle
        ownHoldTimer: Idle
        ownKeepaliveTimer: Idle
        theirsHoldTimer: Idle
        theirsKeepaliveTimer: Idle
        staleTimer: Idle
        lateTimer: Idle
        ownBlocked: Idle
        ownResumed: Idle
        ownSendHoldTimer: Idle
        ownDelayOpenTimer: Idle
        idleHoldTimer: Connect | connect own3, +retry
        """,
        .connect: """
        started: Connect
        shutdown: Idle | close own, -retry
        deconfigured: Idle | close own, -retry
        restarting: Idle | close own, -retry
        restartCompleted: Connect
        reachabilityRestored: Connect | close own, connect own2, +retry
        ownConnected: OpenSent | -retry, OPEN on own, +hold own
        theirsConnected: OpenSent | OPEN on theirs, +hold theirs
        theirsConnectedAgain: OpenSent | OPEN on theirs2, +hold theirs2
        ownFailed: Active | +retry
        ownClosed: Active | +retry
        theirsClosed: Connect
        ownOpen: Connect
        ownBadOpen: Connect
        ownKeepalive: Connect
        ownUpdate: Connect
        ownRefresh: Connect
        ownNotification: Connect
        ownGarbage: Connect
        theirsOpen: Connect
        theirsBadOpen: Connect
        theirsKeepalive: Connect
        theirsUpdate: Connect
        theirsRefresh: Connect
        theirsNotification: Connect
        theirsGarbage: Connect
        retryTimer: Connect | close own, connect own2, +retry
        ownHoldTimer: Connect
        ownKeepaliveTimer: Connect
        theirsHoldTimer: Connect
        theirsKeepaliveTimer: Connect
        staleTimer: Connect
        lateTimer: Connect
        ownBlocked: Connect
        ownResumed: Connect
        ownSendHoldTimer: Connect
        ownDelayOpenTimer: Connect
        idleHoldTimer: Connect
        """,
        .active: """
        started: Active
        shutdown: Idle | -retry
        deconfigured: Idle | -retry
        restarting: Idle | -retry
        restartCompleted: Active
        reachabilityRestored: Connect | connect own2, +retry
        ownConnected: Active | close own
        theirsConnected: OpenSent | -retry, OPEN on theirs, +hold theirs
        theirsConnectedAgain: OpenSent | -retry, OPEN on theirs2, +hold theirs2
        ownFailed: Active
        ownClosed: Active
        theirsClosed: Active
        ownOpen: Active
        ownBadOpen: Active
        ownKeepalive: Active
        ownUpdate: Active
        ownRefresh: Active
        ownNotification: Active
        ownGarbage: Active
        theirsOpen: Active
        theirsBadOpen: Active
        theirsKeepalive: Active
        theirsUpdate: Active
        theirsRefresh: Active
        theirsNotification: Active
        theirsGarbage: Active
        retryTimer: Connect | connect own2, +retry
        ownHoldTimer: Active
        ownKeepaliveTimer: Active
        theirsHoldTimer: Active
        theirsKeepaliveTimer: Active
        staleTimer: Active
        lateTimer: Active
        ownBlocked: Active
        ownResumed: Active
        ownSendHoldTimer: Active
        ownDelayOpenTimer: Active
        idleHoldTimer: Active
        """,
        .openSent: """
        started: OpenSent
        shutdown: Idle | 6/2 on own, -hold own, close own
        deconfigured: Idle | 6/3 on own, -hold own, close own
        restarting: Idle | -hold own, close own
        restartCompleted: OpenSent
        reachabilityRestored: OpenSent
        ownConnected: OpenSent
        theirsConnected: OpenSent | OPEN on theirs, +hold theirs
        theirsConnectedAgain: OpenSent | OPEN on theirs2, +hold theirs2
        ownFailed: OpenSent
        ownClosed: Active | -hold own, +retry
        theirsClosed: OpenSent
        ownOpen: OpenConfirm | KEEPALIVE on own, +hold own, +keepalive own
        ownBadOpen: Active | 2/2 on own, -hold own, close own, +retry
        ownKeepalive: Active | 5/1 on own, -hold own, close own, +retry
        ownUpdate: Active | 5/1 on own, -hold own, close own, +retry
        ownRefresh: Active | 5/1 on own, -hold own, close own, +retry
        ownNotification: Active | -hold own, close own, +retry
        ownGarbage: Active | 1/2 on own, -hold own, close own, +retry
        theirsOpen: OpenSent
        theirsBadOpen: OpenSent
        theirsKeepalive: OpenSent
        theirsUpdate: OpenSent
        theirsRefresh: OpenSent
        theirsNotification: OpenSent
        theirsGarbage: OpenSent
        retryTimer: OpenSent
        ownHoldTimer: Active | 4/0 on own, close own, +retry
        ownKeepaliveTimer: OpenSent
        theirsHoldTimer: OpenSent
        theirsKeepaliveTimer: OpenSent
        staleTimer: OpenSent
        lateTimer: OpenSent
        ownBlocked: OpenSent
        ownResumed: OpenSent
        ownSendHoldTimer: OpenSent
        ownDelayOpenTimer: OpenSent
        idleHoldTimer: OpenSent
        """,
        .openSentWhileDialling: """
        started: OpenSent
        shutdown: Idle | close own, 6/2 on theirs, -hold theirs, close theirs, -retry
        deconfigured: Idle | close own, 6/3 on theirs, -hold theirs, close theirs, -retry
        restarting: Idle | close own, -hold theirs, close theirs, -retry
        restartCompleted: OpenSent
        reachabilityRestored: OpenSent
        ownConnected: OpenSent | -retry, OPEN on own, +hold own
        theirsConnected: OpenSent
        theirsConnectedAgain: OpenSent | OPEN on theirs2, +hold theirs2, -hold theirs, close theirs
        ownFailed: OpenSent | -retry
        ownClosed: OpenSent | -retry
        theirsClosed: Connect | -hold theirs
        ownOpen: OpenSent
        ownBadOpen: OpenSent
        ownKeepalive: OpenSent
        ownUpdate: OpenSent
        ownRefresh: OpenSent
        ownNotification: OpenSent
        ownGarbage: OpenSent
        theirsOpen: OpenConfirm | -retry, close own, KEEPALIVE on theirs, +hold theirs, +keepalive theirs
        theirsBadOpen: Connect | 2/2 on theirs, -hold theirs, close theirs
        theirsKeepalive: Connect | 5/1 on theirs, -hold theirs, close theirs
        theirsUpdate: Connect | 5/1 on theirs, -hold theirs, close theirs
        theirsRefresh: Connect | 5/1 on theirs, -hold theirs, close theirs
        theirsNotification: Connect | -hold theirs, close theirs
        theirsGarbage: Connect | 1/2 on theirs, -hold theirs, close theirs
        retryTimer: OpenSent | close own
        ownHoldTimer: OpenSent
        ownKeepaliveTimer: OpenSent
        theirsHoldTimer: Connect | 4/0 on theirs, close theirs
        theirsKeepaliveTimer: OpenSent
        staleTimer: OpenSent
        lateTimer: OpenSent
        ownBlocked: OpenSent
        ownResumed: OpenSent
        ownSendHoldTimer: OpenSent
        ownDelayOpenTimer: OpenSent
        idleHoldTimer: OpenSent
        """,
    ]
}
