import CCallHandover
import LinuxOS
import NetTypes

/// What is left to do of the handing over of a call when the daemon has not carried it out at once.
///
/// CCallHandover offers the call before Swift has started, and ends the process with the daemon's answer. It is an offer.
/// Where there is no daemon, or it is silent, of another version or in another network namespace, or the call needs what
/// only the caller has, this process does it by itself, as it would have done. The store knows no difference: should the
/// daemon be killed over a call, this process finds what a killed one has left, and finishes it.
enum CallHandover {
    /// How long the daemon may be at work that it has begun: a block may have to be claimed, and a lock to be waited for.
    private static let workTime = Duration.seconds(25)

    /// What has become of an offer.
    enum Outcome: Sendable {
        /// The daemon has carried the call out.
        case done(status: Int32, output: [UInt8], log: [UInt8])
        /// It has not touched anything.
        case declined
        /// It may have carried it out and has not answered; what is younger than this is its work.
        case lost(since: MonotonicTime)
    }

    /// What has been read of standard input for the offer; nothing where none was made.
    static var config: (bytes: [UInt8], isWhole: Bool) {
        // SAFETY: the length is of the buffer's octets that have been read, and the buffer is the program's own.
        let call = unsafe call_handover_result()
        return unsafe (Array(UnsafeBufferPointer(start: call.config, count: call.length)), call.is_whole)
    }

    /// What became of this process' offer; waits where the daemon is at work.
    static func outcome() -> Outcome {
        // SAFETY: a copy of values, of which the pointer is not looked at.
        let call = unsafe call_handover_result()
        let offeredAt = unsafe MonotonicTime(nanoseconds: call.offered_at)
        switch unsafe call.state {
        case CALL_IS_UNANSWERED:
            let stream = unsafe PacketStream(owning: call.connection, path: "the daemon")
            return (try? outcome(over: stream)) ?? .lost(since: offeredAt)
        case CALL_IS_LOST: return .lost(since: offeredAt)
        default: return .declined
        }
    }

    /// - Returns: nil for an answer that is none.
    private static func outcome(over stream: consuming PacketStream) throws(SystemError) -> Outcome? {
        // In this order: a daemon that receives the call from here on finds it withdrawn, and one that has received it
        // answers, be it that it declines.
        try stream.finishSending()
        guard try !stream.hasUnreadOutput() else { return .declined }
        try stream.setTimeout(workTime)
        switch CallVerdict(packet: try stream.receive(limit: CallVerdict.maximumLength).bytes) {
        case .done(let status, let output, let log)?:
            return .done(status: Int32(status), output: output, log: log)
        case .declined?: return .declined
        case nil: return nil
        }
    }
}
