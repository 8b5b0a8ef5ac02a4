import Synchronization

/// Raised once by one thread, looked at by others.
final class Flag: Sendable {
    private let value: Atomic<Bool>

    init(raised isRaised: Bool = false) { value = Atomic(isRaised) }

    /// Whether it is raised.
    var isRaised: Bool { value.load(ordering: .acquiring) }

    /// Raises it for good.
    func raise() { value.store(true, ordering: .releasing) }
}
