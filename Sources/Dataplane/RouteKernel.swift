package import NetTypes
package import Netlink

/// What the driver asks of a kernel: netlink's, or a test's own.
package protocol RouteKernel: ~Copyable {
    /// Every link.
    mutating func links() throws(NetlinkError) -> [Link]
    /// The main table's routes of one family, of one protocol number or of all.
    mutating func routes(protocolNumber: UInt8?, family: AddressFamily) throws(NetlinkError) -> [Route]
    /// Tries every request, in order, and answers those that failed.
    /// - Throws: when the answers are lost (`isOverrun`) or the socket failed: what was done is unknown.
    mutating func carryOut(_ batch: NetlinkBatch) throws(NetlinkError) -> [NetlinkFailure]
}

/// A kernel that works on a batch while its caller does something else. Nothing may be asked of it between `begin` and
/// `finish`.
package protocol ConcurrentRouteKernel: RouteKernel, ~Copyable {
    /// Begins with a batch and does not wait for its end.
    mutating func begin(_ batch: NetlinkBatch)
    /// Whether `finish` would answer at once.
    var isFinished: Bool { get }
    /// Waits for the end of what was begun, and answers as `carryOut` does.
    mutating func finish() throws(NetlinkError) -> [NetlinkFailure]
}

extension NetlinkSocket: RouteKernel {
    /// The bulk form: errors are answered, and one barrier at the end.
    package mutating func carryOut(_ batch: NetlinkBatch) throws(NetlinkError) -> [NetlinkFailure] {
        try execute(batch, acknowledgeEach: false)
    }
}
