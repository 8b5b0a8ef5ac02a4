import NetTypes
package import Netlink

// Batches in flight: while the kernel works on one, the next lies ready behind it, so that it never waits for a plan; and
// meanwhile wishes go into the table, and no more than wishes. Events, dumps and `apply` come after `land`: what was
// answered must not be taken for newer than what was heard of later.
extension RouteDriver where Kernel: ConcurrentRouteKernel, Kernel: ~Copyable {
    /// How many batches are in flight at most.
    private static var maximumInFlight: Int { 2 }
    /// How many times as large as the one before a batch is at least, as long as more is to come.
    private static var growth: Int { 4 }
    /// So many operations are a large batch; to wait for more would only take memory.
    private static var largeCount: Int { 131072 }
    /// How often what is pending waits for more while the kernel has nothing to do.
    private static var patience: Int { 16 }

    /// Whether a batch was launched that has not been landed.
    package var isInFlight: Bool { !inFlight.isEmpty }

    /// Whether what is pending waits for more, with nothing in flight; then there is nothing to be done for `apply`.
    package var isGathering: Bool { !isInFlight && !needsResync && !isWorthWhile }

    /// Whether the oldest batch in flight has been answered.
    package var isAnswered: Bool { isInFlight && kernel.isFinished }

    /// Hands what is pending to the kernel and does not wait for the answers: `exchange` or `land` takes them.
    ///
    /// - Returns: false when enough is in flight, too little or nothing is pending, or a dump has to come first. With
    ///   nothing in flight `apply` does then what is to be done.
    package mutating func launch() -> Bool {
        guard inFlight.count < Self.maximumInFlight, !needsResync else { return false }
        if !isInFlight, !isWorthWhile { idleLaunches += 1 }
        guard isWorthWhile else { return false }
        let attempt = table.takePending()
        guard !attempt.changes.isEmpty else { return false }
        let batch = RouteBatch(attempt, &nextHops)
        kernel.begin(batch)
        inFlight.append((attempt, batch))
        latestCount = attempt.changes.count
        idleLaunches = 0
        return true
    }

    /// Whether enough is pending to go behind the latest batch. The kernel's trie takes every dense part of it apart, from
    /// the bottom to the top, whenever the range of the routes grows beyond it: that costs little as long as what is there
    /// is a small part of what comes, and it leaves a trie that costs little to take down (`RouteBatch`).
    private var isWorthWhile: Bool {
        // Routes that come and go for as long as one looks may never be that many.
        if !isInFlight, !expectsMore || idleLaunches >= Self.patience { return true }
        let enough = expectsMore ? Self.growth * latestCount : latestCount
        return table.pendingCount >= min(enough, Self.largeCount)
    }

    /// Waits for the oldest batch in flight, launches what is pending by then, and takes the answers in while the kernel
    /// works on that. Where the kernel refused something it launches nothing and ends as `land` does.
    ///
    /// - Throws: `NetlinkError` like `apply`.
    package mutating func exchange() throws(NetlinkError) -> RouteReport { try landOldest(launchingNext: true) }

    /// Waits for what is in flight, if anything is, and takes the answers in. What they leave to be done is done before
    /// it returns; what has been wished for meanwhile stays pending for the next `launch` or `apply`.
    ///
    /// - Throws: `NetlinkError` like `apply`.
    package mutating func land() throws(NetlinkError) -> RouteReport {
        var report = RouteReport()
        while isInFlight { report.append(try landOldest(launchingNext: false)) }
        return report
    }

    private mutating func landOldest(launchingNext: Bool) throws(NetlinkError) -> RouteReport {
        guard isInFlight else { return RouteReport() }
        let (attempt, batch) = inFlight.removeFirst()
        var report = RouteReport()
        do throws(NetlinkError) {
            guard let failures = try kernel.finish() else {
                withdraw()
                table.withdraw(attempt)
                return report
            }
            if !failures.isEmpty { withdraw() } else if launchingNext { _ = launch() }
            let occupied = try take(batch.errors(failures), of: attempt, into: &report)
            guard occupied.isEmpty else { return try apply() }
        } catch {
            withdraw()
            table.lost(attempt)
            requestResync()
            guard error.isOverrun else { throw error }
            return try apply()
        }
        report.news = news()
        return report
    }

    /// Takes back what is in flight behind a batch of which something failed: the kernel has not begun with it, and it may
    /// be something else by now that is to be done.
    private mutating func withdraw() {
        for (attempt, _) in inFlight.reversed() {
            do throws(NetlinkError) {
                if try kernel.finish() == nil { table.withdraw(attempt) } else { table.lost(attempt) }
            } catch {
                table.lost(attempt)
            }
        }
        inFlight = []
    }
}
