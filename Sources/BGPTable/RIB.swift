// The routing information base: Adj-RIB-In, Loc-RIB and Adj-RIB-Out of one BGP speaker, IPv4 and IPv6 unicast.
//
//   apply ──▶ AdjRIBIn ──▶ DecisionProcess ──▶ PrefixTable (Loc-RIB) ──┬─▶ pendingForwarding ──▶ drainForwardingChanges
//             (routes)      numbered steps       one best per prefix    └─▶ ChangeLog ──▶ AdjRIBOut ──▶ nextUpdates
//
// Everything is integers into tables: a prefix is a dense id, a peer a slot, an attribute set a handle into a table
// that keeps each set once (AttributeTable). A route is a row of 28 bytes in two lists, by prefix and by peer.
// Nothing is pushed: the shell drains forwarding changes, and pulls a peer's updates when its socket takes more, so a
// slow peer gets the latest state and not the history. What a peer has been told is one bit per prefix.
//
// RFC 4271 §3.2, §5.1, §9 · RFC 1997 · RFC 2545 · RFC 2918 · RFC 4456 · RFC 4724 (helper) · RFC 4760 · RFC 9012 §11.
//
// Known deviations: a route ruled out by policy or loop stays in the Adj-RIB-In with its reason (so that the policy can
// change in place). No MRAI (RFC 4271 §9.2.1.1): collapsing changes between pulls takes its place. Confederations and
// aggregation are not there. An AS_PATH that does not begin with the external neighbour's AS is accepted, as route
// servers need.

package import BGPWire
package import NetTypes

/// The routing information base of one speaker. A value with a single owner.
package struct RIB: Sendable {
    /// Who this speaker is.
    package struct Identity: Sendable, Hashable {
        /// The own AS.
        package let localAS: ASNumber
        /// Every AS that this node shows to a peer, its own among them, in order: a route that has passed one of them has
        /// been here.
        package let ownASes: [ASNumber]
        /// The own BGP identifier.
        package var routerID: RouterID
        /// The cluster this node reflects for (RFC 4456 §7).
        package var clusterID: ClusterID
        /// The addresses of this node: a learned next hop among them is unusable.
        package var localAddresses: Set<IPAddress>

        /// Makes an identity; the cluster is the router's own unless one is named. `shownASes` are those that some peers
        /// are shown instead of the own AS.
        package init(
            localAS: ASNumber, shownASes: Set<ASNumber> = [], routerID: RouterID, clusterID: ClusterID? = nil,
            localAddresses: Set<IPAddress> = [],
        ) {
            self.localAS = localAS
            ownASes = shownASes.union([localAS]).sorted()
            self.routerID = routerID
            self.clusterID = clusterID ?? ClusterID(routerID)
            self.localAddresses = localAddresses
        }
    }

    var speaker: Speaker
    var localRoutes: [IPPrefix: LocalRoute] = [:]
    /// The exclusive ones of more than one address and those planned, and the learned prefixes that overlap one: some may
    /// be gone again.
    var ownNetworks = OwnNetworks()
    var overlapping: Set<IPPrefix> = []
    /// What is to be announced next; nil before anybody has said.
    var planned: PlannedNetworks?
    /// Peers that are no longer configured, while routes of theirs are left.
    var departing: Set<PeerSlot> = []
    /// IPv4 first, then IPv6.
    var tables = AddressFamily.allCases.map { FamilyTable(family: $0) }

    /// Makes an empty table. With `isExportHeld`, peers get this node's own routes only, and no End-of-RIB, until
    /// `releaseExport()`.
    /// With `isEndOfRIBHeld` only the End-of-RIB waits for it.
    package init(
        identity: Identity, importPolicy: ImportPolicy, isExportHeld: Bool = false, isEndOfRIBHeld: Bool = false,
    ) {
        speaker = Speaker(
            identity: identity, importPolicy: importPolicy, isExportHeld: isExportHeld,
            isEndOfRIBHeld: isExportHeld || isEndOfRIBHeld)
    }

    /// Who this speaker is.
    package var identity: Identity { speaker.identity }

    /// Which learned routes may be used.
    package var importPolicy: ImportPolicy { speaker.importPolicy }

    /// Changes who this speaker is, and looks at every learned route again. What peers were told stays as it is, but for
    /// the cluster that reflected routes bear: a new AS or identifier means new sessions anyway.
    ///
    /// - Complexity: O(routes) if it differs, in slices (`goOn`)
    package mutating func setIdentity(_ identity: Identity) {
        let former = speaker.identity
        guard former != identity else { return }
        speaker.identity = identity
        reevaluate()
        if former.clusterID != identity.clusterID { tellEverythingAgain() }
    }

    /// Changes which learned routes may be used, in place.
    ///
    /// - Complexity: O(routes) if it differs, in slices (`goOn`)
    package mutating func setImportPolicy(_ policy: ImportPolicy) {
        let former = speaker.importPolicy
        guard former != policy else { return }
        speaker.importPolicy = policy
        reevaluate()
        let isPassedOnAlike = former.unexportedPools == policy.unexportedPools && former.tunnels == policy.tunnels
        if !isPassedOnAlike || former.pools != policy.pools && speaker.peers.hasImportFilters { tellEverythingAgain() }
    }

    /// Every peer is told everything it may see again, and that it shall forget what it may not see any more.
    mutating func tellEverythingAgain() {
        for table in tables.indices { tables[table].restartFeeds(isRefresh: true) }
    }

    /// Says at what cost each next hop is reached, if at all; one that is not named is reached at cost 0.
    ///
    /// - Complexity: O(routes), in slices (`goOn`), if it concerns a route; O(attribute sets) if not
    package mutating func setInteriorCosts(_ costs: [IPAddress: InteriorCost]) {
        if speaker.attributes.setInteriorCosts(costs) { reevaluate() }
    }

    /// The next hops of all routes, those that take no part in the decision included, and those of this node.
    package var nextHops: Set<IPAddress> { Set(speaker.attributes.nextHops.keys) }

    /// Whether `nextHops` may be other ones since this was asked last.
    package mutating func takeHasOtherNextHops() -> Bool { speaker.attributes.takeHasOtherNextHops() }
}
