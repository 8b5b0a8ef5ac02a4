import BGPSession
import BGPTable
import BGPWire
import LinuxOS
import Logging
import NIOCore
import NetTypes
import Resources

// ROUTE-REFRESH (RFC 2918) and the markers around its answer (RFC 7313).

/// A family that is sent again, to a peer or by it.
struct Refresh: Sendable, Hashable {
    let peer: PeerID
    let family: AddressFamily
}

/// What became of the wish that routes be sent again.
enum RefreshOutcome: Sendable, Hashable {
    case begun
    case sessionIsDown
    /// The peer does not know ROUTE-REFRESH.
    case peerCannot
}

extension Speaker {
    /// Asks a peer to send its routes again.
    func askForRoutes(of id: PeerID) -> RefreshOutcome {
        guard let peer = peers[id], let negotiated = peer.assumeIsolated({ $0.negotiated }) else {
            return .sessionIsDown
        }
        guard negotiated.hasRouteRefresh else { return .peerCannot }
        peer.assumeIsolated { $0.askForRefresh() }
        return .begun
    }

    /// Sends a peer this node's routes again.
    func sendRoutesAgain(to id: PeerID) -> RefreshOutcome {
        guard let peer = peers[id], let negotiated = peer.assumeIsolated({ $0.negotiated }) else {
            return .sessionIsDown
        }
        for family in negotiated.families.compactMap(\.family) { answerRefresh(of: family, to: peer) }
        changed()
        return .begun
    }

    /// The peer asks for a family again. However often it does so, it is answered once at a time, and not before its
    /// connection has taken what it was sent: a peer that asks and does not read costs nothing.
    func answerRefresh(of family: AddressFamily, to peer: Peer) {
        refreshesWanted.insert(Refresh(peer: peer.id, family: family))
    }

    /// Begins the answers for which there is room. The marker for the beginning may not come before the initial End-of-RIB
    /// (RFC 7313 §4.1); until then everything goes out anyway.
    func beginAnswers() {
        if refreshesWanted.isEmpty { return }
        for refresh in refreshesWanted where !refreshesOut.contains(refresh) {
            guard let peer = peers[refresh.peer], peer.outlet.isFree else { continue }
            refreshesWanted.remove(refresh)
            peer.assumeIsolated { $0.refreshAnswered(refresh.family) }
            logger.debug(
                "routes are sent again",
                metadata: ["peer": "\(peer.address)", "family": "\(refresh.family.rawValue)"])
            if rib?.hasSentEndOfRIB(refresh.family, to: peer.id) ?? false, let epoch = epochs[peer.id] {
                peer.assumeIsolated { $0.mark(.begin, of: refresh.family, epoch: epoch) }
                refreshesOut.insert(refresh)
            }
            rib?.refresh(refresh.family, for: peer.id)
        }
    }

    /// Marks the end of what has gone out to the last prefix. What was asked for meanwhile is next.
    func endAnsweredRefreshes() {
        if refreshesOut.isEmpty { return }
        var ended: Set<Refresh> = []
        defer {
            if !refreshesWanted.isDisjoint(with: ended) { inbox.wake(after: TimeAmount(Self.sliceGap)) }
        }
        for refresh in refreshesOut where !(rib?.isTelling(refresh.family, to: refresh.peer) ?? false) {
            refreshesOut.remove(refresh)
            ended.insert(refresh)
            guard let peer = peers[refresh.peer], let epoch = epochs[refresh.peer] else { continue }
            peer.assumeIsolated { $0.mark(.end, of: refresh.family, epoch: epoch) }
        }
    }

    /// The peer begins to send a family again: what does not come until the end, or for too long, goes.
    func beginRefresh(of family: AddressFamily, from peer: Peer, awaitsEndOfRIB: Bool) {
        let hasEnded = rib?.endOfRIBReceived(from: peer.id).contains(family) ?? false
        // RFC 7313 §4.2: before its initial End-of-RIB there is nothing to compare with.
        guard hasEnded || !awaitsEndOfRIB, rib?.beginRefresh(family, from: peer.id) ?? false else { return }
        refreshesIn[Refresh(peer: peer.id, family: family)] = BootClock.now() + peer.settings.maxRestartTime
    }

    /// The peer has sent a family again. Without a beginning it means nothing.
    func endRefresh(of family: AddressFamily, from peer: Peer) {
        guard refreshesIn.removeValue(forKey: Refresh(peer: peer.id, family: family)) != nil else { return }
        let swept = rib?.sweepStale(of: peer.id, family: family) ?? 0
        logger.info(
            "route refresh complete",
            metadata: ["peer": "\(peer.address)", "family": "\(family.rawValue)", "swept": "\(swept)"])
    }

    /// Peers that never mark the end are taken to have.
    func endOverdueRefreshes(at now: MonotonicTime) {
        for (refresh, deadline) in refreshesIn where now >= deadline {
            guard let peer = peers[refresh.peer] else { continue }
            endRefresh(of: refresh.family, from: peer)
            changed()
        }
    }

    /// What belongs to a session alone ends with it.
    func sessionEnded(_ id: PeerID) {
        for refresh in refreshesIn.keys where refresh.peer == id { rib?.abandonRefresh(refresh.family, from: id) }
        refreshesWanted = refreshesWanted.filter { $0.peer != id }
        refreshesOut = refreshesOut.filter { $0.peer != id }
        refreshesIn = refreshesIn.filter { $0.key.peer != id }
        prefixWarnings.remove(id)
        pathWarnings.remove(id)
        echoWarnings.remove(id)
        converging[id] = nil
    }
}

// What a peer may send.
extension Speaker {
    /// Holds the number of prefixes that a peer has sent against what it may send.
    func judge(_ received: Int, of peer: Peer) {
        let policy = peer.settings.policy
        guard let maximum = policy.maximumPrefixes, let epoch = epochs[peer.id] else { return }
        if received > maximum, policy.maximumPrefixesAction == .restart {
            // After the table's turn: the session's end comes back by the queue.
            peer.eventLoop.execute {
                peer.assumeIsolated {
                    $0.endForPrefixes(received, pause: policy.maximumPrefixesRestartTime, epoch: epoch)
                }
            }
        } else if received >= policy.prefixesWarnedOf ?? maximum, prefixWarnings.insert(peer.id).inserted {
            logger.warning(
                "many prefixes from the peer",
                metadata: ["peer": "\(peer.address)", "received": "\(received)", "maximum": "\(maximum)"])
        }
    }

    /// A peer has sent more paths to a prefix than are taken.
    func warnOfPaths(of peer: Peer) {
        guard pathWarnings.insert(peer.id).inserted else { return }
        logger.warning("paths of the peer not taken: too many to one prefix", metadata: ["peer": "\(peer.address)"])
    }

    /// A peer may send another number of prefixes than before.
    func limitChanged(of peer: Peer) {
        prefixWarnings.remove(peer.id)
        peer.assumeIsolated { $0.resume() }
        if let status = rib?.peerStatus(peer.id) { judge(status.received - status.stale, of: peer) }
    }

    /// The peers that have said all they know since the last call, and when their sessions came up.
    func takeConverged() -> [(peer: IPAddress, since: MonotonicTime)] {
        guard !converging.isEmpty else { return [] }
        let awaited = Set(rib?.peersAwaitingEndOfRIB ?? [])
        return converging.compactMap { id, since in
            guard let peer = peers[id], let families = rib?.endOfRIBReceived(from: id), !families.isEmpty,
                !awaited.contains(id)
            else { return nil }
            converging[id] = nil
            return (peer.address, since)
        }
    }
}
