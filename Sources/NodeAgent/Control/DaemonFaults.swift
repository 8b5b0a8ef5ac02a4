import NodeLink
import Synchronization

/// What the parts of the daemon know to be wrong, by what it is about, for whoever answers `status`.
final class DaemonFaults: Sendable {
    private let faults = Mutex<[String: DaemonFault]>([:])

    /// What is wrong now.
    var current: [DaemonFault] { faults.withLock { $0.values.sorted { $0.subject < $1.subject } } }

    /// Says what is wrong with something, in place of what was wrong with it.
    func note(_ fault: DaemonFault) { faults.withLock { $0[fault.subject] = fault } }

    /// Nothing is wrong with it any more.
    func clear(_ subject: String) { faults.withLock { $0[subject] = nil } }
}
