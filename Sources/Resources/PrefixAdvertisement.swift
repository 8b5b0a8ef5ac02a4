package import NetTypes

/// Communities for what a node announces inside a network (`prefixAdvertisements` of a BGPConfiguration).
package struct PrefixAdvertisement: Sendable, Hashable {
    /// The network.
    package var cidr: IPPrefix
    /// The communities, names resolved.
    package var communities: [BGPCommunity]
}

extension PrefixAdvertisement {
    /// Reads `communities`, which gives names to values, and `prefixAdvertisements`, which may use them.
    static func read(_ reader: inout FieldReader) -> [PrefixAdvertisement] {
        let named = reader.mappings("communities") { fields in
            (
                fields.required("name", as: FieldValue.text), fields.required("value", as: FieldValue.community)
            )
        }
        var values: [String: BGPCommunity] = [:]
        for case (let name?, let value?) in named { values[name] = value }
        return reader.mappings("prefixAdvertisements") { fields -> PrefixAdvertisement? in
            let cidr = fields.required("cidr", as: FieldValue.prefix)
            let names = fields.optional("communities", as: FieldValue.texts) ?? []
            var communities: [BGPCommunity] = []
            for name in names {
                guard let community = values[name] ?? BGPCommunity(name) else {
                    fields.refuse("communities", "\"\(name)\" is neither a community nor the name of one")
                    continue
                }
                communities.append(community)
            }
            return cidr.map { PrefixAdvertisement(cidr: $0, communities: communities) }
        }.compactMap { $0 }
    }
}
