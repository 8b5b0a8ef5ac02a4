import LinuxOS
import NetTypes

// By the clock.
extension Speaker {
    /// Ends waits whose time is over, until cancelled.
    func runUpkeep() async {
        while !Task.isCancelled {
            // Every wake-up costs an idle node processor time.
            try? await Task.sleep(for: refreshesIn.isEmpty ? .seconds(5) : .seconds(1))
            guard !Task.isCancelled, !isStopping else { return }
            endOverdueRefreshes(at: BootClock.now())
        }
    }
}
