/// The configuration that a daemon acts on: the last one without a refusal.
///
/// A refused resource must not look like a removed one, so a reload with an error changes nothing at all. Only at the
/// start, when nothing is in force, the good remainder is taken; `isWhole` is then false, and nothing that an earlier
/// run left in the kernel may be swept on its strength. Until it is whole, what is good is taken at every reload, and
/// what was good and is refused now stays as it was: one error that is there to stay does not make another a removal.
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

    private var inForce: DecodedResources?

    /// The configuration in force; nil before the first offer.
    package var configuration: ClusterConfiguration? { inForce?.configuration }
    /// The resources in force, each as `Kind/name`, with the file it is from and its document as JSON text. A default pool
    /// has neither.
    package var resources: [(identity: String, file: String?, document: String?)] {
        guard let inForce else { return [] }
        return inForce.configuration.identities.map { ($0, inForce.files[$0], inForce.documents[$0]) }
    }
    /// Whether the configuration in force was read without a refusal.
    package var isWhole: Bool { inForce?.isWhole ?? false }

    /// Nothing is in force.
    package init() {}

    /// What a newly read configuration would put in force, where it is not whole and neither is the one in force.
    package func completing(_ decoded: DecodedResources) -> DecodedResources {
        guard let inForce, !inForce.isWhole, !decoded.isWhole else { return decoded }
        return decoded.completed(by: inForce)
    }

    /// Whether the configuration in force stays, whatever is in this one.
    package func outlasts(_ decoded: DecodedResources) -> Bool { isWhole && !decoded.isWhole }

    /// Puts a newly read configuration in force, if it may be.
    package mutating func offer(_ decoded: DecodedResources) -> Outcome {
        if outlasts(decoded) { return .kept }
        let completed = completing(decoded)
        let isUnchanged = configuration == completed.configuration && isWhole == completed.isWhole
        inForce = completed
        return isUnchanged ? .unchanged : .adopted
    }
}
