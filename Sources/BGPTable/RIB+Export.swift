package import NetTypes

extension RIB {
    /// The next things to send to the peer, of at most `limit` prefixes; empty when it is up to date.
    ///
    /// What is handed out counts as sent: if it cannot be sent, the session is lost, and `peerDown` forgets it.
    /// Changes since the last call are collapsed to the latest state, each prefix comes once, prefixes with equal
    /// attributes come together. A family's End-of-RIB follows its initial feed.
    package mutating func nextUpdates(for id: PeerID, limit: Int = 1000) -> [OutgoingUpdate] {
        guard let slot = speaker.peers.slot(of: id) else { return [] }
        for table in tables.indices {
            if let step = tables[table].nextStep(for: slot, limit: limit, speaker: speaker) {
                return step.updates(for: slot)
            }
        }
        return []
    }

    /// Whether `nextUpdates` has something to look at for the peer; it may find that none of it is for this peer.
    package func hasPendingUpdates(for id: PeerID) -> Bool {
        guard let slot = speaker.peers.slot(of: id) else { return false }
        return tables.contains { $0.hasPending(for: slot) }
    }

    /// The peer asks for everything of the family again (RFC 2918).
    package mutating func refresh(_ family: AddressFamily, for id: PeerID) {
        guard let slot = speaker.peers.slot(of: id) else { return }
        tables[Self.table(of: family)].restartFeed(for: slot, isRefresh: true)
    }

    /// Whether learned routes and the End-of-RIB are kept back from all peers.
    package var isExportHeld: Bool { speaker.isExportHeld }

    /// Keeps the End-of-RIB back, until `releaseExport()`, from peers that have not had it in their session.
    package mutating func holdEndOfRIB() { speaker.isEndOfRIBHeld = true }

    /// Lets learned routes and the End-of-RIB go out: the peers that are there have sent what they know, or have been waited for long
    /// enough.
    package mutating func releaseExport() {
        guard speaker.isEndOfRIBHeld else { return }
        speaker.isExportHeld = false
        speaker.isEndOfRIBHeld = false
        for table in tables.indices { tables[table].restartFeeds() }
    }

    /// Takes off the changes of forwarding, of at most `limit` prefixes; empty only when nothing has changed.
    ///
    /// It has to be called by somebody: prefixes that are gone stay in the table until it has told so.
    package mutating func drainForwardingChanges(limit: Int = .max) -> [ForwardingChange] {
        var changes: [ForwardingChange] = []
        for table in tables.indices {
            while changes.count < limit {
                let taken = tables[table].drainForwarding(
                    limit: limit - changes.count, into: &changes, speaker: &speaker)
                if taken == 0 { break }
            }
        }
        return changes
    }

    /// Whether the forwarding side is told of the routes chosen. When it no longer is, it is told that all are gone.
    ///
    /// - Complexity: O(prefixes) if it differs
    package mutating func setTellsForwarding(_ tells: Bool) {
        guard speaker.tellsForwarding != tells else { return }
        speaker.tellsForwarding = tells
        for table in tables.indices { tables[table].renewForwarding() }
    }

    /// Whether `drainForwardingChanges` has something to look at.
    package var hasForwardingChanges: Bool {
        tables.contains { !$0.pendingForwarding.isEmpty }
    }
}
