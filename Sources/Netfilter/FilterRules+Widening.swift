import NetTypes

extension FilterRules {
    /// These rules, but for the networks and nodes of others as well: nothing is translated less, and no node's packets
    /// are dropped that were taken.
    package func widened(by others: FilterRules) -> FilterRules {
        FilterRules(
            masquerade: Masquerade(
                sources: masquerade.sources + others.masquerade.sources,
                pools: masquerade.pools + others.masquerade.pools, vxlanPort: masquerade.vxlanPort),
            tunnels: TunnelGuard(
                nodes: tunnels.nodes + others.tunnels.nodes, vxlanPort: tunnels.vxlanPort, hasIPIP: tunnels.hasIPIP,
                podsMaySendVXLAN: tunnels.podsMaySendVXLAN, podsMaySendIPIP: tunnels.podsMaySendIPIP))
    }

    /// The networks and nodes that a listing of the tables names; nothing else of it is read.
    package init(listing: String) {
        let sets = Self.sets(of: listing)
        func prefixes(_ name: (AddressFamily) -> String) -> [IPPrefix] {
            AddressFamily.allCases.flatMap { sets[name($0)] ?? [] }
        }
        self.init(
            masquerade: Masquerade(
                sources: prefixes(Masquerade.sourcesName), pools: prefixes(Masquerade.poolsName)),
            tunnels: TunnelGuard(nodes: prefixes(TunnelGuard.nodesName).map(\.address)))
    }

    /// The elements of the sets, by name: `set NAME { … elements = { ELEMENT … } }`.
    private static func sets(of listing: String) -> [String: [IPPrefix]] {
        var sets: [String: [IPPrefix]] = [:]
        var name = ""
        var words = FilterTable.words(of: listing)[...]
        while let word = words.popFirst() {
            if word == "set" { name = words.popFirst().map(String.init) ?? "" }
            guard word == "elements" else { continue }
            words = words.dropFirst(2)
            while let element = words.popFirst(), element != "}" {
                let address = IPAddress(element).map { IPPrefix(masking: $0, length: $0.family.bitWidth) }
                if let prefix = address ?? IPPrefix(element) { sets[name, default: []].append(prefix) }
            }
        }
        return sets
    }
}
