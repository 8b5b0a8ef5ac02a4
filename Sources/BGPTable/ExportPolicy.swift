import BGPWire
import NetTypes

/// Which routes go to which peer, and as what (RFC 4271 §5.1 and §9.2, RFC 4456 §6 and §8, RFC 1997).
enum ExportPolicy {
    /// LOCAL_PREF of a route that has none, towards iBGP.
    static let defaultLocalPref: UInt32 = 100

    /// The attributes of a best route as `target` shall see them; nil when it shall not see the route.
    ///
    /// `source` is of the peer the route came from, nil for a route of this node. That a route never goes back to its
    /// source is the caller's rule, who knows the two apart. What the peer's filter changes, it changes for the peer:
    /// whether the route may go there is a question about the route as it came (RFC 1997 speaks of those received).
    static func outgoing(
        _ set: AttributeSet, changedBy operations: [RouteFilter.Operation] = [], from source: RouteSource?,
        to target: PeerRole, family: AddressFamily, clusterID: ClusterID,
    ) -> AttributeSet? {
        if let source, !mayPass(set.attributes, from: source, to: target) { return nil }
        guard let nextHop = nextHop(of: set, isLearned: source != nil, to: target, family: family) else { return nil }
        var result = AttributeSet(attributes: set.attributes, nextHop: nextHop)
        operations.apply(to: &result.attributes)
        switch target.kind {
        case .eBGP:
            result.attributes.asPath = result.attributes.asPath.prepending(target.localAS)
            result.attributes.localPref = nil
            result.attributes.originatorID = nil
            result.attributes.clusterList = []
            result.attributes.extendedCommunities.removeAll { !$0.isTransitive }
            // A MED is for the neighbouring AS alone (RFC 4271 §5.1.4); only this node's own goes out.
            if source != nil { result.attributes.med = nil }
        case .iBGP:
            result.attributes.localPref = result.attributes.localPref ?? defaultLocalPref
            if let source, source.kind == .iBGP {
                result.attributes.originatorID = result.attributes.originatorID ?? source.bgpID
                result.attributes.clusterList.insert(clusterID, at: 0)
            }
        }
        if !target.carriesTunnelEncapsulation { result.removeTunnelEncapsulation() }
        return result
    }

    private static func mayPass(_ attributes: PathAttributes, from source: RouteSource, to target: PeerRole) -> Bool {
        if attributes.communities.contains(.noAdvertise) { return false }
        // RFC 9494 §4.3: to somebody who does not know what LLGR_STALE means the route would be like any other.
        if !target.takesLongLivedRoutes, attributes.communities.contains(.llgrStale) { return false }
        switch target.kind {
        case .eBGP:
            return !attributes.communities.contains { $0 == .noExport || $0 == .noExportSubconfed }
        case .iBGP:
            if source.kind == .iBGP, !source.isReflectorClient, !target.isReflectorClient { return false }
            return attributes.originatorID != target.bgpID
        }
    }

    /// The next hop to send. One learned keeps its global address only: the link-local one means nothing elsewhere
    /// (RFC 2545 §3). A peer is never told that it is its own next hop (RFC 4271 §5.1.3).
    private static func nextHop(
        of set: AttributeSet, isLearned: Bool, to target: PeerRole, family: AddressFamily,
    ) -> NextHop? {
        var kept = set.nextHop
        if isLearned, let learned = kept {
            kept = NextHop(learned.address)
            if case .v6(let address) = learned.address, address.isLinkLocal { kept = nil }
        }
        let own = target.localNextHop(for: family)
        let chosen: NextHop? =
            switch target.nextHopMode {
            case .automatic: target.kind == .eBGP ? own : kept ?? own
            case .ownAddress: own
            case .unchanged: kept ?? own
            }
        guard let chosen, chosen.address != target.peerAddress, target.takes(chosen, for: family) else { return nil }
        return chosen
    }
}
