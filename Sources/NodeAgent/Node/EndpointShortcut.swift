import IPAMCore
import NetTypes
import Synchronization

/// Tells, without the controller's queue, of which pods there is nothing to be noted: nearly all. A pod in a block of the
/// node is announced with the block; only what has an address from elsewhere is somebody's to remember.
final class EndpointShortcut: Sendable {
    private struct State: Sendable {
        var blocks: [IPPrefix] = []
        var hasClosedBlock = false
        var hasForeignEndpoints = false
        /// How many pods are in the queue: nobody knows yet what will be remembered of them.
        var queued = 0

        var remembersNobody: Bool { !hasForeignEndpoints && queued == 0 }
    }

    private let state = Mutex(State())

    /// The controller knows something else from now on.
    func update(_ node: NodeState?, hasForeignEndpoints: Bool) {
        let blocks = node?.blocks.map(\.cidr) ?? []
        let hasClosedBlock = node?.blocks.contains(where: \.isClosed) ?? false
        state.withLock { state in
            state.blocks = blocks
            state.hasClosedBlock = hasClosedBlock
            state.hasForeignEndpoints = hasForeignEndpoints
        }
    }

    /// A pod goes into the queue.
    func enter() { state.withLock { $0.queued += 1 } }

    /// A pod has been carried out.
    func leave() { state.withLock { $0.queued -= 1 } }

    /// Whether the coming of a pod with these addresses changes nothing.
    func covers(_ addresses: [IPPrefix]) -> Bool {
        state.withLock { state in
            state.remembersNobody
                && addresses.allSatisfy { address in state.blocks.contains { $0.contains(address) } }
        }
    }

    /// Whether nothing is remembered of any pod.
    var remembersNobody: Bool { state.withLock(\.remembersNobody) }

    /// Whether the going of a pod's record changes nothing: no block waits for it either.
    var ignoresGoing: Bool { state.withLock { $0.remembersNobody && !$0.hasClosedBlock } }
}
