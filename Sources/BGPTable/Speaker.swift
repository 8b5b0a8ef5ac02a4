import BGPWire
import NetTypes

/// What the tables of the two families share.
struct Speaker: Sendable {
    var identity: RIB.Identity
    var importPolicy: ImportPolicy
    var peers = PeerTable()
    var attributes = AttributeTable()
    /// Whether learned routes are kept back from all peers.
    var isExportHeld: Bool
    /// Whether the End-of-RIB is kept back from all peers.
    var isEndOfRIBHeld: Bool
    /// Whether the forwarding side is told what is chosen; if not, it is told of no route at all.
    var tellsForwarding = true

    /// Makes a set what it becomes when it arrives from a peer: an external peer has no say in what is internal
    /// to the AS, even if the session let it through.
    func normalise(_ set: inout AttributeSet, from slot: PeerSlot) {
        if peers.ranks[slot].isExternal {
            // RFC 8326 §4: what is about to go is the last choice.
            set.attributes.localPref = set.attributes.communities.contains(.gracefulShutdown) ? 0 : nil
            set.attributes.originatorID = nil
            set.attributes.clusterList = []
        }
        if !peers.carriesTunnelEncapsulation(slot), set.hasTunnelEncapsulation { set.removeTunnelEncapsulation() }
    }

    private func isLoop(_ path: ASPath, at entry: RouteEntry) -> Bool {
        guard hasBeenHere(path, shownBy: entry.localAS) else { return false }
        return path.count(of: entry.localAS) > entry.allowedOwnAS
            || identity.ownASes.contains { path.count(of: $0) > entry.allowedOwnAS }
    }

    /// Whether the path holds an AS that this node shows to a peer: to the one whose session `localAS` is of, or to any
    /// other, by which the route may have gone out.
    func hasBeenHere(_ path: ASPath, shownBy localAS: ASNumber) -> Bool {
        if path.isEmpty { return false }
        return path.contains(localAS) || identity.ownASes.contains { path.contains($0) }
    }

    /// Why no route with these attributes may be used; nil when the prefix decides.
    func refusal(of handle: AttributeHandle, family: AddressFamily, from slot: PeerSlot) -> Ineligibility? {
        guard let set = attributes[handle], let entry = peers.entry(slot) else { return nil }
        let path = set.attributes.asPath
        if isLoop(path, at: entry) { return .asLoop }
        if set.attributes.originatorID == identity.routerID { return .ownOriginatorID }
        if set.attributes.clusterList.contains(identity.clusterID) { return .ownClusterID }
        if let nextHop = set.nextHop {
            if !entry.wireContext.takes(nextHop, for: family) { return .nextHopFamily }
            if identity.localAddresses.contains(nextHop.address) { return .nextHopIsLocal }
        }
        return attributes.isNextHopReachable(handle) ? nil : .nextHopUnreachable
    }
}
