import BGPWire
package import NetTypes

extension RIB {
    /// The numbers of all peers, by id.
    package var peerStatuses: [PeerRIBStatus] { speaker.peers.occupied.compactMap { status(of: $0) } }

    /// The numbers of one peer; nil for one that is not known.
    package func peerStatus(_ id: PeerID) -> PeerRIBStatus? {
        speaker.peers.slot(of: id).flatMap { status(of: $0) }
    }

    /// How many prefixes of a family the table holds.
    package func prefixCount(of family: AddressFamily) -> Int { tables[Self.table(of: family)].prefixes.count }

    /// How many changes of a family wait for the slowest peer, superseded ones included.
    package func changeLogCount(of family: AddressFamily) -> Int { tables[Self.table(of: family)].log.count }

    /// How many different attribute sets the table holds.
    package var attributeSetCount: Int { speaker.attributes.count }

    /// The routes of a family, by prefix, the best of each first; all, or those within `range`, of all peers or of one.
    ///
    /// - Complexity: O(routes × log prefixes)
    package func routes(
        of family: AddressFamily, within range: IPPrefix? = nil, from peer: PeerID? = nil,
    ) -> [RouteView] {
        let table = tables[Self.table(of: family)]
        return table.prefixes.sortedIDs(within: range).flatMap { id in
            let views = views(of: id, in: table)
            return peer == nil ? views : views.filter { $0.peer == peer }
        }
    }

    /// The routes to exactly this prefix, the best first.
    package func routes(to prefix: IPPrefix) -> [RouteView] {
        let table = tables[Self.table(of: prefix.family)]
        return table.prefixes.id(of: prefix).map { views(of: $0, in: table) } ?? []
    }

    /// Of these next hops those by which there is no route to exactly this prefix that may be used, or could be if the
    /// next hop were reached.
    package func withdrawn(of nextHops: Set<IPAddress>, to prefix: IPPrefix) -> Set<IPAddress> {
        let table = tables[Self.table(of: prefix.family)]
        guard let id = table.prefixes.id(of: prefix) else { return nextHops }
        var missing = nextHops
        var index = table.prefixes[id].firstRoute
        while index != AdjRIBIn.none, !missing.isEmpty {
            let route = table.routes[index]
            let refusal = Ineligibility(rawValue: route.refusal)
            if refusal == nil || refusal == .nextHopUnreachable,
                let nextHop = speaker.attributes[route.handle]?.nextHop?.address
            {
                missing.remove(nextHop)
            }
            index = route.nextOfPrefix
        }
        return missing
    }

    /// The Loc-RIB's route to exactly this prefix.
    package func bestRoute(to prefix: IPPrefix) -> SelectedRoute? {
        let table = tables[Self.table(of: prefix.family)]
        return table.prefixes.id(of: prefix).flatMap { table.selectedRoute(of: $0, speaker: speaker) }
    }

    private func status(of slot: PeerSlot) -> PeerRIBStatus? {
        guard let row = speaker.peers[slot] else { return nil }
        let counts = tables.map { $0.routes.counts(of: slot) }
        return PeerRIBStatus(
            id: row.id,
            isUp: row.isUp,
            received: counts.reduce(0) { $0 + $1.received },
            refused: counts.reduce(0) { $0 + $1.refused },
            stale: counts.reduce(0) { $0 + $1.stale },
            advertised: tables.reduce(0) { $0 + $1.advertisedCount(to: slot) },
            endOfRIBReceived: row.endOfRIBReceived,
            endOfRIBSent: Set(tables.filter { $0.hasSentEndOfRIB(to: slot) }.map(\.family)),
        )
    }

    private func views(of id: UInt32, in table: FamilyTable) -> [RouteView] {
        let best = table.prefixes[id].best
        let ways = table.hasSeveralRoutes(id) ? table.ways(to: id, speaker: speaker) : []
        let winner = best == AdjRIBIn.none ? nil : table.rank(of: best, speaker: speaker)
        var views: [RouteView] = []
        var index = table.prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            let route = table.routes[index]
            let refusal = Ineligibility(rawValue: route.refusal)
            if let set = speaker.attributes[route.handle] {
                var lostAt: DecisionStep?
                if let winner, index != best, refusal == nil, !ways.contains(index) {
                    lostAt = DecisionProcess.losingStep(of: table.rank(of: index, speaker: speaker), to: winner)
                }
                views.append(
                    RouteView(
                        prefix: table.prefixes.prefix(of: id),
                        peer: speaker.peers[PeerSlot(route.peer)]?.id,
                        nextHop: set.nextHop,
                        attributes: set.attributes,
                        pathID: table.routes.receivedPathID(of: index),
                        isBest: index == best,
                        isWay: ways.contains(index),
                        isStale: route.isStale,
                        ineligibility: refusal,
                        lostAt: lostAt,
                    ))
            }
            index = route.nextOfPrefix
        }
        let others = views.filter { !$0.isBest }
        return views.filter(\.isBest) + others.filter(\.isWay) + others.filter { !$0.isWay }
    }
}
