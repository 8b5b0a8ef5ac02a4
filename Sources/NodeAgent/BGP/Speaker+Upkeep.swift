import BGPTable
import LinuxOS
import Logging
import NetTypes

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
                let awaited = (rib?.peersAwaitingEndOfRIB ?? []).filter { !restartingPeers.contains($0) }
                if let reason = restart.completed(awaiting: awaited, at: now) { await finishRestart(because: reason) }
            }
            endOverdueRefreshes(at: now)
        }
    }

    private func finishRestart(because reason: String) async {
        restart.end()
        logger.info("restart complete", metadata: ["reason": "\(reason)"])
        rib?.releaseExport()
        for peer in peers.values { await peer.restartCompleted() }
        changed()
    }
}
