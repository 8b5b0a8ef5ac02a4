import BGPWire
import NetTypes

/// What of the peer that a route came from decides where the route may go, and as what.
struct RouteSource: Sendable, Equatable {
    let kind: PeerRole.Kind
    let isReflectorClient: Bool
    let bgpID: RouterID
}

/// A set and what became of it on its way to a group.
struct ExportedSet: Sendable {
    let set: AttributeSet
    /// What the group's filter changes in it.
    let operations: [RouteFilter.Operation]
    let source: RouteSource?
    let clusterID: ClusterID
    /// nil where the group shall not see the route.
    let outgoing: AttributeSet?
}

extension UpdateGroup {
    /// The set as the members shall see it, by `ExportPolicy`. That of the last route is mostly that of the next one as
    /// well, even where the route was gone in between, and is not made again.
    mutating func outgoing(
        _ set: AttributeSet, changedBy operations: [RouteFilter.Operation], from source: RouteSource?,
        family: AddressFamily, clusterID: ClusterID,
    ) -> AttributeSet? {
        if let last = exported.first, last.source == source, last.clusterID == clusterID,
            last.operations == operations, last.set == set
        {
            return last.outgoing
        }
        let outgoing = ExportPolicy.outgoing(
            set, changedBy: operations, from: source, to: role, family: family, clusterID: clusterID)
        let made = ExportedSet(
            set: set, operations: operations, source: source, clusterID: clusterID, outgoing: outgoing)
        if exported.isEmpty { exported.append(made) } else { exported[0] = made }
        return outgoing
    }
}
