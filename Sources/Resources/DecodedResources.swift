/// The resources of a configuration that could be read, and all that was found on the way.
package struct DecodedResources: Sendable, Equatable {
    /// What could be read.
    package var configuration: ClusterConfiguration
    /// What was found, in the order of files and lines.
    package var diagnostics: [Diagnostic]
    /// The file that each resource of the configuration is from, by `Kind/name`.
    package var files: [String: String]
    /// The document of each, as it was read, as JSON text.
    package var documents: [String: String]
    /// Whether the place of the files could be read: if not, nothing is known of any resource.
    package var isPlaceRead = true

    /// Makes an outcome.
    package init(
        configuration: ClusterConfiguration, diagnostics: [Diagnostic], files: [String: String] = [:],
        documents: [String: String] = [:],
    ) {
        self.configuration = configuration
        self.diagnostics = diagnostics
        self.files = files
        self.documents = documents
    }

    /// Whether nothing was refused: only then is what is absent from the configuration meant to be absent.
    package var isWhole: Bool { !diagnostics.contains { $0.severity == .error } }
    /// Whether an IPPool may be among what was refused.
    package var mayLackPool: Bool { mayLack(.ipPool) }
    /// Whether a Node may be among what was refused.
    package var mayLackNode: Bool { mayLack(.node) }

    private func mayLack(_ kind: ResourceKind) -> Bool {
        diagnostics.contains { $0.severity == .error && $0.mayBe(kind) }
    }

    /// These resources, and of former ones those that were good and are refused now, as they were.
    ///
    /// A file that is refused as a whole, or holds something of which not even the name can be read, may hold any of the
    /// resources that it held before: those that are in no file now stay as well. One that has come to contradict a new
    /// resource does not.
    func completed(by former: DecodedResources) -> DecodedResources {
        let errors = diagnostics.filter { $0.severity == .error }
        let refused = Set(errors.compactMap(\.resource))
        let doubtful = Set(errors.lazy.filter { $0.resource == nil }.map(\.file))
        let present = Set(configuration.values.map(\.identity))
        let kept = former.configuration.values.filter { value in
            if refused.contains(value.identity) { return former.configuration.hasSecrets(of: value) }
            guard !present.contains(value.identity) else { return false }
            guard isPlaceRead else { return true }
            if let file = former.files[value.identity] { return doubtful.contains(file) }
            // A default pool is in no file. It stays until another takes its place, be it itself or one that was written.
            if case .ipPool = value { return configuration.pools.isEmpty }
            return false
        }
        guard !kept.isEmpty else { return self }
        let names = Set(kept.map(\.identity))
        var whole = ClusterConfiguration(configuration.values.filter { !names.contains($0.identity) } + kept)
        let contradicted = names.intersection(whole.conflicts.filter(\.isRefused).map(\.resource))
        whole.remove(contradicted)
        let references = Set(whole.secretReferences.map(\.reference))
        whole.secrets = former.configuration.secrets.filter { references.contains($0.key) }
            .merging(configuration.secrets, uniquingKeysWith: { _, new in new })
        var result = self
        result.configuration = whole
        for name in names.subtracting(contradicted) {
            result.files[name] = former.files[name]
            result.documents[name] = former.documents[name]
        }
        return result
    }
}

extension ClusterConfiguration {
    /// All resources, as `Kind/name`.
    package var identities: [String] { values.map(\.identity) }
}

extension ResourceValue {
    /// The resource as `Kind/name`.
    var identity: String {
        switch self {
        case .ipPool(let value): "\(ResourceKind.ipPool.rawValue)/\(value.name)"
        case .bgpConfiguration(let value): "\(ResourceKind.bgpConfiguration.rawValue)/\(value.name)"
        case .bgpPeer(let value): "\(ResourceKind.bgpPeer.rawValue)/\(value.name)"
        case .bgpFilter(let value): "\(ResourceKind.bgpFilter.rawValue)/\(value.name)"
        case .node(let value): "\(ResourceKind.node.rawValue)/\(value.name)"
        case .blockAffinity(let value): "\(ResourceKind.blockAffinity.rawValue)/\(value.name)"
        case .felixConfiguration(let value): "\(ResourceKind.felixConfiguration.rawValue)/\(value.name)"
        case .ipReservation(let value): "\(ResourceKind.ipReservation.rawValue)/\(value.name)"
        }
    }
}

extension ClusterConfiguration {
    /// Every resource.
    fileprivate var values: [ResourceValue] {
        var values = pools.map(ResourceValue.ipPool) + nodes.map(ResourceValue.node)
        values += peers.map(ResourceValue.bgpPeer) + affinities.map(ResourceValue.blockAffinity)
        values += bgpConfigurations.map(ResourceValue.bgpConfiguration) + filters.map(ResourceValue.bgpFilter)
        values += reservations.map(ResourceValue.ipReservation)
        return values + felixConfigurations.map(ResourceValue.felixConfiguration)
    }

    /// Whether the passwords that a resource names are there: without one it was never good.
    fileprivate func hasSecrets(of value: ResourceValue) -> Bool {
        let identity = value.identity
        return secretReferences.allSatisfy { $0.resource != identity || secrets[$0.reference] != nil }
    }
}
