/// Whether the descriptors that the process may have suffice for its sessions.
struct DescriptorBudget: Sendable, Equatable {
    /// What the daemon has besides: netlink, the node socket and its clients, files, BFD's own sockets apart.
    static let others: UInt64 = 64

    /// The most that may be open.
    var limit: UInt64

    /// Whether as many peers can all be up: each has a connection, and a second one while both sides dial.
    func suffices(forPeers count: Int) -> Bool { UInt64(count) * 2 + Self.others <= limit }
}
