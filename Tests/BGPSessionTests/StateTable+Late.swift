extension StateTable {
    /// The cells of the states with two connections or a peer that answered.
    static let late: [StateRow: String] = [
        .openSentTwice: """
        started: OpenSent
        shutdown: Idle | 6/2 on own, -hold own, close own, 6/2 on theirs, -hold theirs, close theirs
        deconfigured: Idle | 6/3 on own, -hold own, close own, 6/3 on theirs, -hold theirs, close theirs
        restarting: Idle | -hold own, close own, -hold theirs, close theirs
        restartCompleted: OpenSent
        reachabilityRestored: OpenSent
        ownConnected: OpenSent
        theirsConnected: OpenSent
        theirsConnectedAgain: OpenSent | OPEN on theirs2, +hold theirs2, -hold theirs, close theirs
        ownFailed: OpenSent
        ownClosed: OpenSent | -hold own
        theirsClosed: OpenSent | -hold theirs
        ownOpen: OpenConfirm | KEEPALIVE on own, +hold own, +keepalive own
        ownBadOpen: OpenSent | 2/2 on own, -hold own, close own
        ownKeepalive: OpenSent | 5/1 on own, -hold own, close own
        ownUpdate: OpenSent | 5/1 on own, -hold own, close own
        ownRefresh: OpenSent | 5/1 on own, -hold own, close own
        ownNotification: OpenSent | -hold own, close own
        ownGarbage: OpenSent | 1/2 on own, -hold own, close own
        theirsOpen: OpenConfirm | KEEPALIVE on theirs, +hold theirs, +keepalive theirs
        theirsBadOpen: OpenSent | 2/2 on theirs, -hold theirs, close theirs
        theirsKeepalive: OpenSent | 5/1 on theirs, -hold theirs, close theirs
        theirsUpdate: OpenSent | 5/1 on theirs, -hold theirs, close theirs
        theirsRefresh: OpenSent | 5/1 on theirs, -hold theirs, close theirs
        theirsNotification: OpenSent | -hold theirs, close theirs
        theirsGarbage: OpenSent | 1/2 on theirs, -hold theirs, close theirs
        retryTimer: OpenSent
        ownHoldTimer: OpenSent | 4/0 on own, close own
        ownKeepaliveTimer: OpenSent
        theirsHoldTimer: OpenSent | 4/0 on theirs, close theirs
        theirsKeepaliveTimer: OpenSent
        staleTimer: OpenSent
        lateTimer: OpenSent
        ownBlocked: OpenSent
        ownResumed: OpenSent
        ownSendHoldTimer: OpenSent
        ownDelayOpenTimer: OpenSent
        idleHoldTimer: OpenSent
        """,
        .openConfirm: """
        started: OpenConfirm
        shutdown: Idle | 6/2 on own, -hold own, -keepalive own, close own
        deconfigured: Idle | 6/3 on own, -hold own, -keepalive own, close own
        restarting: Idle | -hold own, -keepalive own, close own
        restartCompleted: OpenConfirm
        reachabilityRestored: OpenConfirm
        ownConnected: OpenConfirm
        theirsConnected: OpenConfirm | OPEN on theirs, +hold theirs
        theirsConnectedAgain: OpenConfirm | OPEN on theirs2, +hold theirs2
        ownFailed: OpenConfirm
        ownClosed: Active | -hold own, -keepalive own, +retry
        theirsClosed: OpenConfirm
        ownOpen: Active | 5/2 on own, -hold own, -keepalive own, close own, +retry
        ownBadOpen: Active | 5/2 on own, -hold own, -keepalive own, close own, +retry
        ownKeepalive: Established | establish
        ownUpdate: Active | 5/2 on own, -hold own, -keepalive own, close own, +retry
        ownRefresh: Active | 5/2 on own, -hold own, -keepalive own, close own, +retry
        ownNotification: Active | -hold own, -keepalive own, close own, +retry
        ownGarbage: Active | 1/2 on own, -hold own, -keepalive own, close own, +retry
        theirsOpen: OpenConfirm
        theirsBadOpen: OpenConfirm
        theirsKeepalive: OpenConfirm
        theirsUpdate: OpenConfirm
        theirsRefresh: OpenConfirm
        theirsNotification: OpenConfirm
        theirsGarbage: OpenConfirm
        retryTimer: OpenConfirm
        ownHoldTimer: Active | 4/0 on own, -keepalive own, close own, +retry
        ownKeepaliveTimer: OpenConfirm | KEEPALIVE on own, +keepalive own
        theirsHoldTimer: OpenConfirm
        theirsKeepaliveTimer: OpenConfirm
        staleTimer: OpenConfirm
        lateTimer: OpenConfirm
        ownBlocked: OpenConfirm
        ownResumed: OpenConfirm
        ownSendHoldTimer: OpenConfirm
        ownDelayOpenTimer: OpenConfirm
        idleHoldTimer: OpenConfirm
        """,
        .openConfirmTwice: """
        started: OpenConfirm
        shutdown: Idle | 6/2 on theirs, -hold theirs, close theirs, 6/2 on own, -hold own, -keepalive own, \
        close own
        deconfigured: Idle | 6/3 on theirs, -hold theirs, close theirs, 6/3 on own, -hold own, -keepalive own, \
        close own
        restarting: Idle | -hold theirs, close theirs, -hold own, -keepalive own, close own
        restartCompleted: OpenConfirm
        reachabilityRestored: OpenConfirm
        ownConnected: OpenConfirm
        theirsConnected: OpenConfirm
        theirsConnectedAgain: OpenConfirm | OPEN on theirs2, +hold theirs2, -hold theirs, close theirs
        ownFailed: OpenConfirm
        ownClosed: OpenSent | -hold own, -keepalive own
        theirsClosed: OpenConfirm | -hold theirs
        ownOpen: OpenSent | 5/2 on own, -hold own, -keepalive own, close own
        ownBadOpen: OpenSent | 5/2 on own, -hold own, -keepalive own, close own
        ownKeepalive: Established | 6/7 on theirs, -hold theirs, close theirs, establish
        ownUpdate: OpenSent | 5/2 on own, -hold own, -keepalive own, close own
        ownRefresh: OpenSent | 5/2 on own, -hold own, -keepalive own, close own
        ownNotification: OpenSent | -hold own, -keepalive own, close own
        ownGarbage: OpenSent | 1/2 on own, -hold own, -keepalive own, close own
        theirsOpen: OpenConfirm | 6/7 on own, -hold own, -keepalive own, close own, KEEPALIVE on theirs, \
        +hold theirs, +keepalive theirs
        theirsBadOpen: OpenConfirm | 2/2 on theirs, -hold theirs, close theirs
        theirsKeepalive: OpenConfirm | 5/1 on theirs, -hold theirs, close theirs
        theirsUpdate: OpenConfirm | 5/1 on theirs, -hold theirs, close theirs
        theirsRefresh: OpenConfirm | 5/1 on theirs, -hold theirs, close theirs
        theirsNotification: OpenConfirm | -hold theirs, close theirs
        theirsGarbage: OpenConfirm | 1/2 on theirs, -hold theirs, close theirs
        retryTimer: OpenConfirm
        ownHoldTimer: OpenSent | 4/0 on own, -keepalive own, close own
        ownKeepaliveTimer: OpenConfirm | KEEPALIVE on own, +keepalive own
        theirsHoldTimer: OpenConfirm | 4/0 on theirs, close theirs
        theirsKeepaliveTimer: OpenConfirm
        staleTimer: OpenConfirm
        lateTimer: OpenConfirm
        ownBlocked: OpenConfirm
        ownResumed: OpenConfirm
        ownSendHoldTimer: OpenConfirm
        ownDelayOpenTimer: OpenConfirm
        idleHoldTimer: OpenConfirm
        """,
        .established: """
        started: Established
        shutdown: Idle | 6/2 on own, -hold own, -keepalive own, close own, lost
        deconfigured: Idle | 6/3 on own, -hold own, -keepalive own, close own, lost
        restarting: Idle | -hold own, -keepalive own, close own, lost, routes kept, +stale
        restartCompleted: Established
        reachabilityRestored: Established
        ownConnected: Established
        theirsConnected: Established | OPEN on theirs, +hold theirs
        theirsConnectedAgain: Established | OPEN on theirs2, +hold theirs2
        ownFailed: Established
        ownClosed: Active | -hold own, -keepalive own, lost, routes kept, +stale, +retry
        theirsClosed: Established
        ownOpen: Active | 5/3 on own, -hold own, -keepalive own, close own, lost, +retry
        ownBadOpen: Active | 5/3 on own, -hold own, -keepalive own, close own, lost, +retry
        ownKeepalive: Established
        ownUpdate: Established | deliver
        ownRefresh: Established | refresh
        ownNotification: Active | -hold own, -keepalive own, close own, lost, +retry
        ownGarbage: Active | 1/2 on own, -hold own, -keepalive own, close own, lost, +retry
        theirsOpen: Established
        theirsBadOpen: Established
        theirsKeepalive: Established
        theirsUpdate: Established
        theirsRefresh: Established
        theirsNotification: Established
        theirsGarbage: Established
        retryTimer: Established
        ownHoldTimer: Active | 4/0 on own, -keepalive own, close own, lost, +retry
        ownKeepaliveTimer: Established | KEEPALIVE on own, +keepalive own
        theirsHoldTimer: Established
        theirsKeepaliveTimer: Established
        staleTimer: Established
        lateTimer: Established
        ownBlocked: Established | +sendHold own
        ownResumed: Established
        ownSendHoldTimer: Established
        ownDelayOpenTimer: Established
        idleHoldTimer: Established
        """,
        .establishedWatching: """
        started: Established
        shutdown: Idle | 6/2 on theirs, -hold theirs, close theirs, 6/2 on own, -hold own, -keepalive own, \
        close own, lost
        deconfigured: Idle | 6/3 on theirs, -hold theirs, close theirs, 6/3 on own, -hold own, -keepalive own, \
        close own, lost
        restarting: Idle | -hold theirs, close theirs, -hold own, -keepalive own, close own, lost, routes kept, \
        +stale
        restartCompleted: Established
        reachabilityRestored: Established
        ownConnected: Established
        theirsConnected: Established
        theirsConnectedAgain: Established | -hold theirs, close theirs, OPEN on theirs2, +hold theirs2
        ownFailed: Established
        ownClosed: OpenSent | -hold own, -keepalive own, lost, routes kept, +stale
        theirsClosed: Established | -hold theirs
        ownOpen: OpenSent | 5/3 on own, -hold own, -keepalive own, close own, lost
        ownBadOpen: OpenSent | 5/3 on own, -hold own, -keepalive own, close own, lost
        ownKeepalive: Established
        ownUpdate: Established | deliver
        ownRefresh: Established | refresh
        ownNotification: OpenSent | -hold own, -keepalive own, close own, lost
        ownGarbage: OpenSent | 1/2 on own, -hold own, -keepalive own, close own, lost
        theirsOpen: OpenConfirm | -hold own, -keepalive own, close own, lost, routes kept, +stale, \
        KEEPALIVE on theirs, +hold theirs, +keepalive theirs
        theirsBadOpen: Established | 2/2 on theirs, -hold theirs, close theirs
        theirsKeepalive: Established | 5/1 on theirs, -hold theirs, close theirs
        theirsUpdate: Established | 5/1 on theirs, -hold theirs, close theirs
        theirsRefresh: Established | 5/1 on theirs, -hold theirs, close theirs
        theirsNotification: Established | -hold theirs, close theirs
        theirsGarbage: Established | 1/2 on theirs, -hold theirs, close theirs
        retryTimer: Established
        ownHoldTimer: OpenSent | 4/0 on own, -keepalive own, close own, lost
        ownKeepaliveTimer: Established | KEEPALIVE on own, +keepalive own
        theirsHoldTimer: Established | 4/0 on theirs, close theirs
        theirsKeepaliveTimer: Established
        staleTimer: Established
        lateTimer: Established
        ownBlocked: Established | +sendHold own
        ownResumed: Established
        ownSendHoldTimer: Established
        ownDelayOpenTimer: Established
        idleHoldTimer: Established
        """,
    ]
}
