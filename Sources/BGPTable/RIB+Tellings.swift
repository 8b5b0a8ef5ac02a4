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
            return table.prefixes.sortedIDs(within: range).flatMap { prefix in
                reader.tellings(of: prefix).compactMap { id in
                    guard let telling = table.tellings[id], telling.reaches(slot, role) else { return nil }
                    return AdvertisedRoute(
                        prefix: table.prefixes.prefix(of: prefix), nextHop: telling.nextHop, pathID: telling.pathID,
                        best: table.route(told: telling, of: prefix, speaker: speaker))
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
