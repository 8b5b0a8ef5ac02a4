import NetTypes

/// The routes that stay in the kernel although the table has chosen another next hop since, because that one's cannot be
/// had yet; each with the next hops it is by.
///
/// They stay as long as somebody still announces them: what is withdrawn is not used any more (RFC 4271 §3.1). A next hop
/// that is chosen and cannot be had for a while, as in a change of mode, keeps its route without being here.
struct ReplacedRoutes: Sendable {
    private(set) var nextHops: [IPPrefix: Set<IPAddress>] = [:]

    var isEmpty: Bool { nextHops.isEmpty }

    /// Takes down prefixes that cannot be had, of those that have just lost next hops.
    mutating func keep(_ unready: [IPPrefix], replaced: [(prefix: IPPrefix, nextHops: Set<IPAddress>)]) {
        guard !unready.isEmpty, !replaced.isEmpty else { return }
        let former = Dictionary(replaced.map { ($0.prefix, $0.nextHops) }, uniquingKeysWith: { first, _ in first })
        // What is kept already was not programmed anew.
        for prefix in unready where nextHops[prefix] == nil { nextHops[prefix] = former[prefix] }
    }

    /// The prefix has got a route, or has lost it.
    mutating func forget(_ prefix: IPPrefix) {
        guard !nextHops.isEmpty else { return }
        nextHops[prefix] = nil
    }

    /// Forgets those that nobody announces any more, as far as they are still what was asked about.
    ///
    /// - Returns: the prefixes whose routes are to go.
    mutating func release(_ withdrawn: [IPPrefix: Set<IPAddress>]) -> [IPPrefix] {
        let prefixes = withdrawn.filter { nextHops[$0.key] == $0.value }.map(\.key)
        for prefix in prefixes { nextHops[prefix] = nil }
        return prefixes
    }
}
