extension RIB {
    /// Changes what an established session means to the table, in place: the session stays. The peer is told what differs:
    /// routes it shall not see any more are withdrawn, the others sent again. Where the others' view of its routes depends
    /// on what changed, they are told as well. How learned routes are judged from now on they are judged by
    /// `reviewSmallTables` or `goOn`: once, however many peers change together.
    ///
    /// Who the peer is (its AS, identifier and address) is not to be changed: that takes a new session.
    ///
    /// - Complexity: O(routes) if it differs, in slices (`goOn`)
    package mutating func changeRole(of id: PeerID, _ change: (inout PeerRole) -> Void) {
        guard let slot = speaker.peers.slot(of: id), let row = speaker.peers[slot] else { return }
        var role = row.role
        change(&role)
        guard role != row.role else { return }
        speaker.peers.setRole(role, of: slot)
        if role.importFilter != row.role.importFilter || role.allowedOwnAS != row.role.allowedOwnAS { beginReview() }
        if role.groupRole != row.role.groupRole {
            for table in tables.indices { tables[table].changeRole(of: slot, to: role) }
        }
        // Who hears of the peer's routes depends on it as well (RFC 4456 §6).
        if role.isReflectorClient != row.role.isReflectorClient { tellEverythingAgain() }
    }
}
