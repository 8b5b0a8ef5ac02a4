package import NetTypes

// Enhanced route refresh (RFC 7313), both ways.
extension RIB {
    /// The peer begins to send the family again: what it has sent is stale until it comes again or is swept.
    ///
    /// - Returns: whether the peer has a session with the family.
    package mutating func beginRefresh(_ family: AddressFamily, from id: PeerID) -> Bool {
        guard let slot = speaker.peers.slot(of: id), let row = speaker.peers[slot], row.isUp,
            row.role.families.contains(family)
        else { return false }
        // What is still being swept is gone; what is stale besides came before a marker of which the end was not seen.
        tables[Self.table(of: family)].finishSweep(of: slot, speaker: &speaker)
        tables[Self.table(of: family)].markAllStale(slot)
        return true
    }

    /// The session is lost before the peer has sent the family again: what it had sent before is as good as the rest, but
    /// not what is being swept.
    package mutating func abandonRefresh(_ family: AddressFamily, from id: PeerID) {
        guard let slot = speaker.peers.slot(of: id) else { return }
        tables[Self.table(of: family)].finishSweep(of: slot, speaker: &speaker)
        tables[Self.table(of: family)].markAllStale(slot, false)
    }

    /// This side ends the session before the peer has sent everything again, be it for a refresh or after another change of
    /// its settings: what it has not come to yet is as good as the rest.
    package mutating func abandonRefreshes(from id: PeerID) {
        for family in AddressFamily.allCases { abandonRefresh(family, from: id) }
    }

    /// Whether the peer has been handed the family's End-of-RIB.
    package func hasSentEndOfRIB(_ family: AddressFamily, to id: PeerID) -> Bool {
        speaker.peers.slot(of: id).map { tables[Self.table(of: family)].hasSentEndOfRIB(to: $0) } ?? false
    }

    /// Whether the peer is being told everything of the family, for the first time or again, and has not been handed the
    /// last of it.
    package func isTelling(_ family: AddressFamily, to id: PeerID) -> Bool {
        guard let slot = speaker.peers.slot(of: id) else { return false }
        return tables[Self.table(of: family)].isTelling(slot)
    }

    /// How many prefixes `drainForwardingChanges` has to look at.
    package var forwardingChangeCount: Int { tables.reduce(0) { $0 + $1.pendingForwarding.count } }
}

extension FamilyTable {
    /// Whether a walk over everything is under way for a peer, or something of it is yet to be taken.
    func isTelling(_ slot: PeerSlot) -> Bool {
        guard let group = group(of: slot).flatMap({ groups[$0] }) else { return false }
        return group.step(for: slot) != nil || group.reader.progress.feed != nil
    }
}
