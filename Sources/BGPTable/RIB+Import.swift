package import BGPWire
package import NetTypes

extension RIB {
    /// Takes in an UPDATE of the peer; withdrawals first, as RFC 4271 §4.3 says. From a peer without a session, and
    /// for families not negotiated, nothing is taken.
    ///
    /// - Complexity: O(prefixes × routes to each)
    package mutating func apply(_ update: UpdateMessage, from id: PeerID) -> ImportSummary {
        var summary = ImportSummary()
        guard let slot = speaker.peers.slot(of: id), let peer = speaker.peers[slot], peer.isUp else { return summary }
        if let family = update.endOfRIB?.family {
            guard peer.role.families.contains(family) else { return summary }
            summary.swept = endOfRIB(family, from: id)
            summary.endOfRIB = family
            return summary
        }
        for unreach in update.unreachable {
            guard let table = table(of: unreach.family, for: peer.role) else { continue }
            withdraw(unreach.prefixes, from: slot, table: table, summary: &summary)
        }
        for reach in update.reachable {
            guard let table = table(of: reach.family, for: peer.role) else { continue }
            let set = AttributeSet(attributes: update.attributes, nextHop: reach.nextHop)
            announce(
                reach.prefixes, set: Speaker.normalised(set, from: peer.role), from: slot, table: table,
                summary: &summary)
        }
        return summary
    }

    /// Replaces this node's own routes. One that stays as it is causes nothing. Of two for one prefix the last counts.
    package mutating func setLocal(_ routes: [LocalRoute]) {
        let wanted = Dictionary(routes.map { ($0.prefix, $0) }) { $1 }
        changeLocal(
            announcing: wanted.values.sorted { $0.prefix < $1.prefix },
            withdrawing: localRoutes.keys.filter { wanted[$0] == nil }.sorted())
    }

    /// Changes some of this node's own routes; the others stay. One that is announced as it is already, or withdrawn
    /// and not there, causes nothing.
    ///
    /// - Complexity: O(changes), whatever else is announced
    package mutating func changeLocal(announcing routes: [LocalRoute], withdrawing prefixes: [IPPrefix]) {
        for prefix in prefixes where localRoutes.removeValue(forKey: prefix) != nil {
            _ = tables[Self.table(of: prefix.family)].withdraw(prefix, from: PeerTable.local, speaker: &speaker)
        }
        for route in routes where localRoutes.updateValue(route, forKey: route.prefix) != route {
            let handle = speaker.attributes.intern(AttributeSet(attributes: route.attributes, nextHop: route.nextHop))
            _ = tables[Self.table(of: route.prefix.family)].announce(
                route.prefix, from: PeerTable.local, handle: handle, refusal: nil, speaker: &speaker)
            speaker.attributes.release(handle)
        }
    }

    /// This node's exclusive networks that somebody else announces too, by prefix.
    ///
    /// - Complexity: O(own routes × routes to each)
    package var ownBlockConflicts: [OwnBlockConflict] {
        localRoutes.values.filter(\.isExclusive).map(\.prefix).sorted().flatMap { conflicts(over: $0) }
    }

    private func conflicts(over prefix: IPPrefix) -> [OwnBlockConflict] {
        let table = tables[Self.table(of: prefix.family)]
        guard let id = table.prefixes.id(of: prefix) else { return [] }
        var found: [OwnBlockConflict] = []
        var index = table.prefixes[id].firstRoute
        while index != AdjRIBIn.none {
            let route = table.routes[index]
            if let peer = speaker.peers[PeerSlot(route.peer)], let set = speaker.attributes[route.handle],
                Self.isForeign(route)
            {
                let originator = set.attributes.originatorID ?? peer.role.bgpID
                found.append(OwnBlockConflict(prefix: prefix, peer: peer.id, originator: originator))
            }
            index = route.nextOfPrefix
        }
        return found.sorted { $0.peer < $1.peer }
    }

    /// Whether the route is truly somebody else's. What came back to this node in a loop is its own; whether the
    /// policy would use the route does not matter: the other node announces the network all the same.
    private static func isForeign(_ route: InRoute) -> Bool {
        switch Ineligibility(rawValue: route.refusal) {
        case .asLoop, .ownOriginatorID, .ownClusterID, .nextHopIsLocal: false
        default: true
        }
    }

    private mutating func withdraw(
        _ prefixes: [IPPrefix], from slot: PeerSlot, table: Int, summary: inout ImportSummary,
    ) {
        for prefix in prefixes where prefix.family == tables[table].family {
            guard let bestChanged = tables[table].withdraw(prefix, from: slot, speaker: &speaker) else { continue }
            summary.withdrawn += 1
            if bestChanged { summary.bestChanged += 1 }
        }
    }

    private mutating func announce(
        _ prefixes: [IPPrefix], set: AttributeSet, from slot: PeerSlot, table: Int, summary: inout ImportSummary,
    ) {
        let family = tables[table].family
        let handle = speaker.attributes.intern(set)
        let refusal = speaker.refusal(of: handle, family: family, from: slot)
        for prefix in prefixes where prefix.family == family {
            let outcome = tables[table].announce(
                prefix, from: slot, handle: handle, refusal: refusal ?? speaker.importPolicy.refusal(of: prefix),
                speaker: &speaker)
            switch outcome {
            case .unchanged: summary.unchanged += 1
            case .accepted(let bestChanged):
                summary.accepted += 1
                if bestChanged { summary.bestChanged += 1 }
            case .refused(let bestChanged):
                summary.refused += 1
                if bestChanged { summary.bestChanged += 1 }
            }
            if localRoutes[prefix]?.isExclusive == true, !conflicts(over: prefix).isEmpty {
                summary.conflicts.append(prefix)
            }
        }
        speaker.attributes.release(handle)
    }

    private func table(of family: AFISAFI, for role: PeerRole) -> Int? {
        guard let family = family.family, role.families.contains(family) else { return nil }
        return Self.table(of: family)
    }

    /// The place of a family's table.
    static func table(of family: AddressFamily) -> Int {
        switch family {
        case .ipv4: 0
        case .ipv6: 1
        }
    }
}
