package import NetTypes
package import Netlink

/// What the driver asks of a kernel: netlink's, or a test's own.
package protocol RouteKernel: ~Copyable {
    /// Every link.
    mutating func links() throws(NetlinkError) -> [Link]
    /// The main table's routes of one family, of one protocol number or of all.
    mutating func routes(protocolNumber: UInt8?, family: AddressFamily) throws(NetlinkError) -> [Route]
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
        try execute(batch.messages)
    }
}
