package import NetTypes

extension RIB {
    /// A session with the peer is established, for the first time or again: its initial feed begins.
    ///
    /// Routes kept from a lost session stay until the peer's End-of-RIB, or `sweepStale`. They go at once when the
    /// peer is now somebody else (other AS, identifier, address or reflector role), or in a family not negotiated
    /// any more. A session that replaces one still up is as if that one had been lost with its routes kept.
    package mutating func addPeer(_ id: PeerID, role: PeerRole) {
        if let slot = speaker.peers.slot(of: id), let former = speaker.peers[slot] {
            if former.isUp { peerDown(id, keepStale: true) }
            for table in tables.indices {
                if Self.isSameRouter(former.role, role), role.families.contains(tables[table].family) { continue }
                _ = tables[table].removeRoutes(of: slot, onlyStale: false, speaker: &speaker)
            }
        }
        let slot = speaker.peers.insert(id, role: role)
        for table in tables.indices where role.families.contains(tables[table].family) {
            tables[table].startExport(to: slot, role: role)
        }
    }

    /// The session with the peer is lost. With `keepStale` (graceful restart, RFC 4724 §4.2) its routes stay in use;
    /// else they are withdrawn. A family that the peer's restart capability does not name is then to be swept with
    /// `sweepStale`. Without a session there is nothing to keep: with `keepStale` nothing happens.
    package mutating func peerDown(_ id: PeerID, keepStale: Bool) {
        guard let slot = speaker.peers.slot(of: id), let row = speaker.peers[slot], row.isUp || !keepStale else {
            return
        }
        speaker.peers.setDown(slot)
        for table in tables.indices {
            tables[table].stopExport(to: slot)
            if keepStale {
                tables[table].markStale(slot, speaker: &speaker)
            } else {
                _ = tables[table].removeRoutes(of: slot, onlyStale: false, speaker: &speaker)
            }
        }
    }

    /// The peer is no longer configured: its routes go.
    package mutating func removePeer(_ id: PeerID) {
        guard let slot = speaker.peers.slot(of: id) else { return }
        peerDown(id, keepStale: false)
        speaker.peers.remove(slot)
    }

    /// The peer has sent everything of the family: what is still stale is removed. Returns how many routes that was.
    @discardableResult
    package mutating func endOfRIB(_ family: AddressFamily, from id: PeerID) -> Int {
        guard let slot = speaker.peers.slot(of: id) else { return 0 }
        speaker.peers.setEndOfRIBReceived(family, from: slot)
        return sweepStale(of: id, family: family)
    }

    /// Removes the peer's stale routes of one family, or of both: its restart timer ran out, or it came back without
    /// its forwarding state (RFC 4724 §4.2). Returns how many routes that was.
    @discardableResult
    package mutating func sweepStale(of id: PeerID, family: AddressFamily? = nil) -> Int {
        guard let slot = speaker.peers.slot(of: id) else { return 0 }
        var swept = 0
        for table in tables.indices where family == nil || family == tables[table].family {
            swept += tables[table].removeRoutes(of: slot, onlyStale: true, speaker: &speaker)
        }
        return swept
    }

    /// Keeps the peer's stale routes of one family beyond its restart time (RFC 9494 §4.2): as the last choice, marked with
    /// LLGR_STALE, but for those that bear NO_LLGR. Returns how many of these went.
    @discardableResult
    package mutating func keepStaleLong(of id: PeerID, family: AddressFamily) -> Int {
        guard let slot = speaker.peers.slot(of: id) else { return 0 }
        return tables[Self.table(of: family)].keepLong(slot, speaker: &speaker)
    }

    /// The families whose End-of-RIB the peer has sent in the session that is up; none without one.
    package func endOfRIBReceived(from id: PeerID) -> Set<AddressFamily> {
        guard let slot = speaker.peers.slot(of: id), let row = speaker.peers[slot], row.isUp else { return [] }
        return row.endOfRIBReceived
    }

    /// The peers with a session that have not yet sent the End-of-RIB of every family.
    package var peersAwaitingEndOfRIB: [PeerID] {
        speaker.peers.occupied.compactMap { slot in
            guard let row = speaker.peers[slot], row.isUp, !row.role.families.isSubset(of: row.endOfRIBReceived) else {
                return nil
            }
            return row.id
        }
    }

    private static func isSameRouter(_ left: PeerRole, _ right: PeerRole) -> Bool {
        PeerTable.rank(of: left) == PeerTable.rank(of: right) && left.peerAS == right.peerAS
            && left.isReflectorClient == right.isReflectorClient
            && left.carriesTunnelEncapsulation == right.carriesTunnelEncapsulation
    }
}
