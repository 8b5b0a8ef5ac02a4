import BGPTable
import LinuxOS
import Logging
import NIOCore
import NetTypes
import Resources

// This node's own restart, and a reflector's return to clients whose routes it has lost: they keep what it told them, and
// drop at its End-of-RIB what it has not said again.
extension Speaker {
    /// How often it is looked whether all that is awaited has come.
    private static let restartInterval = TimeAmount.milliseconds(100)

    /// Whom the end of the wait is for. Nobody waits for a peer that has just restarted itself.
    var awaited: RestartState.Awaited {
        let absent = peers.values.filter { epochs[$0.id] == nil }
        return RestartState.Awaited(
            isAnybodySpeaking: (rib?.peersAwaitingEndOfRIB ?? []).contains { !restartingPeers.contains($0) },
            lacksClients: absent.contains { isUnheardClient($0) },
            lacksOthers: absent.contains { !$0.settings.isRouteReflectorClient })
    }

    private func isUnheardClient(_ peer: Peer) -> Bool {
        peer.settings.isRouteReflectorClient && unheardClients.contains(peer.id)
    }

    /// A session is up. If the routes of other clients are gone, this peer is not told that it has heard everything before
    /// they have been heard again, or waited for. They are dialled at once, and so is everybody after the first session of
    /// a reflector that had none: what kept this peer away may have kept them away.
    func sessionCameUp(with peer: Peer) {
        let now = BootClock.now()
        unheardClients.remove(peer.id)
        if configuration?.clusterID != nil, !restart.isUnderWay {
            let absent = peers.values.filter { epochs[$0.id] == nil }
            let lacksClients = absent.contains { isUnheardClient($0) }
            if lacksClients {
                restart.gatherAgain(at: now)
                rib?.holdEndOfRIB()
                logger.info("clients are waited for: their routes are gone", metadata: ["first": "\(peer.address)"])
            }
            if lacksClients || epochs.count == 1 {
                for other in absent { other.assumeIsolated { $0.reachabilityRestored() } }
            }
        }
        restart.sessionCameUp(at: now)
        watchRestart()
    }

    /// The table has none of a peer's routes any more, or not all while they are being gathered, and there is no session.
    func routesAreGone(of peer: Peer) {
        if peer.settings.isRouteReflectorClient { unheardClients.insert(peer.id) }
    }

    /// Looks again and again whether what is awaited has come, while anything is.
    func watchRestart() {
        guard restart.isUnderWay, !isRestartWatched, !isStopping else { return }
        isRestartWatched = true
        eventLoop.scheduleTask(in: Self.restartInterval) {
            self.assumeIsolated { speaker in
                speaker.isRestartWatched = false
                guard !speaker.isStopping else { return }
                speaker.checkRestart(at: BootClock.now())
                speaker.watchRestart()
            }
        }
    }

    /// Ends the wait if nothing is awaited any more.
    func checkRestart(at now: MonotonicTime) {
        guard let reason = restart.completed(awaiting: awaited, at: now) else { return }
        let sentence = restart.isGatheringAgain ? "clients heard again" : "restart complete"
        restart.end()
        logger.info("\(sentence)", metadata: ["reason": "\(reason)"])
        // Who was waited for in vain once is not waited for again. Without a client nobody was told that this was all.
        if epochs.keys.contains(where: { peers[$0]?.settings.isRouteReflectorClient ?? false }) { unheardClients = [] }
        rib?.releaseExport()
        for peer in peers.values { peer.assumeIsolated { $0.restartCompleted() } }
        changed()
    }
}
