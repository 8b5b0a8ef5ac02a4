package import NetTypes

/// What one UPDATE did to the table.
package struct ImportSummary: Sendable, Hashable {
    /// Prefixes that were new or came with other attributes and take part in the decision.
    package var accepted = 0
    /// Prefixes that came again as they were. A stale one is fresh again.
    package var unchanged = 0
    /// Prefixes kept out of the decision.
    package var refused = 0
    /// Paths that were not taken: the peer has as many to the prefix as may be.
    package var excess = 0
    /// Prefixes that were there and are withdrawn.
    package var withdrawn = 0
    /// Prefixes whose best route changed.
    package var bestChanged = 0
    /// Stale routes removed by the End-of-RIB that the UPDATE was.
    package var swept = 0
    /// The family whose End-of-RIB the UPDATE was.
    package var endOfRIB: AddressFamily?
    /// How many prefixes the peer has sent, if it may not send any number.
    package var receivedOfMaximum: Int?
    /// Own exclusive prefixes that the peer announced as somebody else's, or so that this cannot be told.
    package var conflicts: [IPPrefix] = []

    /// Nothing happened.
    package init() {}
}
