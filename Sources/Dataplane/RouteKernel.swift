package import NetTypes
package import Netlink

/// What the driver asks of a kernel: netlink's, or a test's own.
package protocol RouteKernel: ~Copyable {
    /// Every link.
    mutating func links() throws(NetlinkError) -> [Link]
    /// The main table's routes of one family, of one protocol number or of all.
    mutating func routes(protocolNumber: UInt8?, family: AddressFamily) throws(NetlinkError) -> [Route]
    /// The next hops of one protocol number that stand for themselves.
    mutating func nextHops(protocolNumber: UInt8) throws(NetlinkError) -> [NextHopObject]
    /// Deletes next hops, which no route names any more.
    mutating func deleteNextHops(_ objects: [NextHopObject]) throws(NetlinkError)
    /// Tries everything, in order, and answers what failed.
    /// - Throws: when the answers are lost (`isOverrun`) or the socket failed: what was done is unknown.
    mutating func carryOut(_ batch: RouteBatch) throws(NetlinkError) -> [NetlinkFailure]
}

/// A kernel that works on batches, one after the other, while its caller does something else. Nothing else may be asked of
/// it before each `begin` has had its `finish`.
package protocol ConcurrentRouteKernel: RouteKernel, ~Copyable {
    /// Begins with a batch, once those before it are done, and does not wait for its end.
    mutating func begin(_ batch: RouteBatch)
    /// Whether `finish` would answer at once.
    var isFinished: Bool { get }
    /// Waits for the end of the oldest batch that was begun, and answers as `carryOut` does.
    ///
    /// - Returns: nil when nothing of it was tried, because something of the batch before it failed, or was not tried
    ///   either.
    mutating func finish() throws(NetlinkError) -> [NetlinkFailure]?
}

extension NetlinkSocket: RouteKernel {
    /// The bulk form: errors are answered, and one barrier at the end.
    package mutating func carryOut(_ batch: RouteBatch) throws(NetlinkError) -> [NetlinkFailure] {
        let nextHops = batch.messages.nextHops
        if nextHops.isEmpty { return try execute(batch.messages) }
        guard try provideNextHops(nextHops) else { return try execute(batch.plainMessages) }
        let failures = try execute(batch.messages)
        if failures.isEmpty { return [] }
        // One of them may have gone meanwhile: then whatever names it was refused.
        let requests = failures.map { batch.request(at: $0.index) }
        return try execute(NetlinkBatch(requests), acknowledgeEach: false).map { failure in
            NetlinkFailure(index: failures[failure.index].index, error: failure.error)
        }
    }
}
