/// What a BGPPeer says of the routes to and from the peer. A change of it changes no session.
package struct PeerPolicy: Sendable, Hashable {
    /// `filters`: the names of BGPFilters, in the order in which they are asked.
    package var filters: [String] = []
    /// `numAllowedLocalASNumbers`: how often the own AS may stand in the AS_PATH of a route from the peer.
    package var allowedLocalASNumbers = 0
    /// `maximumPrefixes`: how many prefixes the peer may send before the session ends; nil for any number.
    package var maximumPrefixes: Int?
    /// `advertisedPaths`: the most paths to a prefix that the peer is sent, if it takes several; nil for all.
    package var advertisedPaths: Int?
    /// `tunnelEncapsulation`: whether the attribute of RFC 9012 goes to and comes from an external peer.
    package var carriesTunnelEncapsulation = false

    /// The defaults.
    package init() {}
}

extension PeerPolicy {
    /// Reads the fields from a BGPPeer's `spec`.
    init(_ reader: inout FieldReader) {
        filters = reader.optional("filters", as: FieldValue.texts) ?? []
        allowedLocalASNumbers = reader.optional("numAllowedLocalASNumbers", as: FieldValue.integer(in: 0...255)) ?? 0
        maximumPrefixes = reader.optional("maximumPrefixes", as: FieldValue.integer(in: 1...10_000_000))
        advertisedPaths = reader.optional("advertisedPaths", as: FieldValue.integer(in: 1...255))
        carriesTunnelEncapsulation = reader.optional("tunnelEncapsulation", as: FieldValue.bool) ?? false
    }
}
