package import BGPWire
package import NetTypes

extension RIB {
    /// Takes in an UPDATE of the peer; withdrawals first, as RFC 4271 §4.3 says. From a peer without a session, and
    /// for families not negotiated, nothing is taken.
    ///
    /// - Complexity: O(prefixes × routes to each)
    package mutating func apply(_ update: UpdateMessage, from id: PeerID) -> ImportSummary {
        var summary = ImportSummary()
        guard let slot = speaker.peers.slot(of: id), speaker.peers.isUp(slot) else { return summary }
        let families = speaker.peers.families(of: slot)
        if let family = update.endOfRIB?.family {
            guard families.contains(family) else { return summary }
            summary.swept = endOfRIB(family, from: id)
            summary.endOfRIB = family
            return summary
        }
        for unreach in update.unreachable {
            guard let table = table(of: unreach.family, among: families) else { continue }
            withdraw(unreach, from: slot, table: table, summary: &summary)
        }
        for reach in update.reachable {
            guard let table = table(of: reach.family, among: families) else { continue }
            var set = AttributeSet(attributes: update.attributes, nextHop: reach.nextHop)
            speaker.normalise(&set, from: slot)
            announce(reach, set: set, from: slot, table: table, summary: &summary)
        }
        let announced = summary.accepted + summary.refused + summary.unchanged
        if speaker.peers.maximumPrefixes(of: slot) != nil, announced > 0 {
            // What is kept from a session before counts no more than what is gone, until it comes again.
            summary.receivedOfMaximum = tables.reduce(0) { sum, table in
                let counts = table.routes.counts(of: slot)
                return sum + counts.received - counts.stale
            }
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
        ownNetworksMayHaveChanged()
    }

    private mutating func withdraw(
        _ unreach: UpdateMessage.Unreach, from slot: PeerSlot, table: Int, summary: inout ImportSummary,
    ) {
        for (place, prefix) in unreach.prefixes.enumerated() where prefix.family == tables[table].family {
            let pathID = place < unreach.pathIDs.count ? unreach.pathIDs[place] : 0
            guard let bestChanged = tables[table].withdraw(prefix, pathID: pathID, from: slot, speaker: &speaker) else {
                continue
            }
            summary.withdrawn += 1
            forgetConflict(of: prefix)
            if bestChanged { summary.bestChanged += 1 }
        }
    }

    private mutating func announce(
        _ reach: UpdateMessage.Reach, set: AttributeSet, from slot: PeerSlot, table: Int,
        summary: inout ImportSummary,
    ) {
        let family = tables[table].family
        let handle = speaker.attributes.intern(set)
        let refusal = speaker.refusal(of: handle, family: family, from: slot)
        let rules = speaker.peers.importFilter(of: slot)?.rules(family) ?? []
        let role = rules.isEmpty ? nil : speaker.peers[slot]?.role
        for (place, prefix) in reach.prefixes.enumerated() where prefix.family == family {
            let pathID = place < reach.pathIDs.count ? reach.pathIDs[place] : 0
            let outcome: FamilyTable.Outcome
            if refusal == nil, !rules.isEmpty, let role {
                outcome = announce(
                    (prefix, pathID), set: set, handle: handle, from: slot, role, rules, table: table)
            } else {
                outcome = tables[table].announce(
                    prefix, pathID: pathID, from: slot, handle: handle,
                    refusal: refusal ?? speaker.importPolicy.refusal(of: prefix), speaker: &speaker)
            }
            switch outcome {
            case .unchanged: summary.unchanged += 1
            case .accepted(let bestChanged):
                summary.accepted += 1
                if bestChanged { summary.bestChanged += 1 }
            case .refused(let bestChanged):
                summary.refused += 1
                if bestChanged { summary.bestChanged += 1 }
            case .excess: summary.excess += 1
            }
            if isContested(by: prefix) { summary.conflicts.append(prefix) }
        }
        speaker.attributes.release(handle)
    }

    /// A route that the peer's filters are asked about.
    private mutating func announce(
        _ path: (prefix: IPPrefix, id: UInt32), set: AttributeSet, handle: AttributeHandle, from slot: PeerSlot,
        _ role: PeerRole, _ rules: [RouteFilter.Rule], table: Int,
    ) -> FamilyTable.Outcome {
        let judgement = speaker.judgement(of: path.prefix, set, from: role, rules: rules)
        guard !judgement.operations.isEmpty,
            let changed = speaker.attributes.changed(handle, by: judgement.operations)
        else {
            return tables[table].announce(
                path.prefix, pathID: path.id, from: slot, handle: handle, refusal: judgement.refusal, speaker: &speaker)
        }
        defer { speaker.attributes.release(changed) }
        return tables[table].announce(
            path.prefix, pathID: path.id, from: slot, handle: changed, original: handle, refusal: judgement.refusal,
            speaker: &speaker)
    }

    private func table(of family: AFISAFI, among families: Set<AddressFamily>) -> Int? {
        guard let family = family.family, families.contains(family) else { return nil }
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
