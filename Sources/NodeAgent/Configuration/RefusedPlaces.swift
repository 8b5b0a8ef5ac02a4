import Resources

/// What of the configuration was refused, to tell when it no longer is.
struct RefusedPlaces: Sendable {
    /// The files and resources that were refused, as people name them.
    private var refused: Set<String> = []

    /// Takes what is refused now, and not used.
    mutating func note(_ refusals: [Diagnostic]) { refused.formUnion(refusals.map(Self.place)) }

    /// All but this is in force.
    ///
    /// - Returns: what was refused until now and is no more, sorted; each once.
    mutating func settle(_ refusals: [Diagnostic]) -> [String] {
        let now = Set(refusals.map(Self.place))
        defer { refused = now }
        return refused.subtracting(now).sorted()
    }

    private static func place(_ refusal: Diagnostic) -> String {
        refusal.resource.map { "\(refusal.file): \($0)" } ?? refusal.file
    }
}
