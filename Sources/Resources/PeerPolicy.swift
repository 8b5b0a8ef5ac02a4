/// What a BGPPeer says of the routes to and from the peer. A change of it changes no session.
package struct PeerPolicy: Sendable, Hashable {
    /// `filters`: the names of BGPFilters, in the order in which they are asked.
    package var filters: [String] = []
    /// `numAllowedLocalASNumbers`: how often the own AS may stand in the AS_PATH of a route from the peer.
    package var allowedLocalASNumbers = 0
    /// `maximumPrefixes`: how many prefixes the peer may send, each path of add-path (RFC 7911) counted; nil for any
    /// number.
    package var maximumPrefixes: Int?
    /// `maximumPrefixesAction`: what is done about more.
    package var maximumPrefixesAction = MaximumPrefixesAction.restart
    /// `maximumPrefixesRestartTime`: how long a session that ended because of more stays away; zero: until the BGPPeer is
    /// changed.
    package var maximumPrefixesRestartTime: Duration = .seconds(60)
    /// `maximumPrefixesWarning`: at how many per cent of them the log says so.
    package var maximumPrefixesWarning = 75
    /// `advertisedPaths`: the most paths to a prefix that the peer is sent, if it takes several; nil for all.
    package var advertisedPaths: Int?
    /// `tunnelEncapsulation`: whether the attribute of RFC 9012 goes to and comes from an external peer.
    package var carriesTunnelEncapsulation = false

    /// What is done about a peer that sends more prefixes than it may.
    package enum MaximumPrefixesAction: String, Sendable, Hashable, CaseIterable {
        /// The session ends, and another begins after a while.
        case restart = "Restart"
        /// The log says so.
        case warn = "Warn"
    }

    /// The defaults.
    package init() {}

    /// Whether the same is done about the number of prefixes.
    package func hasSamePrefixLimit(as other: PeerPolicy) -> Bool {
        maximumPrefixes == other.maximumPrefixes && maximumPrefixesAction == other.maximumPrefixesAction
            && maximumPrefixesRestartTime == other.maximumPrefixesRestartTime
            && maximumPrefixesWarning == other.maximumPrefixesWarning
    }

    /// The number of prefixes from which on the log warns; nil without a maximum.
    package var prefixesWarnedOf: Int? {
        maximumPrefixes.map { Int((Double($0) * Double(maximumPrefixesWarning) / 100).rounded(.up)) }
    }
}

extension PeerPolicy {
    /// Reads the fields from a BGPPeer's `spec`.
    init(_ reader: inout FieldReader) {
        filters = reader.optional("filters", as: FieldValue.texts) ?? []
        allowedLocalASNumbers = reader.optional("numAllowedLocalASNumbers", as: FieldValue.integer(in: 0...255)) ?? 0
        maximumPrefixes = reader.optional("maximumPrefixes", as: FieldValue.integer(in: 1...10_000_000))
        if let action = reader.optional(
            "maximumPrefixesAction", as: FieldValue.word(MaximumPrefixesAction.self))
        {
            maximumPrefixesAction = action
        }
        if let wait = reader.optional("maximumPrefixesRestartTime", as: FieldValue.pause) {
            maximumPrefixesRestartTime = wait
        }
        if let percentage = reader.optional("maximumPrefixesWarning", as: FieldValue.integer(in: 1...100)) {
            maximumPrefixesWarning = percentage
        }
        advertisedPaths = reader.optional("advertisedPaths", as: FieldValue.integer(in: 1...255))
        carriesTunnelEncapsulation = reader.optional("tunnelEncapsulation", as: FieldValue.bool) ?? false
    }
}
