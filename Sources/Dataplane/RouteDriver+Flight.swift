import NetTypes
package import Netlink

// A batch in flight: while the kernel works on it, wishes go into the table, and no more than wishes. Events, dumps and
// `apply` come after `land`: what was answered must not be taken for newer than what was heard of later.
extension RouteDriver where Kernel: ConcurrentRouteKernel, Kernel: ~Copyable {
    /// Whether a batch was launched that has not been landed.
    package var isInFlight: Bool { inFlight != nil }

    /// Whether a batch that was launched has been answered.
    package var isAnswered: Bool { inFlight != nil && kernel.isFinished }

    /// Hands what is pending to the kernel and does not wait for the answers: `exchange` or `land` takes them.
    ///
    /// - Precondition: nothing is in flight.
    /// - Returns: false when a dump has to come first, or nothing is pending: then `apply` does what is to be done.
    package mutating func launch() -> Bool {
        precondition(inFlight == nil, "a batch is in flight")
        guard !needsResync else { return false }
        let attempt = table.takePending()
        guard !attempt.operations.isEmpty else { return false }
        let batch = RouteBatch(attempt.operations)
        kernel.begin(batch.requests)
        inFlight = (attempt, batch)
        return true
    }

    /// Waits for what is in flight, launches what is pending by then, and takes the answers in while the kernel works on
    /// that. Where the kernel refused something it launches nothing and ends as `land` does.
    ///
    /// - Throws: `NetlinkError` like `apply`.
    package mutating func exchange() throws(NetlinkError) -> RouteReport { try land(launchingNext: true) }

    /// Waits for what is in flight, if anything is, and takes the answers in. What they leave to be done is done before
    /// it returns; what has been wished for meanwhile stays pending for the next `launch` or `apply`.
    ///
    /// - Throws: `NetlinkError` like `apply`.
    package mutating func land() throws(NetlinkError) -> RouteReport { try land(launchingNext: false) }

    private mutating func land(launchingNext: Bool) throws(NetlinkError) -> RouteReport {
        guard let (attempt, batch) = inFlight else { return RouteReport() }
        inFlight = nil
        var report = RouteReport()
        do throws(NetlinkError) {
            let failures = try kernel.finish()
            if launchingNext, failures.isEmpty { _ = launch() }
            let occupied = try take(batch.errors(failures), of: attempt, into: &report)
            guard occupied.isEmpty else { return try apply() }
        } catch {
            table.lost(attempt)
            requestResync()
            guard error.isOverrun else { throw error }
            return try apply()
        }
        report.news = news()
        return report
    }
}
