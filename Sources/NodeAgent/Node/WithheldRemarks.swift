import NetTypes

/// What has been said of addresses that are not announced because their pool is disabled: once for a pool and a number of
/// them.
struct WithheldRemarks: Sendable {
    private var told: [String: Int] = [:]

    /// Takes what is withheld now, by the names of the pools.
    ///
    /// - Returns: the pools to speak of, sorted, each with the number of its addresses.
    mutating func takeNews(_ withheld: [String: [IPPrefix]]) -> [(pool: String, count: Int)] {
        let now = withheld.mapValues(\.count)
        defer { told = now }
        return now.filter { told[$0.key] != $0.value }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
