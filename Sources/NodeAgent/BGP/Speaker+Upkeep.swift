import BGPTable
import LinuxOS
import Logging
import NetTypes
import Resources

// By the clock.
extension Speaker {
    /// Ends waits whose time is over, until cancelled.
    func runUpkeep() async {
        while !Task.isCancelled {
            // Every wake-up costs an idle node processor time.
            let patience: Duration = refreshesIn.isEmpty ? .seconds(5) : .seconds(1)
            try? await Task.sleep(for: restart.isUnderWay ? .milliseconds(100) : patience)
            guard !Task.isCancelled, !isStopping else { return }
            let now = BootClock.now()
            if restart.isUnderWay {
                if let reason = restart.completed(awaiting: awaited, at: now) { await finishRestart(because: reason) }
            }
            endOverdueRefreshes(at: now)
        }
    }

    /// Whom the end of this node's restart waits for. Nobody waits for a peer that has just restarted itself.
    var awaited: RestartState.Awaited {
        let absent = peers.values.filter { epochs[$0.id] == nil }.map(\.settings.isRouteReflectorClient)
        return RestartState.Awaited(
            isAnybodySpeaking: (rib?.peersAwaitingEndOfRIB ?? []).contains { !restartingPeers.contains($0) },
            lacksClients: absent.contains(true), lacksOthers: absent.contains(false))
    }

    private func finishRestart(because reason: String) async {
        restart.end()
        logger.info("restart complete", metadata: ["reason": "\(reason)"])
        rib?.releaseExport()
        for peer in peers.values { await peer.restartCompleted() }
        changed()
    }
}
