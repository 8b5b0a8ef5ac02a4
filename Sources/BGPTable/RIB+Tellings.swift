package import BGPWire
package import NetTypes

/// A prefix that a peer has been told of, as `apusctl` shows it.
package struct AdvertisedRoute: Sendable, Hashable {
    /// The network.
    package let prefix: IPPrefix
    /// The next hop that was told.
    package let nextHop: IPAddress
    /// The identifier of the path; 0 where the peer is told of one path to each prefix.
    package var pathID: UInt32 = 0
    /// The route that was told, as it is now; nil when it has gone and the peer is yet to be told.
    package let best: SelectedRoute?
    /// What the peer reads of it: as its filter has changed it, with the own AS before an external peer, and so on.
    package let attributes: PathAttributes?
}

extension RIB {
    /// What a peer has been told of and not been told to forget, by prefix; all, or what lies within `range`.
    ///
    /// - Complexity: O(prefixes × log prefixes)
    package func advertised(to id: PeerID, within range: IPPrefix? = nil) -> [AdvertisedRoute] {
        guard let slot = speaker.peers.slot(of: id) else { return [] }
        return tables.flatMap { table -> [AdvertisedRoute] in
            guard let group = table.group(of: slot).flatMap({ table.groups[$0] }), let role = group.roles[slot]
            else { return [] }
            let reader = group.reader(of: slot)
            var exports = ExportLookup(role: group.role)
            return table.prefixes.sortedIDs(within: range).flatMap { prefix in
                reader.tellings(of: prefix).compactMap { id in
                    guard let telling = table.tellings[id], telling.reaches(slot, role) else { return nil }
                    let route = table.index(told: telling, of: prefix)
                    let sent = route.flatMap {
                        exports.outgoing(table.routes[$0], to: prefix, of: table, speaker: speaker)
                    }
                    return AdvertisedRoute(
                        prefix: table.prefixes.prefix(of: prefix), nextHop: telling.nextHop, pathID: telling.pathID,
                        best: sent == nil ? nil : table.route(told: telling, of: prefix, speaker: speaker),
                        attributes: sent)
                }
            }
        }
    }

    /// Whether a peer has been told of exactly this prefix.
    package func hasAdvertised(_ prefix: IPPrefix, to id: PeerID) -> Bool {
        let table = tables[Self.table(of: prefix.family)]
        guard let slot = speaker.peers.slot(of: id), let place = table.prefixes.id(of: prefix),
            let group = table.group(of: slot).flatMap({ table.groups[$0] }), let role = group.roles[slot],
            case let tellings = group.reader(of: slot).tellings(of: place)
        else { return false }
        return tellings.contains { table.tellings[$0]?.reaches(slot, role) ?? false }
    }
}

/// Says what routes are on their way to the members of a group, for display: a set that many prefixes share is looked at
/// once.
private struct ExportLookup {
    private struct Key: Hashable {
        let set: Int
        let source: UInt32
        let verdict: Speaker.ExportVerdict
    }

    /// What the members have in common.
    let role: PeerRole
    private var known: [Key: PathAttributes?] = [:]

    init(role: PeerRole) { self.role = role }

    mutating func outgoing(
        _ route: InRoute, to id: UInt32, of table: FamilyTable, speaker: borrowing Speaker,
    ) -> PathAttributes? {
        let source = PeerSlot(route.peer)
        let rules = role.exportFilter.rules(table.family)
        guard let set = speaker.attributes[route.handle] else { return nil }
        let verdict = speaker.exportVerdict(
            of: table.prefixes.prefix(of: id), set, isLocal: source == PeerTable.local, to: role, rules: rules)
        let key = Key(set: Int(route.handle.index), source: route.peer, verdict: verdict)
        if let known = known[key] { return known }
        var operations: [RouteFilter.Operation] = []
        if case .accepted(let rule) = verdict, case .accept(let some) = rules[rule].action { operations = some }
        let outgoing =
            verdict == .rejected
            ? nil
            : ExportPolicy.outgoing(
                set, changedBy: operations, from: speaker.peers.source(source), to: role, family: table.family,
                clusterID: speaker.identity.clusterID)
        known[key] = .some(outgoing?.attributes)
        return outgoing?.attributes
    }
}
