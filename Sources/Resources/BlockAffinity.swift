package import NetTypes

/// The ownership of one block by one node (`kind: BlockAffinity`).
package struct BlockAffinity: Sendable, Hashable {
    /// How far the ownership has come.
    package enum State: String, Sendable, Hashable, CaseIterable {
        case confirmed
        case pending
        case pendingDeletion
    }

    /// metadata.name.
    package var name: String
    /// The block.
    package var cidr: IPPrefix
    /// The node that owns it.
    package var node: String
    /// How far the ownership has come; a resource without a state is confirmed.
    package var state: State

    /// Makes an affinity.
    package init(name: String, cidr: IPPrefix, node: String, state: State = .confirmed) {
        self.name = name
        self.cidr = cidr
        self.node = node
        self.state = state
    }
}
