/// The configuration that a daemon acts on: the last one without a refusal.
///
/// A refused resource must not look like a removed one, so a reload with an error changes nothing at all. Only at the
/// start, when nothing is in force, the good remainder is taken; `isWhole` is then false, and nothing that an earlier
/// run left in the kernel may be swept on its strength.
package struct ConfigurationInForce: Sendable, Equatable {
    /// What `offer` did.
    package enum Outcome: Sendable, Equatable {
        /// The new configuration is in force.
        case adopted
        /// The new configuration equals the one in force.
        case unchanged
        /// The new one has errors; the one in force stays.
        case kept
    }

    /// The configuration in force; nil before the first offer.
    package private(set) var configuration: ClusterConfiguration?
    /// Whether the configuration in force was read without a refusal.
    package private(set) var isWhole = false

    /// Nothing is in force.
    package init() {}

    /// Puts a newly read configuration in force, if it may be.
    package mutating func offer(_ decoded: DecodedResources) -> Outcome {
        if configuration != nil && !decoded.isWhole && isWhole { return .kept }
        let isUnchanged = configuration == decoded.configuration && isWhole == decoded.isWhole
        configuration = decoded.configuration
        isWhole = decoded.isWhole
        return isUnchanged ? .unchanged : .adopted
    }
}
